"""The one endpoint of WHMCS' external API: a call, and what its answer means (whmcs-wire.md §1)."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import requests

from integrations.errors import Misconfigured, Unavailable
from integrations.http import Caller
from integrations.whmcs.parsing import BadShape, Row, json_object, verdict
from integrations.whmcs.refusals import refusal

T = TypeVar("T")

REDIRECTS = {301, 302, 303, 307, 308}
TOO_MANY = 429
FORBIDDEN = 403


class Endpoint:
    """Sends actions to one installation. Credentials go in the body, never in the address."""

    def __init__(self, *, caller: Caller, url: str, identifier: str, secret: str) -> None:
        self._caller, self._url = caller, url
        self._always = {"identifier": identifier, "secret": secret, "responsetype": "json"}

    def call(
        self,
        action: str,
        parameters: Mapping[str, Any],
        read: Callable[[Row], T],
        *,
        deadline_s: float,
        repeatable: bool = True,
    ) -> T:
        """One call of `action`; `read` makes the value from a successful answer and raises BadShape if it cannot.

        Raises Rejected, Misconfigured and Unavailable; when not `repeatable`, UnknownOutcome for everything that leaves
        open whether WHMCS did it.
        """
        form = {**self._always, "action": action, **{name: str(value) for name, value in parameters.items()}}

        def attempt() -> T:
            response = self._caller.session(repeatable=repeatable).post(self._url, data=form)
            return self._read(action, response, read, repeatable=repeatable)

        return self._caller.call(action, attempt, deadline_s=deadline_s, repeatable=repeatable)

    def _read(self, action: str, response: requests.Response, read: Callable[[Row], T], *, repeatable: bool) -> T:
        status = response.status_code
        if status == TOO_MANY:
            raise Unavailable("whmcs", action, "rate_limit", "WHMCS wants us to wait.")
        body = self._object(action, response, repeatable=repeatable)
        said = verdict(body)
        if said == "error":
            raise refusal(action, str(body.get("message", "")), status)
        if said != "success":
            raise self._caller.no_answer(action, "bad_body", "the answer has no result", repeatable=repeatable)
        try:
            return read(body)
        except BadShape as shape:
            if not repeatable:
                raise self._caller.no_answer(action, "bad_body", str(shape), repeatable=False) from None
            raise Misconfigured("whmcs", action, "bad_body", f"WHMCS answers otherwise than we know: {shape}") from None

    def _object(self, action: str, response: requests.Response, *, repeatable: bool) -> dict[str, Any]:
        """The answer's object. Everything else is no answer: an error page says nothing about what was done."""
        status = response.status_code
        if status >= requests.codes.server_error:
            raise self._caller.no_answer(action, f"http_{status}", repeatable=repeatable)
        try:
            return json_object(response.content)
        except BadShape as shape:
            if repeatable and (status in REDIRECTS or status == requests.codes.not_found):
                raise Misconfigured("whmcs", action, "redirect", "WHMCS_API_URL is not where the API is.") from None
            code = "bad_body" if status == requests.codes.ok else f"http_{status}"
            raise self._caller.no_answer(action, code, str(shape), repeatable=repeatable) from None
