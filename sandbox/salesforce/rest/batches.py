"""Batch: up to 25 calls in one that know nothing of each other; each counts (salesforce-wire.md, section 3.6)."""

from collections.abc import Iterator
from typing import Any

from sandbox.salesforce.errors import ApiError, not_found, unreadable
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import PREFIX, Answer, Call, Dispatch, Part, parse_address, refusal
from sandbox.salesforce.rest.envelopes import flag, listed, properties, text

LIMIT = 25
FIRST_VERSION = 34.0
_PROPERTIES = ("batchRequests", "haltOnError")
_ONE = ("method", "url", "richInput", "binaryPartName", "binaryPartNameAlias")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_RESOURCES = ("limits", "sobjects", "query", "queryall", "search")
_HALTED = ApiError("BATCH_PROCESSING_HALTED", "Batch processing halted per request")


def run(_: Org, dispatch: Dispatch, call: Call) -> Answer:
    """POST composite/batch. Raises ApiError for a bad envelope; everything else is answered with 200."""
    body = properties(call.body, _PROPERTIES)
    halt_on_error = flag(body, "haltOnError")
    calls = _calls(body, call)
    parts = list(_run_each(dispatch, calls, halt_on_error))
    failed = sum(part.answer.status >= 400 for part in parts)
    return Answer(
        200,
        {"hasErrors": failed > 0, "results": [_shown(part.answer) for part in parts]},
        cost=len(parts),
        detail={"subrequests": len(parts), "failed": failed},
        parts=parts,
    )


def _run_each(dispatch: Dispatch, calls: list[Call], halt_on_error: bool) -> Iterator[Part]:
    halted = False
    for number, call in enumerate(calls, 1):
        operation, answer = ("halted", Answer(412, _HALTED.body())) if halted else _attempt(dispatch, call)
        halted = halted or (halt_on_error and answer.status >= 400)
        yield Part(str(number), operation, answer)


def _attempt(dispatch: Dispatch, call: Call) -> tuple[str, Answer]:
    if call.segments[0].lower() not in _RESOURCES:
        return "unresolved", refusal(not_found())
    operation, answer = dispatch(call)
    # Bytes cannot stand in JSON.
    return operation, answer if answer.content is None else refusal(not_found())


def _calls(body: dict[str, Any], call: Call) -> list[Call]:
    rows = listed(body, "batchRequests")
    if not rows:
        raise ApiError("JSON_PARSER_ERROR", "The request body has no batchRequests list")
    if len(rows) > LIMIT:
        raise ApiError("LIMIT_EXCEEDED", f"The request can’t contain more than {LIMIT} operations.")
    return [_call(properties(row, _ONE), call) for row in rows]


def _call(row: dict[str, Any], outer: Call) -> Call:
    if row.get("binaryPartName") is not None or row.get("binaryPartNameAlias") is not None:
        raise ApiError("INVALID_MULTIPART_REQUEST", "The request has no binary part")
    method, url = text(row, "method").upper(), text(row, "url")
    if method not in _METHODS:
        raise unreadable("HttpMethod", row["method"])
    address = parse_address(url if url.startswith(PREFIX) else PREFIX + url.removeprefix("/"))
    if address is None or not address.segments or not FIRST_VERSION <= address.version <= outer.version:
        raise ApiError("INVALID_INPUT", f"Invalid url in a batch of API version {outer.version:.1f}: {url}")
    return outer.within(method, address, {}, row.get("richInput"))


def _shown(answer: Answer) -> dict[str, Any]:
    return {"statusCode": answer.status, "result": answer.body}
