"""Composite: up to 25 calls in one, in order, which may use each other's answers (salesforce-wire.md, section 3.6)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import Answer, Call, parse_address
from sandbox.salesforce.rest.references import in_body, in_url

LIMIT = 25
QUERY_LIMIT = 5
_REFERENCE_ID = re.compile(r"[A-Za-z0-9]\w*", re.ASCII)
_COUNTED = re.compile(r"/services/data/v\d+\.0/(query|composite/sobjects)", re.IGNORECASE)
_ROLLED_BACK = ApiError(
    "PROCESSING_HALTED",
    "The transaction was rolled back since another operation in the same transaction failed.",
)

Dispatch = Callable[[Call], tuple[str, Answer]]


@dataclass(frozen=True)
class SubRequest:
    """One call inside of a Composite."""

    method: str
    url: str
    reference_id: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Outcome:
    """What one sub-request came to; `operation` is its name in the ledger."""

    reference_id: str
    operation: str
    answer: Answer

    @property
    def failed(self) -> bool:
        """Whether it stops an all-or-none Composite."""
        return self.answer.status >= 400 or bool(self.answer.detail.get("undone"))

    def shown(self) -> dict[str, Any]:
        """Its part of the answer."""
        return {
            "body": self.answer.body,
            "httpHeaders": dict(self.answer.headers),
            "httpStatusCode": self.answer.status,
            "referenceId": self.reference_id,
        }


@dataclass
class Run:
    """Sub-requests of one Composite on their way; `bodies` is what references look into."""

    call: Call
    dispatch: Dispatch
    outcomes: list[Outcome] = field(default_factory=list)
    bodies: dict[str, Any] = field(default_factory=dict)

    def take(self, sub: SubRequest) -> Outcome:
        """Carry out one sub-request and remember what it answered."""
        outcome = self._attempt(sub)
        self.outcomes.append(outcome)
        if not outcome.failed:
            self.bodies[sub.reference_id] = outcome.answer.body
        return outcome

    def _attempt(self, sub: SubRequest) -> Outcome:
        operation = "unresolved"
        try:
            call = self._resolve(sub)
            operation, answer = self.dispatch(call)
        except ApiError as error:
            answer = Answer(error.status, error.body())
        return Outcome(sub.reference_id, operation, answer)

    def _resolve(self, sub: SubRequest) -> Call:
        address = parse_address(in_url(sub.url, self.bodies))
        if address is None:
            raise ApiError("NOT_FOUND", "The requested resource does not exist")
        return replace(
            self.call,
            method=sub.method,
            version=address.version,
            segments=address.segments,
            params=address.params,
            headers={**self.call.headers, **sub.headers},
            body=in_body(sub.body, self.bodies),
        )


class _Undo(Exception):
    """Leaves the transaction of an all-or-none Composite in which a sub-request failed."""


def run(org: Org, call: Call, dispatch: Dispatch) -> tuple[Answer, list[Outcome]]:
    """POST composite. Raises ApiError for a bad envelope; everything else is answered with 200."""
    body = call.fields()
    subs = _sub_requests(body)
    running = Run(call, dispatch)
    all_or_none = body.get("allOrNone") is True
    outcomes = _all_or_none(org, running, subs) if all_or_none else _each(org, running, subs)
    answer = Answer(
        200,
        {"compositeResponse": [each.shown() for each in outcomes]},
        key=",".join(sub.reference_id for sub in subs),
        detail={"subrequests": len(subs), "failed": sum(each.failed for each in outcomes)},
    )
    return answer, outcomes


def _each(org: Org, running: Run, subs: list[SubRequest]) -> list[Outcome]:
    """Every sub-request is a transaction of its own, so what it publishes is out before the next one."""
    for sub in subs:
        with org.store.transaction():
            running.take(sub)
    return running.outcomes


def _all_or_none(org: Org, running: Run, subs: list[SubRequest]) -> list[Outcome]:
    try:
        with org.store.transaction():
            for sub in subs:
                if running.take(sub).failed:
                    raise _Undo
    except _Undo:
        done = len(running.outcomes)
        culprit = running.outcomes[-1]
        undone = [replace(each, answer=_rolled_back()) for each in running.outcomes[:-1]]
        halted = [Outcome(sub.reference_id, "halted", _rolled_back()) for sub in subs[done:]]
        return [*undone, culprit, *halted]
    return running.outcomes


def _rolled_back() -> Answer:
    return Answer(_ROLLED_BACK.status, _ROLLED_BACK.body())


def _sub_requests(body: dict[str, Any]) -> list[SubRequest]:
    rows = body.get("compositeRequest")
    if not isinstance(rows, list) or not rows:
        raise ApiError("JSON_PARSER_ERROR", "The request body has no compositeRequest list")
    if len(rows) > LIMIT:
        raise ApiError("LIMIT_EXCEEDED", f"The request can’t contain more than {LIMIT} operations.")
    subs = [_sub_request(row) for row in rows]
    if sum(_COUNTED.match(sub.url) is not None for sub in subs) > QUERY_LIMIT:
        message = f"The request can’t contain more than {QUERY_LIMIT} query and sObject Collections operations."
        raise ApiError("LIMIT_EXCEEDED", message)
    _refuse_twins(subs)
    return subs


def _sub_request(row: Any) -> SubRequest:
    try:
        sub = SubRequest(
            method=str(row["method"]).upper(),
            url=str(row["url"]),
            reference_id=str(row["referenceId"]),
            headers={str(name).lower(): str(text) for name, text in (row.get("httpHeaders") or {}).items()},
            body=row.get("body"),
        )
    except (AttributeError, KeyError, TypeError) as error:
        message = "Each subrequest needs method, url and referenceId"
        raise ApiError("JSON_PARSER_ERROR", message) from error
    if not _REFERENCE_ID.fullmatch(sub.reference_id):
        message = (
            f"Provided referenceId ('{sub.reference_id}') must start with a letter or a number, and it can contain "
            "only letters, numbers and underscores ('_')."
        )
        raise ApiError("INVALID_INPUT", message)
    return sub


def _refuse_twins(subs: list[SubRequest]) -> None:
    seen: set[str] = set()
    for sub in subs:
        if sub.reference_id in seen:
            raise ApiError("INVALID_INPUT", f"Duplicate ReferenceId provided in the request: {sub.reference_id}")
        seen.add(sub.reference_id)
