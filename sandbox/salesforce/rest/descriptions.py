"""How describe calls speak of a type and of a field, with every key that clients read (salesforce-wire.md, 3.5)."""

from typing import Any

from sandbox.salesforce.schema import LONGEST_FILTERABLE, NUMBERS, TEXTS, Field, Pointer, SObject

# The record type that everything has which has none of its own.
_MASTER = "012000000000000AAA"
_SOAP_TYPES = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "date": "xsd:date", "datetime": "xsd:dateTime",
    "base64": "xsd:base64Binary", "address": "urn:address", "int": "xsd:int",
}  # fmt: skip
_NOT_GROUPABLE = {"currency", "double", "percent", "datetime", "base64", "address", "multipicklist"}
_NOT_AGGREGATABLE = {"boolean", "base64", "address"}
_BYTES_PER_CHARACTER = 3
_INT_DIGITS = 9


def summary(base: str, sobject: SObject) -> dict[str, Any]:
    """One row of the global describe, which every describe begins with. `base` is what URLs begin with."""
    stored = not sobject.event
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": sobject.createable,
        "custom": sobject.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": sobject.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "layoutable": sobject.mru,
        "mergeable": sobject.name in ("Account", "Contact", "Lead", "Case"),
        "mruEnabled": sobject.mru,
        "name": sobject.name,
        "queryable": stored,
        "replicateable": stored,
        "retrieveable": stored,
        "searchable": sobject.mru,
        "triggerable": sobject.createable,
        "undeletable": sobject.deletable,
        "updateable": sobject.updateable,
        "urls": _urls(base, sobject),
    }


def full(base: str, sobject: SObject) -> dict[str, Any]:
    """The describe of one type."""
    return {
        **summary(base, sobject),
        "actionOverrides": [],
        "childRelationships": [_child(each) for each in _listed(sobject)],
        "compactLayoutable": sobject.mru,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [_field(each) for each in sobject.fields.values()],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [] if sobject.event else [_record_type(base, sobject)],
        "searchLayoutable": sobject.mru,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {sobject.plural.lower()}", "name": "everything"}],
    }


def _urls(base: str, sobject: SObject) -> dict[str, str]:
    url = f"{base}/sobjects/{sobject.name}"
    if sobject.event:
        schema = f"{url}/eventSchema"
        return {"sobject": url, "describe": f"{url}/describe", "eventSchema": schema, "rowTemplate": f"{url}/{{ID}}"}
    more = ("compactLayouts", "approvalLayouts", "layouts") if sobject.mru else ()
    return {
        **{name: f"{url}/describe/{name}" for name in more},
        "describe": f"{url}/describe",
        "rowTemplate": f"{url}/{{ID}}",
        "sobject": url,
    }


def _listed(sobject: SObject) -> list[Pointer]:
    """What points at the type, but for who made and changed a record, which only the users' describe would list."""
    return [each for each in sobject.pointing_here if not each.field.system]


def _child(pointer: Pointer) -> dict[str, Any]:
    return {
        "cascadeDelete": pointer.field.on_delete == "cascade",
        "childSObject": pointer.child.name,
        "deprecatedAndHidden": False,
        "field": pointer.field.name,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": pointer.field.children or None,
        "restrictedDelete": pointer.field.on_delete == "restrict",
    }


def _record_type(base: str, sobject: SObject) -> dict[str, Any]:
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": _MASTER,
        "urls": {"layout": f"{base}/sobjects/{sobject.name}/describe/layouts/{_MASTER}"},
    }


def _field(field: Field) -> dict[str, Any]:
    return {**_of_value(field), **_of_use(field), **_of_relation(field), **_constant()}


def _of_value(field: Field) -> dict[str, Any]:
    """What values it takes."""
    text = field.type in TEXTS
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "soapType": _SOAP_TYPES.get(field.type, "xsd:double" if field.type in NUMBERS else "xsd:string"),
        "length": max(field.length, 0),
        "byteLength": field.length * _BYTES_PER_CHARACTER if text else max(field.length, 0),
        "digits": _INT_DIGITS if field.type == "int" else 0,
        "precision": field.precision,
        "scale": field.scale,
        "extraTypeInfo": "plaintextarea" if field.type == "textarea" else None,
        "nillable": not (field.required or field.system or field.type in ("boolean", "id")),
        "defaultValue": bool(field.default) if field.type == "boolean" else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": field.default is not None
        or field.system
        or field.type == "boolean"
        or _is_numbered(field),
        "picklistValues": [_choice(field, each) for each in field.values],
        "restrictedPicklist": field.restricted,
        "autoNumber": _is_numbered(field),
        "calculated": field.calculated,
        "calculatedFormula": None,
        "unique": field.unique,
        "caseSensitive": False,
        "inlineHelpText": field.help or None,
        "compoundFieldName": field.compound or None,
    }


def _of_use(field: Field) -> dict[str, Any]:
    """What may be done with it."""
    long = field.type == "textarea" and field.length > LONGEST_FILTERABLE
    return {
        "custom": field.custom,
        "createable": field.createable,
        "updateable": field.updateable,
        "filterable": field.filterable,
        "sortable": field.filterable and field.type != "multipicklist",
        "groupable": not long and field.type not in _NOT_GROUPABLE,
        "aggregatable": not long and field.type not in _NOT_AGGREGATABLE,
        "permissionable": not (field.required or field.system or field.name_field),
        "externalId": field.external_id,
        "idLookup": field.id_lookup or field.external_id,
        "nameField": field.name_field,
        "searchPrefilterable": field.type == "reference",
    }


def _of_relation(field: Field) -> dict[str, Any]:
    """What it points to."""
    return {
        "cascadeDelete": field.on_delete == "cascade",
        "restrictedDelete": field.on_delete == "restrict",
        "namePointing": len(field.references) > 1,
        "polymorphicForeignKey": len(field.references) > 1,
        "referenceTo": list(field.references),
        "referenceTargetField": None,
        "relationshipName": field.relationship or None,
        "relationshipOrder": None,
        "filteredLookupInfo": None,
        "writeRequiresMasterRead": False,
    }


def _constant() -> dict[str, Any]:
    """Keys of features that no field of this org uses."""
    return {
        "aiPredictionField": False,
        "controllerName": None,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "formulaTreatNullNumberAsZero": False,
        "highScaleNumber": False,
        "htmlFormatted": False,
        "mask": None,
        "maskType": None,
        "queryByDistance": False,
    }


def _choice(field: Field, value: str) -> dict[str, Any]:
    return {"active": True, "defaultValue": value == field.default, "label": value, "validFor": None, "value": value}


def _is_numbered(field: Field) -> bool:
    return field.autonumber is not None
