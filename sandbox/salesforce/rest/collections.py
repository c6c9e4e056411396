"""Many records in one call (salesforce-wire.md, section 3.6): results in request order, errors with `statusCode`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.rest.sobjects import by_external_id
from sandbox.salesforce.schema import SObject
from sandbox.store import Record

LIMIT = 200
_ROLLED_BACK = ApiError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)

Result = dict[str, Any]
Write = Callable[[dict[str, Any]], Result]


@dataclass(frozen=True)
class _Batch:
    rows: list[dict[str, Any]]
    all_or_none: bool


class _Undo(Exception):
    """Leaves the transaction of an all-or-none call in which a row failed."""


def create(org: Org, call: Call) -> Answer:
    """POST composite/sobjects"""

    def one(row: dict[str, Any]) -> Result:
        sobject = _type_of(org, row)
        return {"id": org.create(sobject.name, _fields(row), call.user_id), "success": True, "errors": []}

    return _answer(org, _batch(call), one)


def update(org: Org, call: Call) -> Answer:
    """PATCH composite/sobjects"""

    def one(row: dict[str, Any]) -> Result:
        sobject = _type_of(org, row)
        fields = _fields(row)
        name = next((name for name in fields if name.casefold() == "id"), None)
        if name is None:
            raise ApiError("MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
        record_id = _id(sobject, fields.pop(name))
        org.update(sobject.name, record_id, fields, call.user_id)
        return {"id": record_id, "success": True, "errors": []}

    return _answer(org, _batch(call), one)


def upsert(org: Org, call: Call, type_name: str, field_name: str) -> Answer:
    """PATCH composite/sobjects/{type}/{external id field}"""
    sobject = org.schema.get(type_name)
    if sobject is None:
        raise not_found()

    def one(row: dict[str, Any]) -> Result:
        fields = _fields(row)
        key = next((fields.pop(name) for name in list(fields) if name.casefold() == field_name.casefold()), None)
        if key is None:
            raise ApiError("MISSING_ARGUMENT", f"{field_name} not specified", [field_name])
        found = by_external_id(org, sobject, field_name, str(key))
        return _upsert_one(org, call, sobject, found, fields, {field_name: key})

    return _answer(org, _batch(call), one)


def delete(org: Org, call: Call) -> Answer:
    """DELETE composite/sobjects?ids=&allOrNone="""
    wanted = [each for each in call.params.get("ids", "").split(",") if each]
    all_or_none = call.params.get("allOrNone", "").lower() == "true"

    def one(row: dict[str, Any]) -> Result:
        sobject = org.schema.of_id(row["Id"])
        if sobject is None:
            raise ApiError("MALFORMED_ID", f"malformed id {row['Id']}")
        record_id = _id(sobject, row["Id"])
        org.delete(sobject.name, record_id, call.user_id)
        return {"id": record_id, "success": True, "errors": []}

    return _answer(org, _Batch(_limited([{"Id": each} for each in wanted]), all_or_none), one)


def read(org: Org, call: Call, type_name: str) -> Answer:
    """GET composite/sobjects/{type}?ids=&fields=, or POST with both in the body; null for what is not there"""
    sobject = org.schema.get(type_name)
    if sobject is None:
        raise not_found()
    wanted, names = _read_arguments(call)
    fields = [sobject.field(name) for name in names]
    for name, field in zip(names, fields, strict=True):
        if field is None:
            raise ApiError("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
    records = [org.get(sobject.name, ids.normalise(each) or "") for each in wanted]
    known = [field.name for field in fields if field]
    return Answer(200, [_shown(call, sobject, each, known) for each in records], detail={"records": len(records)})


def _read_arguments(call: Call) -> tuple[list[str], list[str]]:
    source = call.fields() if call.method == "POST" else call.params
    wanted, names = source.get("ids", ""), source.get("fields", "")
    return (
        wanted if isinstance(wanted, list) else [each for each in wanted.split(",") if each],
        names if isinstance(names, list) else [each.strip() for each in names.split(",") if each.strip()],
    )


def _shown(call: Call, sobject: SObject, record: Record | None, names: list[str]) -> dict[str, Any] | None:
    if record is None:
        return None
    url = f"{call.base}/sobjects/{sobject.name}/{record['Id']}"
    return {"attributes": {"type": sobject.name, "url": url}, **{name: record.get(name) for name in names}}


def _upsert_one(
    org: Org, call: Call, sobject: SObject, found: list[Record], fields: dict[str, Any], key: dict[str, Any]
) -> Result:
    if len(found) > 1:
        raise ApiError("DUPLICATE_EXTERNAL_ID", "more than one record found for external id field")
    if found:
        org.update(sobject.name, found[0]["Id"], fields, call.user_id)
        return {"id": found[0]["Id"], "success": True, "errors": [], "created": False}
    record_id = org.create(sobject.name, {**fields, **key}, call.user_id)
    return {"id": record_id, "success": True, "errors": [], "created": True}


def _answer(org: Org, batch: _Batch, one: Write) -> Answer:
    """Write every row, each on its own; with allOrNone the good ones share the fate of the first bad one."""
    results: list[Result] = []
    try:
        with org.store.transaction():
            results.extend(_attempt(org, one, row) for row in batch.rows)
            if batch.all_or_none and not all(each["success"] for each in results):
                raise _Undo
    except _Undo:
        undone = {"success": False, "errors": [_ROLLED_BACK.in_collection()]}
        results = [undone if each["success"] else each for each in results]
    failed = sum(not each["success"] for each in results)
    detail = {"records": len(results), "failed": failed, "undone": batch.all_or_none and failed > 0}
    return Answer(200, results, key=",".join(each.get("id", "") for each in results), detail=detail)


def _attempt(org: Org, one: Write, row: dict[str, Any]) -> Result:
    try:
        with org.store.transaction():
            return one(row)
    except ApiError as error:
        return {"success": False, "errors": [error.in_collection()]}


def _batch(call: Call) -> _Batch:
    body = call.fields()
    rows = body.get("records")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ApiError("JSON_PARSER_ERROR", "The request has no list of records")
    return _Batch(_limited(rows), body.get("allOrNone") is True)


def _limited(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(rows) > LIMIT:
        message = f"record limit reached. cannot submit more than {LIMIT} records into this call"
        raise ApiError("EXCEEDED_ID_LIMIT", message)
    return rows


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "attributes"}


def _type_of(org: Org, row: dict[str, Any]) -> SObject:
    attributes = row.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    sobject = org.schema.get(name) if isinstance(name, str) else None
    if sobject is None or sobject.event:
        raise ApiError("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return sobject


def _id(sobject: SObject, text: Any) -> str:
    record_id = ids.normalise(text) if isinstance(text, str) else None
    if record_id is None or not record_id.startswith(sobject.prefix):
        raise ApiError("MALFORMED_ID", f"malformed id {text}", ["Id"])
    return record_id
