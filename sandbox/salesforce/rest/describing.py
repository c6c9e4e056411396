"""What the org says about itself: resources, types, fields, event schemas (salesforce-wire.md, section 3.5)."""

import json
from typing import Any

from sandbox.salesforce.errors import not_found
from sandbox.salesforce.events import SchemaRegistry, UnknownSchema
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.schema import Field, SObject

VERSIONS = {"66.0": "Spring '26", "67.0": "Summer '26", "68.0": "Winter '27"}


def versions() -> list[dict[str, str]]:
    """GET /services/data/"""
    return [
        {"label": label, "url": f"/services/data/v{version}", "version": version} for version, label in VERSIONS.items()
    ]


def resources(org: Org, call: Call) -> Answer:
    """GET /services/data/vNN.0/"""
    names = ("composite", "limits", "query", "queryAll", "sobjects")
    organization = next(iter(org.records("Organization")))["Id"]
    identity = f"https://login.salesforce.com/id/{organization}/{call.user_id}"
    return Answer(200, {**{name: f"{call.base}/{name}" for name in names}, "identity": identity})


def all_types(org: Org, call: Call) -> Answer:
    """GET sobjects"""
    types = [_summary(call, each) for each in org.schema]
    return Answer(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": types})


def basics(org: Org, call: Call, type_name: str) -> Answer:
    """GET sobjects/{type}"""
    sobject = _sobject(org, type_name)
    return Answer(200, {"objectDescribe": _summary(call, sobject), "recentItems": []})


def describe(org: Org, call: Call, type_name: str) -> Answer:
    """GET sobjects/{type}/describe"""
    sobject = _sobject(org, type_name)
    children = [
        {"childSObject": each.child, "field": each.field, "relationshipName": each.name}
        for each in sobject.children.values()
    ]
    fields = [_field(each) for each in sobject.fields.values()]
    return Answer(
        200, {**_summary(call, sobject), "fields": fields, "childRelationships": children, "recordTypeInfos": []}
    )


def event_schema(org: Org, schemas: SchemaRegistry, type_name: str) -> Answer:
    """GET sobjects/{event}/eventSchema"""
    sobject = _sobject(org, type_name)
    if not sobject.event:
        raise not_found()
    return Answer(200, json.loads(schemas.current(f"/event/{sobject.name}").text))


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


def _summary(call: Call, sobject: SObject) -> dict[str, Any]:
    url = f"{call.base}/sobjects/{sobject.name}"
    writable = not sobject.read_only
    return {
        "name": sobject.name,
        "label": sobject.label,
        "keyPrefix": sobject.prefix,
        "custom": sobject.name.endswith(("__c", "__e")),
        "createable": writable and sobject.createable,
        "updateable": writable and not sobject.event,
        "deletable": writable and not sobject.event,
        "queryable": not sobject.event,
        "urls": {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"},
    }


def _field(field: Field) -> dict[str, Any]:
    values = [
        {"active": True, "defaultValue": each == field.default, "label": each, "value": each} for each in field.values
    ]
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "length": field.length,
        "precision": field.precision,
        "scale": field.scale,
        "custom": field.name.endswith("__c"),
        "nillable": not field.required and field.type not in ("boolean", "id"),
        "createable": field.createable,
        "updateable": field.updateable,
        "defaultedOnCreate": field.default is not None or field.type == "boolean",
        "filterable": field.filterable,
        "sortable": field.filterable,
        "externalId": field.external_id,
        "unique": field.unique,
        "idLookup": field.id_lookup or field.external_id,
        "referenceTo": list(field.references),
        "relationshipName": field.relationship or None,
        "picklistValues": values,
        "restrictedPicklist": field.restricted,
    }
