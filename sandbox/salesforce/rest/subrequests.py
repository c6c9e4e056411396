"""Calls inside of a call, in order, which may speak of each other's answers (salesforce-wire.md, section 3.6)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.salesforce.errors import ApiError, not_found, unreadable
from sandbox.salesforce.rest.calls import Address, Answer, Call, Dispatch, Part, parse_address, refusal
from sandbox.salesforce.rest.envelopes import properties, text, texts
from sandbox.salesforce.rest.references import Answered, in_body, in_url
from sandbox.salesforce.rest.undoing import all_or_nothing
from sandbox.store import Store

_PROPERTIES = ("method", "url", "referenceId", "httpHeaders", "body")
_METHODS = ("POST", "PUT", "PATCH", "GET", "DELETE")
_REFERENCE_ID = re.compile(r"[A-Za-z0-9]\w*", re.ASCII)
# Since this version a reference id with other characters makes the whole call fail; before, only what refers to it.
STRICT_REFERENCE_IDS = 52.0
_INHERITED_ONLY = frozenset({"accept", "authorization", "content-type"})
_ROLLED_BACK = ApiError(
    "PROCESSING_HALTED",
    "The transaction was rolled back since another operation in the same transaction failed.",
)


@dataclass(frozen=True)
class SubRequest:
    """One call inside of another; header names in lower case."""

    method: str
    url: str
    reference_id: str
    headers: Mapping[str, str]
    body: Any


# Says why a sub-request may not be in a call of this kind, by raising ApiError.
Permit = Callable[[SubRequest, Address], None]


def read(rows: list[Any], version: float) -> list[SubRequest]:
    """The sub-requests of an envelope sent to this API version. Raises ApiError when one of them is malformed."""
    subs = [_read_one(row, version) for row in rows]
    seen: set[str] = set()
    for sub in subs:
        if sub.reference_id in seen:
            raise ApiError("INVALID_INPUT", f"Duplicate ReferenceId provided in the request: {sub.reference_id}")
        seen.add(sub.reference_id)
    return subs


def _read_one(row: Any, version: float) -> SubRequest:
    row = properties(row, _PROPERTIES)
    method, reference_id = text(row, "method"), text(row, "referenceId")
    if method not in _METHODS:
        raise unreadable("HttpMethod", method)
    if version >= STRICT_REFERENCE_IDS and not _REFERENCE_ID.fullmatch(reference_id):
        message = (
            f"Provided referenceId ('{reference_id}') must start with a letter or a number, and it can contain only "
            "letters, numbers and underscores ('_')."
        )
        raise ApiError("JSON_PARSER_ERROR", message)
    headers = {name.lower(): value for name, value in texts(row, "httpHeaders").items()}
    if refused := sorted(_INHERITED_ONLY & headers.keys()):
        raise ApiError("INVALID_INPUT", f"A subrequest can't have the header {refused[0]}")
    return SubRequest(method, text(row, "url"), reference_id, headers, row.get("body"))


@dataclass
class Run:
    """Sub-requests of one call on their way: `parts` is what was done, `answered` what references look into."""

    call: Call
    dispatch: Dispatch
    permit: Permit
    parts: list[Part] = field(default_factory=list)
    answered: dict[str, Answered] = field(default_factory=dict)

    def each(self, subs: list[SubRequest]) -> list[Part]:
        """Carry out all of them, each for itself: only what refers to a failed one fails with it."""
        return [self._take(sub) for sub in subs]

    def all_or_none(self, store: Store, subs: list[SubRequest]) -> list[Part]:
        """Carry them out up to the first that fails, and take everything back then."""
        _, kept = all_or_nothing(store, lambda: self._until_failure(subs), lambda failed: failed)
        if kept:
            return self.parts
        *before, culprit = self.parts
        undone = [replace(part, answer=refusal(_ROLLED_BACK)) for part in before]
        halted = [Part(sub.reference_id, "halted", refusal(_ROLLED_BACK)) for sub in subs[len(self.parts) :]]
        return [*undone, culprit, *halted]

    def _until_failure(self, subs: list[SubRequest]) -> bool:
        return any(self._take(sub).answer.failed for sub in subs)

    def _take(self, sub: SubRequest) -> Part:
        try:
            call = self._resolve(sub)
        except ApiError as error:
            self.parts.append(Part(sub.reference_id, "unresolved", refusal(error)))
            return self.parts[-1]
        operation, answer = self.dispatch(call)
        if answer.content is not None:  # bytes cannot stand in JSON
            answer = refusal(not_found())
        if answer.status < 400:
            self.answered[sub.reference_id] = Answered(answer.body, nulls_are_values=self._nulls_are_values(call))
        self.parts.append(Part(sub.reference_id, operation, answer))
        return self.parts[-1]

    def _nulls_are_values(self, call: Call) -> bool:
        reads_row = call.method == "GET" and call.segments[0].lower() == "sobjects"
        return reads_row and self.call.version >= STRICT_REFERENCE_IDS

    def _resolve(self, sub: SubRequest) -> Call:
        address = parse_address(in_url(sub.url, self.answered))
        if address is None:
            raise not_found()
        self.permit(sub, address)
        return self.call.within(sub.method, address, sub.headers, in_body(sub.body, self.answered), sub.reference_id)


def shown(part: Part) -> dict[str, Any]:
    """A sub-request's part of the answer."""
    answer: Answer = part.answer
    return {
        "body": answer.body,
        "httpHeaders": dict(answer.headers),
        "httpStatusCode": answer.status,
        "referenceId": part.label,
    }
