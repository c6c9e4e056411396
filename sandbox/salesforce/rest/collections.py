"""Up to 200 rows written in one call (salesforce-wire.md, section 3.6): results in request order, each with its errors,
whose codes are called `statusCode` here. Reading many rows is in `retrieval`."""

from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.errors import ApiError, not_found, unreadable
from sandbox.salesforce.org import Org
from sandbox.salesforce.publishing import publish
from sandbox.salesforce.rest import rows
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.rest.keyed import by_external_id
from sandbox.salesforce.rest.rows import Result, Row, Sent
from sandbox.salesforce.rest.sobjects import published
from sandbox.salesforce.schema import SObject
from sandbox.store import fold

_FIRST_UPSERT_VERSION = 46.0


def create(org: Org, call: Call) -> Answer:
    """POST composite/sobjects"""

    def one(row: Row) -> Result:
        sobject, fields = rows.type_of(org, row), rows.fields_of(row)
        if sobject.event:
            return published(publish(org, sobject, fields, call.user_id))
        return rows.saved(org.create(sobject.name, fields, call.user_id))

    return rows.save(org, rows.in_chunks(rows.sent(call)), one)


def update(org: Org, call: Call) -> Answer:
    """PATCH composite/sobjects"""
    sent = rows.in_chunks(rows.sent(call))
    repeated = rows.repeated(ids.normalise(str(rows.given(row, "Id"))) for row in sent.rows)

    def one(row: Row) -> Result:
        sobject = rows.type_of(org, row)
        record_id = _own_id(sobject, _key(row, "Id", "Id not specified in an update call"))
        if fold(record_id) in repeated:
            raise ApiError("DUPLICATE_VALUE", f"Duplicate id specified: {record_id}")
        org.update(sobject.name, record_id, rows.fields_of(row, without="Id"), call.user_id)
        return rows.saved(record_id)

    return rows.save(org, sent, one)


def upsert(org: Org, call: Call, type_name: str, field_name: str) -> Answer:
    """PATCH composite/sobjects/{type}/{external id field}"""
    sobject = org.schema.get(type_name)
    if sobject is None or call.version < _FIRST_UPSERT_VERSION:
        raise not_found()
    sent = rows.sent(call)
    repeated = rows.repeated(rows.given(row, field_name) for row in sent.rows)

    def one(row: Row) -> Result:
        if rows.type_of(org, row) is not sobject:
            raise ApiError("INVALID_TYPE", f"The type of every record must be {sobject.name}")
        key = _key(row, field_name, f"{field_name} not specified")
        if fold(key) in repeated:
            raise ApiError("DUPLICATE_VALUE", f"Duplicate external id specified: {key}")
        return _upsert_one(org, call, sobject, field_name, row)

    return rows.save(org, sent, one)


def delete(org: Org, call: Call) -> Answer:
    """DELETE composite/sobjects?ids=&allOrNone="""
    wanted = [{"Id": each} for each in call.params.get("ids", "").split(",") if each]
    all_or_none = call.params.get("allOrNone", "").lower() == "true"

    def one(row: Row) -> Result:
        record_id = ids.normalise(row["Id"])
        sobject = org.schema.of_id(record_id) if record_id else None
        if record_id is None or sobject is None or sobject.event:
            raise ApiError("MALFORMED_ID", f"malformed id {row['Id']}")
        org.delete(sobject.name, record_id, call.user_id)
        return rows.saved(record_id)

    return rows.save(org, Sent(rows.limited(wanted, rows.LIMIT), all_or_none), one)


def _upsert_one(org: Org, call: Call, sobject: SObject, field_name: str, row: Row) -> Result:
    key, fields = rows.given(row, field_name), rows.fields_of(row, without=field_name)
    found = by_external_id(org, sobject, field_name, str(key))
    if len(found) > 1:
        raise ApiError("DUPLICATE_EXTERNAL_ID", "more than one record found for external id field")
    if found:
        org.update(sobject.name, found[0]["Id"], fields, call.user_id)
        return rows.saved(found[0]["Id"], created=False)
    return rows.saved(org.create(sobject.name, {**fields, field_name: key}, call.user_id), created=True)


def _key(row: Row, name: str, otherwise: str) -> str | int | float:
    """What a row is found by. Raises ApiError when it says nothing, or nothing that could be a key."""
    key: Any = rows.given(row, name)
    if key is None or key == "":
        raise ApiError("MISSING_ARGUMENT", otherwise)
    if not isinstance(key, str | int | float):
        raise unreadable("string", key)
    return key


def _own_id(sobject: SObject, text: str | int | float) -> str:
    record_id = ids.normalise(str(text))
    if record_id is None or not record_id.startswith(sobject.prefix):
        whose = "Record" if sobject.name.endswith("__c") else sobject.label
        raise ApiError("MALFORMED_ID", f"{whose} ID: id value of incorrect type: {text}", ["Id"])
    return record_id
