"""What goes wrong inside of Salesforce because a rule says so (`sandbox.faults`)."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.routing import Match, Route

from sandbox.faults.book import Faults
from sandbox.faults.exchange import Recorded
from sandbox.faults.kinds import salesforce as kinds
from sandbox.faults.kinds.base import Fault
from sandbox.faults.rules import Offer
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import bodies
from sandbox.salesforce.rest.calls import Answer, Call, parse_address, refusal

# Faults that replace an answer before the org hears of the request.
AT_THE_DOOR = (kinds.SessionExpired, kinds.TokenError, kinds.RequestLimitExceeded, kinds.ServerUnavailable)
_LIMITS = {
    "daily": "TotalRequests Limit exceeded.",
    "concurrent": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
}
# Gives a method and a URL below /services/data the operation's name in the ledger.
NameOf = Callable[[str, str], str]


class Names:
    """What a request is called in the ledger, and what it is about, before anything is done."""

    def __init__(self, name_of: NameOf) -> None:
        self._name_of = name_of

    async def __call__(self, request: Request) -> Offer:
        """The request as rules see it."""
        url = request.scope["raw_path"].decode("latin-1") + "?" + request.scope["query_string"].decode("latin-1")
        text = f"{unquote_plus(url)}\n{(await request.body()).decode('utf-8', 'replace')}"
        body = await _json(request)
        return Offer(
            "salesforce",
            self._name_of(request.method, url) if parse_address(url) else _route_name(request),
            _ids(url, body),
            request.headers.get("x-correlation-id", ""),
            text,
            tuple(self._parts(body)),
        )

    def _parts(self, body: Any) -> Iterator[str]:
        """Operation and reference id of every call inside of the body, wherever it stands."""
        if isinstance(body, dict) and isinstance(body.get("url"), str) and isinstance(body.get("method"), str):
            yield f"{self._name_of(body['method'], body['url'])} {body.get('referenceId', '')}".rstrip()
        elif isinstance(body, dict | list):
            for each in body.values() if isinstance(body, dict) else body:
                yield from self._parts(each)


async def _json(request: Request) -> Any:
    """The body where it is JSON; None for every other."""
    try:
        return await bodies.read(request)
    except ApiError:
        return None


def _route_name(request: Request) -> str:
    routes = (each for each in request.app.routes if isinstance(each, Route))
    return next((each.name for each in routes if each.matches(request.scope)[0] is not Match.NONE), "unknown")


def _ids(url: str, body: Any) -> frozenset[str]:
    """The parts of the path, and whatever the body says of ids and addresses, however deep."""
    address = parse_address(url)
    return frozenset([*(address.segments if address else ()), *_ids_within(body)])


def _ids_within(body: Any) -> Iterator[str]:
    for name, value in body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ():
        if not isinstance(value, str):
            yield from _ids_within(value)
        elif name == "url":
            yield from _ids(value, None)
        elif str(name).lower().endswith(("id", "__c")):
            yield value


def at_the_door(org: Org) -> Callable[[Request, Fault], Recorded | None]:
    """The answer to a fault `AT_THE_DOOR`; None where the org answers, by whose means it went wrong."""

    def answer(request: Request, fault: Fault) -> Recorded | None:
        match fault:
            case kinds.TokenError():
                return _written(400, {"error": fault.error, "error_description": fault.error_description})
            case kinds.RequestLimitExceeded():
                return _refused(ApiError("REQUEST_LIMIT_EXCEEDED", _LIMITS[fault.limit]))
            case kinds.ServerUnavailable():
                return _refused(ApiError("SERVER_UNAVAILABLE", "Server is unavailable", status=503))
            case kinds.SessionExpired(scope="call"):
                return _refused(ApiError("INVALID_SESSION_ID", "Session expired or invalid"))
            case kinds.SessionExpired(scope="token"):
                org.sessions.end(request.headers.get("authorization", "").rpartition(" ")[2])
            case kinds.SessionExpired():
                org.sessions.end_all()
        return None

    return answer


def _refused(error: ApiError) -> Recorded:
    return _written(error.status, error.body())


def _written(status: int, body: Any) -> Recorded:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Recorded(status).with_headers(content_type="application/json;charset=UTF-8").with_body(content)


class Mishaps:
    """Faults of calls, those inside of others included, and of single records."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._call: Call | None = None

    def carry_out(self, call: Call, operation: str, act: Callable[[], Answer]) -> Answer:
        """What `act` answers, or the error that a rule puts before or behind it. Raises ApiError."""
        if not self._faults.concern("salesforce"):
            return act()
        self._call, outer = call, self._call
        try:
            return self._struck(call, operation, act)
        finally:
            self._call = outer

    def before_write(self, verb: str, type_name: str, record_id: str) -> None:
        """Raises ApiError when somebody else holds the record; changes that no API call makes go through."""
        call = self._call
        if call is None or not self._faults.concern("salesforce"):
            return
        offer = Offer("salesforce", f"record.{verb} {type_name}", frozenset([record_id]), call.correlation_id)
        if self._faults.take(offer, kinds.RowLock):
            whose = f"1 records: {record_id}" if record_id else "1 records"
            message = f"unable to obtain exclusive access to this record or {whose}"
            raise ApiError("UNABLE_TO_LOCK_ROW", message, [])

    def _struck(self, call: Call, operation: str, act: Callable[[], Answer]) -> Answer:
        fault = self._fault(call, operation)
        match fault:
            case kinds.SubRequestFails():
                raise ApiError(fault.code, fault.message, [])
            case kinds.SalesforceError(at="before"):
                raise ApiError(fault.code, fault.message)
            case kinds.SalesforceError():
                return _after(act(), ApiError(fault.code, fault.message))
            case kinds.DuplicateValue():
                done = act()
                message = f"duplicate value found: {fault.field} duplicates value on record with id: {done.key}"
                return _after(done, ApiError("DUPLICATE_VALUE", message, []))
            case _:
                return act()

    def _fault(self, call: Call, operation: str) -> Fault | None:
        ids = frozenset([*call.segments, *([call.body["Id"]] if _has_id(call.body) else [])])
        part = f"{operation} {call.label}".rstrip()
        if call.inside:
            offer = Offer("salesforce", call.inside, ids, call.correlation_id, parts=(part,))
            struck = self._faults.take(offer, kinds.SubRequestFails)
            if struck:
                return struck.fault
        offer = Offer("salesforce", operation, ids, call.correlation_id, str(call.body), (part,))
        own = self._faults.take(offer, kinds.SalesforceError, kinds.DuplicateValue)
        return own.fault if own else None


def _has_id(body: Any) -> bool:
    return isinstance(body, dict) and isinstance(body.get("Id"), str)


def _after(done: Answer, error: ApiError) -> Answer:
    """An error for what was done; the ledger says so."""
    lost = refusal(error)
    return Answer(lost.status, lost.body, key=done.key, detail={**done.detail, "done": done.status}, parts=done.parts)
