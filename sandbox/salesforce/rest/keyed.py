"""Rows by external id: read, upsert and delete (salesforce-wire.md, section 3.5)."""

from typing import Any

from sandbox.salesforce import values
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import sobjects
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.soql.answer import record_url
from sandbox.store import Record

_UPSERT_ANSWERS_SINCE = 46.0


def read(org: Org, call: Call, sobject: SObject, field_name: str, text: str) -> Answer:
    """The record with this external id; 300 with the addresses of all when there are several. Raises ApiError."""
    found = by_external_id(org, sobject, field_name, text)
    return _several(call, sobject, found) or sobjects.shown(org, call, sobject, _only(found))


def upsert(org: Org, call: Call, sobject: SObject, field_name: str, text: str) -> Answer:
    """Change the record with this external id, or make one. Raises ApiError."""
    found = by_external_id(org, sobject, field_name, text)
    key = external_id(sobject, field_name)
    fields = call.fields()
    sobjects.refuse_key(sobject, key.name, fields)
    sobjects.refuse_key(sobject, "Id", fields)
    if found:
        several = _several(call, sobject, found)
        return several or sobjects.changed(org, call, sobject, found[0]) or _updated(call, found[0]["Id"])
    if call.params.get("updateOnly", "").lower() == "true" or key.name == "Id":
        raise not_found()
    record_id = org.create(sobject.name, {**fields, key.name: _value(key, text)}, call.user_id)
    answer = sobjects.created(org, call, sobject, record_id)
    return Answer(201, {**answer.body, "created": True}, answer.headers, key=record_id)


def delete(org: Org, call: Call, sobject: SObject, field_name: str, text: str) -> Answer:
    """Delete the record with this external id. Raises ApiError."""
    found = by_external_id(org, sobject, field_name, text)
    return _several(call, sobject, found) or sobjects.deleted(org, call, sobject, _only(found)["Id"])


def by_external_id(org: Org, sobject: SObject, field_name: str, text: str) -> list[Record]:
    """Records with this value in an external id field, or in Id. Raises ApiError when there is no such field."""
    key = external_id(sobject, field_name)
    wanted = sobjects.own_id(sobject, text) if key.name == "Id" else _value(key, text)
    return org.by_key(sobject, key, wanted)


def external_id(sobject: SObject, name: str) -> Field:
    """The field by which records can be named beside Id. Raises ApiError NOT_FOUND."""
    field = sobject.field(name)
    if field is None or not (field.external_id or field.name == "Id"):
        raise sobjects.unknown_key(name)
    return field


def _value(key: Field, text: str) -> Any:
    wanted = values.accept(key, text)
    if wanted is None:
        raise ApiError("MISSING_ARGUMENT", f"{key.name} not specified", [key.name])
    return wanted


def _only(found: list[Record]) -> Record:
    if not found:
        raise not_found()
    return found[0]


def _updated(call: Call, record_id: str) -> Answer:
    if call.version < _UPSERT_ANSWERS_SINCE:
        return Answer(204, key=record_id)
    return Answer(200, {"id": record_id, "success": True, "errors": [], "created": False}, key=record_id)


def _several(call: Call, sobject: SObject, records: list[Record]) -> Answer | None:
    if len(records) < 2:
        return None
    return Answer(300, [record_url(call.base, sobject.name, each["Id"]) for each in records])
