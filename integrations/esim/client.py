"""An eSIM provider over JSON and HTTPS: tickets for what changes something, Bearer key, Idempotency-Key (esim.md)."""

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote

import requests
from pydantic import BaseModel, TypeAdapter, ValidationError

from integrations.errors import Misconfigured, OutsideError, Rejected, Unavailable
from integrations.esim.schemas import Line, Refusal, Ticket
from integrations.http import Caller
from integrations.masking import harmless

T = TypeVar("T")
SYSTEM = "esim"
TOO_MANY = 429
NOT_OURS = {401: "credentials", 403: "forbidden"}
SENTENCES = {
    "credentials": "The eSIM provider refuses our key: check ESIM_API_KEY.",
    "forbidden": "Our key may not do this at the eSIM provider.",
    "redirect": "ESIM_API_URL is not where the eSIM provider's API is.",
}
CLOSED = "MAINTENANCE"  # the one 5xx that says for certain that nothing was accepted


class _Refused(BaseModel):
    error: Refusal


class _Tickets(BaseModel):
    tickets: list[Ticket]


class HttpProvider:
    """The provider at one address. Safe to share between threads."""

    def __init__(
        self, *, caller: Caller, url: str, key: str, read_deadline_s: float = 15, deadline_s: float = 60
    ) -> None:
        self._caller, self._url, self._headers = caller, url, {"Authorization": f"Bearer {key}"}
        self._read_deadline_s, self._deadline_s = read_deadline_s, deadline_s

    def activate(self, *, idem_key: str, line_ref: str, order_ref: str, plan: str) -> Ticket:
        """POST /v1/activations. See ESimProvider."""
        asked = {"line_ref": line_ref, "order_ref": order_ref, "plan": plan}
        return self._call("activate", "activations", Ticket, asked=asked, idem_key=idem_key)

    def ticket(self, ref: str) -> Ticket | None:
        """GET /v1/tickets/…. See ESimProvider."""
        return self._read("ticket", f"tickets/{quote(ref, safe='')}", Ticket, absent="TICKET_NOT_FOUND")

    def tickets(self, idem_key: str) -> list[Ticket]:
        """GET /v1/tickets. See ESimProvider."""
        return self._call("tickets", f"tickets?idempotency_key={quote(idem_key, safe='')}", _Tickets).tickets

    def line(self, line_ref: str) -> Line | None:
        """GET /v1/lines/…. See ESimProvider."""
        return self._read("line", f"lines/{quote(line_ref, safe='')}", Line, absent="LINE_NOT_FOUND")

    def _read(self, operation: str, path: str, shape: type[T], *, absent: str) -> T | None:
        try:
            return self._call(operation, path, shape)
        except Rejected as error:
            if error.code == absent:
                return None
            raise

    def _call(
        self,
        operation: str,
        path: str,
        shape: type[T],
        *,
        asked: Mapping[str, str] | None = None,
        idem_key: str = "",
    ) -> T:
        """One call; with `asked` it changes something and is never repeated."""
        repeatable = asked is None

        def attempt() -> T:
            session = self._caller.session(repeatable=repeatable)
            url = f"{self._url}/v1/{path}"
            if repeatable:
                response = session.get(url, headers=self._headers)
            else:
                response = session.post(url, json=asked, headers={**self._headers, "Idempotency-Key": idem_key})
            return self._answer(operation, response, shape, repeatable=repeatable)

        deadline_s = self._read_deadline_s if repeatable else self._deadline_s
        return self._caller.call(operation, attempt, deadline_s=deadline_s, repeatable=repeatable)

    def _answer(self, operation: str, response: requests.Response, shape: type[T], *, repeatable: bool) -> T:
        status = response.status_code
        if not requests.codes.ok <= status < requests.codes.multiple_choices:
            raise self._refusal(operation, response, repeatable=repeatable)
        found = _parsed(response.content, shape)
        if found is not None:
            return found
        if repeatable:
            raise Misconfigured(SYSTEM, operation, "bad_body", "The eSIM provider answers otherwise than we know.")
        raise self._caller.no_answer(operation, "bad_body", repeatable=False)

    def _refusal(self, operation: str, response: requests.Response, *, repeatable: bool) -> OutsideError:
        """What an error means. Without a refusal in JSON it is some other machine's and says nothing about the call."""
        status, refused = response.status_code, _parsed(response.content, _Refused)
        if status == TOO_MANY:
            return Unavailable(SYSTEM, operation, "rate_limit", "The eSIM provider wants us to wait.")
        if refused is None:
            if repeatable and status < requests.codes.server_error:
                return Misconfigured(SYSTEM, operation, "redirect", SENTENCES["redirect"])
            return self._caller.no_answer(operation, f"http_{status}", repeatable=repeatable)
        return self._refused(operation, status, refused.error, repeatable=repeatable)

    def _refused(self, operation: str, status: int, refused: Refusal, *, repeatable: bool) -> OutsideError:
        if status in NOT_OURS:
            code = NOT_OURS[status]
            return Misconfigured(SYSTEM, operation, code, SENTENCES[code])
        if refused.code == CLOSED:
            return Unavailable(SYSTEM, operation, "maintenance", harmless(refused.message))
        if status >= requests.codes.server_error:
            return self._caller.no_answer(operation, f"http_{status}", repeatable=repeatable)
        return Rejected(SYSTEM, operation, harmless(refused.code)[:40], harmless(refused.message))


def _parsed(body: bytes, shape: type[T]) -> T | None:
    """The body as `shape`; None where it is not one, whatever its content type says."""
    try:
        return TypeAdapter(shape).validate_json(body)
    except (ValidationError, RecursionError):
        return None
