"""Rows of one call: what was sent, and how they are saved, each for itself or all or none (section 3.6)."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from sandbox.salesforce.errors import ApiError, unreadable
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.rest.envelopes import flag, listed, properties
from sandbox.salesforce.rest.undoing import all_or_nothing, attempt
from sandbox.salesforce.schema import SObject
from sandbox.store import fold

LIMIT = 200
CHUNK_LIMIT = 10
_ROLLED_BACK = ApiError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)

Row = dict[str, Any]
Result = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """The rows of a call, and whether they share their fate."""

    rows: list[Row]
    all_or_none: bool


def sent(call: Call) -> Sent:
    """The rows in the body. Raises ApiError when there are none, too many, or something that is no row."""
    body = properties(call.body, ("allOrNone", "records"))
    rows = listed(body, "records")
    for row in rows:
        if not isinstance(row, dict):
            raise unreadable("SObject", row)
    return Sent(limited(rows, LIMIT), flag(body, "allOrNone"))


def limited(rows: list[Any], most: int) -> list[Any]:
    """The rows, of which there must be some and not too many. Raises ApiError."""
    if not rows:
        raise ApiError("REQUIRED_FIELD_MISSING", "At least 1 record is required")
    if len(rows) > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise ApiError("EXCEEDED_ID_LIMIT", message)
    return rows


def in_chunks(rows: Sent) -> Sent:
    """The same rows: neighbours of one type are a chunk, and there can only be so many. Raises ApiError."""
    if sum(1 for _ in groupby(rows.rows, _type_name)) > CHUNK_LIMIT:
        message = (
            f"Cannot have more than {CHUNK_LIMIT} chunks in a single operation. Please rearrange the data to reduce "
            "chunking."
        )
        raise ApiError("LIMIT_EXCEEDED", message)
    return rows


def type_of(org: Org, row: Row) -> SObject:
    """The type a row names in its attributes. Raises ApiError INVALID_TYPE."""
    sobject = org.schema.get(_type_name(row))
    if sobject is None:
        raise ApiError("INVALID_TYPE", f"sObject type '{_type_name(row)}' is not supported.")
    return sobject


def fields_of(row: Row, *, without: str = "") -> Row:
    """What a row says of its record, but for one field, in whatever case."""
    return {name: value for name, value in row.items() if name.casefold() not in ("attributes", without.casefold())}


def given(row: Row, name: str) -> Any:
    """The value of the field of this name, in whatever case; None when the row says nothing of it."""
    return next((value for each, value in row.items() if each.casefold() == name.casefold()), None)


def repeated(keys: Iterable[Any]) -> set[Any]:
    """Folded keys (see `fold`) that more than one row has: none of these rows is saved."""
    times = Counter(fold(key) for key in keys if isinstance(key, str | int | float))
    return {key for key in times if times[key] > 1}


def saved(record_id: str, **more: Any) -> Result:
    """The result of a row that was written."""
    return {"id": record_id, "success": True, "errors": [], **more}


def save(org: Org, rows: Sent, one: Callable[[Row], Result]) -> Answer:
    """Save every row, each for itself; with allOrNone the good ones share the fate of a bad one."""

    def each() -> list[Result | ApiError]:
        return [attempt(org.store, partial(one, row)) for row in rows.rows]

    def failed(results: list[Result | ApiError]) -> bool:
        return rows.all_or_none and any(isinstance(result, ApiError) for result in results)

    results, kept = all_or_nothing(org.store, each, failed)
    shown = [_shown(each if kept or isinstance(each, ApiError) else _ROLLED_BACK) for each in results]
    refused = sum(isinstance(each, ApiError) for each in results)
    detail = {"records": len(results), "failed": refused, "undone": not kept}
    key = ",".join(each.get("id", "") for each in shown)
    return Answer(200, shown, rows_failed=refused > 0, key=key, detail=detail)


def _shown(result: Result | ApiError) -> Result:
    if not isinstance(result, ApiError):
        return result
    if result.code == "NOT_FOUND":  # which is about addresses; of an id in a row the service speaks like this
        result = ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    return {"success": False, "errors": [result.in_collection()]}


def _type_name(row: Row) -> str:
    attributes = row.get("attributes")
    return str(attributes.get("type")) if isinstance(attributes, dict) else ""
