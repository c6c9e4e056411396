"""Rows by id: create, read, update and delete (salesforce-wire.md, sections 3.5 and 3.8)."""

from collections.abc import Iterable
from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.accepting import no_such_column
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.org import Org
from sandbox.salesforce.publishing import publish
from sandbox.salesforce.rest import conditions, recent
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.soql.answer import record_url, value
from sandbox.store import Record

# Of an event only its UUID means anything (salesforce-wire.md, section 1.6).
_EVENT_ROW_ID = "e01xx0000000001AAA"


def create(org: Org, call: Call, type_name: str) -> Answer:
    """POST sobjects/{type}"""
    sobject = type_named(org, type_name)
    if sobject.event:
        return _publish(org, call, sobject)
    record_id = org.create(sobject.name, call.fields(), call.user_id)
    return created(org, call, sobject, record_id)


def create_by_id(org: Org, call: Call, type_name: str) -> Answer:
    """POST sobjects/{type}/Id, which is an upsert that cannot find anything"""
    answer = create(org, call, type_name)
    return Answer(201, {**answer.body, "created": True}, answer.headers, key=answer.key)


def read(org: Org, call: Call, type_name: str, record_id: str) -> Answer:
    """GET sobjects/{type}/{id}"""
    sobject = stored_type(org, type_name)
    return shown(org, call, sobject, org.existing(sobject.name, own_id(sobject, record_id)))


def update(org: Org, call: Call, type_name: str, record_id: str) -> Answer:
    """PATCH sobjects/{type}/{id}"""
    sobject = stored_type(org, type_name)
    record = org.existing(sobject.name, own_id(sobject, record_id))
    return changed(org, call, sobject, record) or Answer(204, key=record["Id"])


def delete(org: Org, call: Call, type_name: str, record_id: str) -> Answer:
    """DELETE sobjects/{type}/{id}"""
    sobject = stored_type(org, type_name)
    return deleted(org, call, sobject, own_id(sobject, record_id))


def type_named(org: Org, name: str) -> SObject:
    """The type, which may be of an event. Raises ApiError NOT_FOUND."""
    sobject = org.schema.get(name)
    if sobject is None:
        raise not_found()
    return sobject


def stored_type(org: Org, name: str) -> SObject:
    """The type, of which there are records. Raises ApiError NOT_FOUND."""
    sobject = type_named(org, name)
    if sobject.event:
        raise not_found()
    return sobject


def own_id(sobject: SObject, text: str) -> str:
    """The id of a record of this type, in 18 characters. Raises ApiError NOT_FOUND."""
    record_id = ids.normalise(text)
    if record_id is None or not record_id.startswith(sobject.prefix):
        raise unknown_key(text)
    return record_id


def unknown_key(text: str) -> ApiError:
    """Where an id or an external id field is expected, there is neither."""
    return ApiError("NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {text}")


def created(org: Org, call: Call, sobject: SObject, record_id: str) -> Answer:
    """The answer about a record that was just made."""
    recent.note(org, call, sobject, record_id)
    location = {"Location": record_url(call.base, sobject.name, record_id)}
    return Answer(201, {"id": record_id, "success": True, "errors": []}, location, key=record_id)


def published(event_id: str) -> dict[str, Any]:
    """The result of publishing one event, which has errors although it succeeded (section 1.6)."""
    note = {"statusCode": "OPERATION_ENQUEUED", "message": event_id, "fields": []}
    return {"id": _EVENT_ROW_ID, "success": True, "errors": [note]}


def shown(org: Org, call: Call, sobject: SObject, record: Record) -> Answer:
    """A record that was asked for, as far as the request's conditions let it. Raises ApiError."""
    fields = wanted_fields(call, sobject)
    refusal = conditions.refusal(call, sobject, record)
    if refusal:
        return refusal
    recent.note(org, call, sobject, record["Id"])
    body = row(call, sobject, record, fields)
    return Answer(200, body, conditions.validators(sobject, record), key=record["Id"])


def changed(org: Org, call: Call, sobject: SObject, record: Record) -> Answer | None:
    """Change a record as the request says; the answer, when its conditions forbid it. Raises ApiError."""
    refusal = conditions.refusal(call, sobject, record)
    if refusal:
        return refusal
    fields = call.fields()
    refuse_key(sobject, "Id", fields)
    org.update(sobject.name, record["Id"], fields, call.user_id)
    recent.note(org, call, sobject, record["Id"])
    return None


def deleted(org: Org, call: Call, sobject: SObject, record_id: str) -> Answer:
    """Delete a record; dates do not keep it from that, an entity tag does. Raises ApiError."""
    refusal = conditions.refusal_by_tag(call, sobject, org.existing(sobject.name, record_id))
    if refusal:
        return refusal
    org.delete(sobject.name, record_id, call.user_id)
    return Answer(204, key=record_id)


def refuse_key(sobject: SObject, key: str, fields: dict[str, Any]) -> None:
    """A record is named by its address alone. Raises ApiError when the body names it too."""
    for name in fields:
        if name.casefold() == key.casefold():
            known = sobject.field(name)
            key = known.name if known else name
            raise ApiError("INVALID_FIELD", f"The {key} field should not be specified in the sobject data.", [key])


def row(call: Call, sobject: SObject, record: Record, fields: list[Field]) -> dict[str, Any]:
    """These fields of a record, as JSON carries them."""
    url = record_url(call.base, sobject.name, record["Id"])
    attributes = {"type": sobject.name, "url": url}
    return {"attributes": attributes, **{each.name: value(each, record, url) for each in fields}}


def wanted_fields(call: Call, sobject: SObject) -> list[Field]:
    """The fields that `?fields=` names; all of them without it. Raises ApiError INVALID_FIELD."""
    if "fields" not in call.params:
        return list(sobject.fields.values())
    return named_fields(sobject, call.params["fields"].split(","))


def named_fields(sobject: SObject, names: Iterable[str]) -> list[Field]:
    """The fields of these names, each once, and the id whether named or not. Raises ApiError INVALID_FIELD."""
    wanted = {}
    for name in (*names, "Id"):
        field = sobject.field(name.strip())
        if field is None:
            raise no_such_column(sobject, name.strip())
        wanted[field.name] = field
    return list(wanted.values())


def _publish(org: Org, call: Call, event: SObject) -> Answer:
    event_id = publish(org, event, call.fields(), call.user_id)
    return Answer(201, published(event_id), key=event_id)
