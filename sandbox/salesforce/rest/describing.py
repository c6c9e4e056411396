"""What the org says about itself: resources, types, fields, event schemas (salesforce-wire.md, section 3.5)."""

import json

from sandbox.salesforce.errors import not_found
from sandbox.salesforce.events import SchemaRegistry, UnknownSchema, UnknownTopic
from sandbox.salesforce.org import ORGANIZATION_ID, Org
from sandbox.salesforce.rest import conditions, descriptions, recent, versions
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.schema import SObject

_BATCH = 200


def resources(_: Org, call: Call) -> Answer:
    """GET /services/data/vNN.0/"""
    identity = f"https://login.salesforce.com/id/{ORGANIZATION_ID}/{call.user_id}"
    offered = {name: f"{call.base}/{name}" for name in versions.resources(call.version)}
    return Answer(200, {**offered, "identity": identity})


def all_types(org: Org, call: Call) -> Answer:
    """GET sobjects"""
    if conditions.unchanged(call, org.schema_changed_at):
        return Answer(304)
    types = [descriptions.summary(call.base, each) for each in sorted(org.schema, key=lambda each: each.name)]
    body = {"encoding": "UTF-8", "maxBatchSize": _BATCH, "sobjects": types}
    return Answer(200, body, conditions.last_modified(org.schema_changed_at))


def basics(org: Org, call: Call, type_name: str) -> Answer:
    """GET sobjects/{type}"""
    sobject = _sobject(org, type_name)
    items = [] if sobject.event else recent.of_type(org, call, sobject)
    return Answer(200, {"objectDescribe": descriptions.summary(call.base, sobject), "recentItems": items})


def describe(org: Org, call: Call, type_name: str) -> Answer:
    """GET sobjects/{type}/describe"""
    sobject = _sobject(org, type_name)
    if conditions.unchanged(call, org.schema_changed_at):
        return Answer(304)
    headers = conditions.last_modified(org.schema_changed_at)
    return Answer(200, descriptions.full(call.base, sobject), headers)


def event_schema(org: Org, schemas: SchemaRegistry, type_name: str) -> Answer:
    """GET sobjects/{event}/eventSchema"""
    sobject = _sobject(org, type_name)
    try:
        return Answer(200, json.loads(schemas.current(f"/event/{sobject.name}").text))
    except UnknownTopic as error:
        raise not_found() from error


def schema_by_id(schemas: SchemaRegistry, schema_id: str) -> Answer:
    """GET event/eventSchema/{id}"""
    try:
        return Answer(200, json.loads(schemas.by_id(schema_id).text))
    except UnknownSchema as error:
        raise not_found() from error


def _sobject(org: Org, name: str) -> SObject:
    sobject = org.schema.get(name)
    if sobject is None:
        raise not_found()
    return sobject
