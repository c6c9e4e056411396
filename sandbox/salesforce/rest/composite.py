"""Composite: up to 25 calls in one, in order, which may use each other's answers (salesforce-wire.md, section 3.6).

The flag `collateSubrequests` is taken and makes no difference: it promises no order, and this one is as good as any.
"""

from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import subrequests
from sandbox.salesforce.rest.calls import Address, Answer, Call, Dispatch, parse_address
from sandbox.salesforce.rest.envelopes import flag, listed, properties

LIMIT = 25
QUERY_LIMIT = 5
_PROPERTIES = ("allOrNone", "collateSubrequests", "compositeRequest")
_RESOURCES = ("tree", "batch", "sobjects", "graph")


def resources(_: Org, call: Call) -> Answer:
    """GET composite"""
    return Answer(200, {name: f"{call.base}/composite/{name}" for name in _RESOURCES})


def run(org: Org, dispatch: Dispatch, call: Call) -> Answer:
    """POST composite. Raises ApiError for a bad envelope; everything else is answered with 200."""
    body = properties(call.body, _PROPERTIES)
    all_or_none = flag(body, "allOrNone")
    flag(body, "collateSubrequests")
    subs = _sub_requests(body, call.version)
    running = subrequests.Run(call, dispatch, _permit)
    parts = running.all_or_none(org.store, subs) if all_or_none else running.each(subs)
    return Answer(
        200,
        {"compositeResponse": [subrequests.shown(part) for part in parts]},
        key=",".join(sub.reference_id for sub in subs),
        detail={"subrequests": len(subs), "failed": sum(part.answer.failed for part in parts)},
        parts=parts,
    )


def _sub_requests(body: dict[str, object], version: float) -> list[subrequests.SubRequest]:
    rows = listed(body, "compositeRequest")
    if not rows:
        raise ApiError("JSON_PARSER_ERROR", "The request body has no compositeRequest list")
    if len(rows) > LIMIT:
        raise ApiError("LIMIT_EXCEEDED", f"The request can’t contain more than {LIMIT} operations.")
    subs = subrequests.read(rows, version)
    if sum(_counts_as_query(sub.url) for sub in subs) > QUERY_LIMIT:
        message = f"The request can’t contain more than {QUERY_LIMIT} query and sObject Collections operations."
        raise ApiError("LIMIT_EXCEEDED", message)
    return subs


def _counts_as_query(url: str) -> bool:
    address = parse_address(url)
    return address is not None and _resource(address) in ("query", "queryall", "composite/sobjects")


def _permit(_: subrequests.SubRequest, address: Address) -> None:
    if _resource(address) not in ("sobjects", "query", "queryall", "composite/sobjects"):
        raise not_found()


def _resource(address: Address) -> str:
    first, second = [segment.lower() for segment in (*address.segments, "", "")[:2]]
    return f"{first}/{second}" if first == "composite" else first
