"""Calls to Salesforce's REST API: simple-salesforce in direct mode over our own session and token.

Direct mode never signs in by itself, so its loop on a dead session cannot happen (salesforce-wire.md §4).
"""

import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from integrations.errors import Misconfigured, Unavailable
from integrations.http import Caller
from integrations.salesforce.api_errors import SESSION_ENDED, SessionEnded, first_error, meaning
from integrations.salesforce.auth import Token, TokenSource
from integrations.salesforce.composite import Composite, Part, PartRefused
from integrations.salesforce.reading import Row

T = TypeVar("T")

LOCK_TRIES = 4
LOCK_WAIT_S = 0.3
NEXT_PAGE = re.compile(r"/services/data/v\d+\.\d/(query/[A-Za-z0-9_-]+)")
NO_API = {301, 302, 303, 307, 308, 404, 405}


class Connection:
    """What the parts of SalesforceClient share. Safe to share between threads."""

    def __init__(
        self,
        *,
        tokens: TokenSource,
        caller: Caller,
        api_version: str = "66.0",
        pricebook_name: str = "Portal",
        commodity_field: str = "CommodityType__c",
        deadline_s: float = 15,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tokens, self._caller = tokens, caller
        self._version, self._deadline_s, self._pause = api_version, deadline_s, pause
        self._pricebook_name, self._commodity_field = pricebook_name, commodity_field

    def check(self) -> None:
        """One light call with authentication: raises what is wrong with the settings, in one sentence."""
        self._get("check", "limits/")

    # --- reads

    def _query(self, operation: str, soql: str, of: str) -> list[Row]:
        """All rows of a query, page by page until it is done. `soql` comes from format_soql."""
        return [Row(operation, of, record) for page in self._pages(operation, soql) for record in page]

    def _pages(self, operation: str, soql: str) -> Iterator[list[dict[str, Any]]]:
        page = self._get(operation, "query/", {"q": soql})
        while True:
            records = page.get("records") if isinstance(page, dict) else None
            if not isinstance(records, list):
                raise Unavailable("salesforce", operation, "bad_body", "the answer to a query holds no records")
            yield records
            if page.get("done", True):
                return
            page = self._get(operation, self._next(operation, str(page.get("nextRecordsUrl"))))

    def _next(self, operation: str, url: str) -> str:
        match = NEXT_PAGE.fullmatch(url)
        if match is None:
            raise Unavailable("salesforce", operation, "bad_body", "the next page has no address")
        return match[1]

    def _get(self, operation: str, path: str, params: dict[str, str] | None = None) -> Any:
        return self._call(operation, lambda api: api.restful(path, params=params), repeatable=True)

    # --- writes

    def _create(self, operation: str, sobject: str, fields: dict[str, Any], *, deadline_s: float = 0) -> str:
        """POSTs one record and gives its id; `deadline_s` where it may take longer than other calls.

        UnknownOutcome when the answer is lost.
        """

        def send(api: Salesforce) -> str:
            answer = api.restful(f"sobjects/{sobject}", method="POST", json=fields)
            if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
                raise self._caller.no_answer(operation, "bad_body", "the record made has no id", repeatable=False)
            return str(answer["id"])

        until = time.monotonic() + (deadline_s or self._deadline_s)
        return self._call(operation, send, repeatable=False, until=until)

    def _composite(self, operation: str, parts: Sequence[Part], *, repeatable: bool = False) -> dict[str, Any]:
        """All parts in one call, all or none; gives each part's body by its name.

        Raises what `Composite.bodies` does. A locked row means that nothing was done: the call is repeated a few times
        while its deadline lasts.
        """
        composite = Composite(operation, self._version, parts)
        until = self._until()

        def send(api: Salesforce) -> dict[str, Any]:
            answer = api.restful("composite", method="POST", json=composite.request())
            responses = composite.responses(answer)
            if responses is None:
                raise self._caller.no_answer(operation, "bad_body", "not a Composite's answer", repeatable=repeatable)
            return composite.bodies(responses)

        for tried in range(1, LOCK_TRIES):
            try:
                return self._call(operation, send, repeatable=repeatable, until=until)
            except PartRefused as refused:
                if refused.error.code != "row_locked" or time.monotonic() + LOCK_WAIT_S * tried > until:
                    raise
            self._pause(random.uniform(0, LOCK_WAIT_S) * tried)  # noqa: S311 (spreads clients out; no secret)
        return self._call(operation, send, repeatable=repeatable, until=until)

    # --- how

    def _until(self) -> float:
        return time.monotonic() + self._deadline_s

    def _call(
        self, operation: str, send: Callable[[Salesforce], T], *, repeatable: bool, until: float | None = None
    ) -> T:
        """One call; a dead session is renewed once and the call repeated once, for nothing was done."""
        self._caller.guard()  # before the token is looked for, which may be a call of its own
        until = until or self._until()
        token = self._tokens.token()
        try:
            return self._once(operation, token, send, repeatable=repeatable, until=until)
        except SessionEnded:
            token = self._tokens.refresh(token.access_token)
        try:
            return self._once(operation, token, send, repeatable=repeatable, until=until)
        except SessionEnded:
            sentence = "Salesforce refuses a session it has just given: check the user's IP and session policies."
            raise Misconfigured("salesforce", operation, "session", sentence) from None

    def _once(
        self, operation: str, token: Token, send: Callable[[Salesforce], T], *, repeatable: bool, until: float
    ) -> T:
        def attempt() -> T:
            api = Salesforce(
                session_id=token.access_token,
                instance_url=token.instance_url,
                session=self._caller.session(),
                version=self._version,
                parse_float=Decimal,
                object_pairs_hook=dict,
            )
            try:
                return send(api)
            except SalesforceError as refused:
                error = self._refusal(operation, refused, repeatable=repeatable)
            raise error  # outside of the except block: the refusal's text holds the query

        return self._caller.call(operation, attempt, deadline_s=until - time.monotonic(), repeatable=repeatable)

    def _refusal(self, operation: str, refused: SalesforceError, *, repeatable: bool) -> Exception:
        status, error = int(refused.status), first_error(refused.content)
        if status == 401 and error and error.get("errorCode") == SESSION_ENDED:
            return SessionEnded()
        if error and status < 500:
            return meaning(operation, error)
        if status in NO_API and repeatable:
            sentence = "The org does not answer like Salesforce's API: check SF_LOGIN_URL and SF_API_VERSION."
            return Misconfigured("salesforce", operation, "redirect", sentence)
        return self._caller.no_answer(operation, f"http_{status}", repeatable=repeatable)
