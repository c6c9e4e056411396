"""Rows: create, read, update, delete and upsert (salesforce-wire.md, sections 3.5 and 3.8)."""

import base64
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from sandbox.salesforce import ids, moments, values
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.org import Org
from sandbox.salesforce.publishing import publish
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.soql.answer import record_url, value
from sandbox.store import Record

# Of an event only its UUID means anything (salesforce-wire.md, section 1.6).
_EVENT_ROW_ID = "e01xx0000000001AAA"
_UPSERT_ANSWERS_SINCE = 46.0


def create(org: Org, call: Call, type_name: str) -> Answer:
    """POST sobjects/{type}"""
    sobject = _sobject(org, type_name)
    if sobject.event:
        return _publish(org, call, sobject)
    record_id = org.create(sobject.name, call.fields(), call.user_id)
    return _created(call, sobject, record_id)


def read(org: Org, call: Call, type_name: str, record_id: str) -> Answer:
    """GET sobjects/{type}/{id}"""
    sobject = _sobject(org, type_name)
    record = org.existing(sobject.name, _own_id(sobject, record_id))
    return _read(call, sobject, record)


def update(org: Org, call: Call, type_name: str, record_id: str) -> Answer:
    """PATCH sobjects/{type}/{id}"""
    sobject = _sobject(org, type_name)
    record = org.existing(sobject.name, _own_id(sobject, record_id))
    if not _unmodified_since(call, record):
        return Answer(412, key=record["Id"])
    org.update(sobject.name, record["Id"], call.fields(), call.user_id)
    return Answer(204, key=record["Id"])


def delete(org: Org, call: Call, type_name: str, record_id: str) -> Answer:
    """DELETE sobjects/{type}/{id}"""
    sobject = _sobject(org, type_name)
    own_id = _own_id(sobject, record_id)
    org.delete(sobject.name, own_id, call.user_id)
    return Answer(204, key=own_id)


def read_beside(org: Org, call: Call, type_name: str, middle: str, last: str) -> Answer:
    """GET sobjects/{type}/{external id field}/{value}, or the bytes of sobjects/{type}/{id}/{field}"""
    sobject = _sobject(org, type_name)
    if ids.normalise(middle) and sobject.field(middle) is None:
        return _blob(org, sobject, _own_id(sobject, middle), last)
    found = by_external_id(org, sobject, middle, last)
    if len(found) > 1:
        return _several(call, sobject, found)
    if not found:
        raise not_found()
    return _read(call, sobject, found[0])


def upsert(org: Org, call: Call, type_name: str, field_name: str, text: str) -> Answer:
    """PATCH sobjects/{type}/{external id field}/{value}"""
    sobject = _sobject(org, type_name)
    found = by_external_id(org, sobject, field_name, text)
    if len(found) > 1:
        return _several(call, sobject, found)
    field = _external_id(sobject, field_name)
    fields = call.fields()
    _refuse_keys(sobject, field, fields)
    if found:
        org.update(sobject.name, found[0]["Id"], fields, call.user_id)
        return _upserted(call, found[0]["Id"])
    if call.params.get("updateOnly", "").lower() == "true" or field.name == "Id":
        raise not_found()
    record_id = org.create(sobject.name, {**fields, field.name: _key(field, text)}, call.user_id)
    answer = _created(call, sobject, record_id)
    return Answer(201, {**answer.body, "created": True}, answer.headers, key=record_id)


def delete_beside(org: Org, call: Call, type_name: str, field_name: str, text: str) -> Answer:
    """DELETE sobjects/{type}/{external id field}/{value}"""
    sobject = _sobject(org, type_name)
    found = by_external_id(org, sobject, field_name, text)
    if len(found) > 1:
        return _several(call, sobject, found)
    if not found:
        raise not_found()
    org.delete(sobject.name, found[0]["Id"], call.user_id)
    return Answer(204, key=found[0]["Id"])


def create_by_id(org: Org, call: Call, type_name: str) -> Answer:
    """POST sobjects/{type}/Id, which is an upsert that cannot find anything"""
    answer = create(org, call, type_name)
    return Answer(201, {**answer.body, "created": True}, answer.headers, key=answer.key)


