"""Up to 2,000 rows of one type read in one call (salesforce-wire.md, section 3.6)."""

from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.errors import ApiError, not_found, unreadable
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.rest.envelopes import listed, properties
from sandbox.salesforce.rest.rows import limited
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.soql.answer import record_url, value
from sandbox.store import Record

LIMIT = 2000


def retrieve(org: Org, call: Call, type_name: str) -> Answer:
    """GET composite/sobjects/{type}?ids=&fields=, or POST with both in the body; null for what is not there"""
    sobject = org.schema.get(type_name)
    if sobject is None or sobject.event:
        raise not_found()
    wanted, names = _in_body(call) if call.method == "POST" else _in_address(call)
    fields = _fields(sobject, names)
    records = [org.get(sobject.name, ids.normalise(each) or "") for each in limited(wanted, LIMIT)]
    shown = [_shown(call, sobject, each, fields) for each in records]
    return Answer(200, shown, detail={"records": len(records)})


def _in_address(call: Call) -> tuple[list[str], list[str]]:
    wanted, names = call.params.get("ids", ""), call.params.get("fields", "")
    return (
        [each.strip() for each in wanted.split(",") if each.strip()],
        [each.strip() for each in names.split(",") if each.strip()],
    )


def _in_body(call: Call) -> tuple[list[str], list[str]]:
    body = properties(call.body, ("ids", "fields"))
    for name in ("ids", "fields"):
        for each in listed(body, name):
            if not isinstance(each, str):
                raise unreadable("string", each)
    return listed(body, "ids"), listed(body, "fields")


def _fields(sobject: SObject, names: list[str]) -> list[Field]:
    """The fields that were asked for and, always, the id."""
    if not names:
        raise ApiError("MISSING_ARGUMENT", "fields not specified")
    fields = {}
    for name in [*names, "Id"]:
        field = sobject.field(name)
        if field is None:
            raise ApiError("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
        fields[field.name] = field
    return list(fields.values())


def _shown(call: Call, sobject: SObject, record: Record | None, fields: list[Field]) -> dict[str, Any] | None:
    if record is None:
        return None
    url = record_url(call.base, sobject.name, record["Id"])
    values = {field.name: value(field, record, url) for field in fields}
    return {"attributes": {"type": sobject.name, "url": url}, **values}