def by_external_id(org: Org, sobject: SObject, field_name: str, text: str) -> list[Record]:
    """Records with this value in an external id field, or in Id. Raises ApiError when there is no such field."""
    field = _external_id(sobject, field_name)
    if field.name == "Id":
        record = org.get(sobject.name, _own_id(sobject, text))
        return [] if record is None else [record]
    return org.find(sobject.name, field.name, _key(field, text))


def published(event_id: str) -> dict[str, Any]:
    """The result of publishing one event, which has errors although it succeeded (section 1.6)."""
    note = {"statusCode": "OPERATION_ENQUEUED", "message": event_id, "fields": []}
    return {"id": _EVENT_ROW_ID, "success": True, "errors": [note]}


def _sobject(org: Org, name: str) -> SObject:
    sobject = org.schema.get(name)
    if sobject is None:
        raise not_found()
    return sobject


def _own_id(sobject: SObject, text: str) -> str:
    record_id = ids.normalise(text)
    if record_id is None or not record_id.startswith(sobject.prefix):
        message = f"Provided external ID field does not exist or is not accessible: {text}"
        raise ApiError("NOT_FOUND", message)
    return record_id


def _external_id(sobject: SObject, name: str) -> Field:
    field = sobject.field(name)
    if field is None or not (field.external_id or field.name == "Id"):
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise ApiError("NOT_FOUND", message)
    return field


def _key(field: Field, text: str) -> Any:
    return values.accept(field, text)


def _refuse_keys(sobject: SObject, field: Field, fields: dict[str, Any]) -> None:
    for name in fields:
        if name.casefold() in (field.name.casefold(), "id"):
            known = sobject.field(name)
            message = f"The {known.name if known else name} field should not be specified in the sobject data."
            raise ApiError("INVALID_FIELD", message, [known.name if known else name])


def _publish(org: Org, call: Call, event: SObject) -> Answer:
    event_id = publish(org, event, call.fields(), call.user_id)
    return Answer(201, published(event_id), key=event_id)


def _created(call: Call, sobject: SObject, record_id: str) -> Answer:
    location = {"Location": record_url(call.base, sobject.name, record_id)}
    return Answer(201, {"id": record_id, "success": True, "errors": []}, location, key=record_id)


def _upserted(call: Call, record_id: str) -> Answer:
    if call.version < _UPSERT_ANSWERS_SINCE:
        return Answer(204, key=record_id)
    return Answer(200, {"id": record_id, "success": True, "errors": [], "created": False}, key=record_id)


def _several(call: Call, sobject: SObject, records: list[Record]) -> Answer:
    return Answer(300, [record_url(call.base, sobject.name, each["Id"]) for each in records])


def _read(call: Call, sobject: SObject, record: Record) -> Answer:
    if not _unmodified_since(call, record):
        return Answer(412, key=record["Id"])
    since = _http_date(call, "if-modified-since")
    if since and moments.parse(record["LastModifiedDate"]) <= since:
        return Answer(304, key=record["Id"])
    url = record_url(call.base, sobject.name, record["Id"])
    shown: dict[str, Any] = {"attributes": {"type": sobject.name, "url": url}}
    for field in _wanted(call, sobject):
        shown[field.name] = value(field, record, url)
    return Answer(200, shown, key=record["Id"])


def _wanted(call: Call, sobject: SObject) -> list[Field]:
    if "fields" not in call.params:
        return list(sobject.fields.values())
    wanted = {}
    for name in call.params["fields"].split(","):
        field = sobject.field(name.strip())
        if field is None:
            raise ApiError("INVALID_FIELD", f"No such column '{name.strip()}' on sobject of type {sobject.name}")
        wanted[field.name] = field
    return list(wanted.values())


def _blob(org: Org, sobject: SObject, record_id: str, field_name: str) -> Answer:
    record = org.existing(sobject.name, record_id)
    field = sobject.field(field_name)
    if field is None or field.type != "base64":
        raise not_found()
    return Answer(200, content=base64.b64decode(record.get(field.name) or ""), key=record_id)


def _unmodified_since(call: Call, record: Record) -> bool:
    since = _http_date(call, "if-unmodified-since")
    return since is None or moments.parse(record["LastModifiedDate"]) <= since


def _http_date(call: Call, header: str) -> datetime | None:
    text = call.headers.get(header)
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise ApiError("INVALID_HEADER", f"{header} is not a valid date: {text}") from error
