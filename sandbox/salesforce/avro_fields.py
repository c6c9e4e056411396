"""How a field of the org is written in Avro, in platform events and change events alike (salesforce-wire.md, 1.7)."""

from datetime import UTC, datetime
from typing import Any

from sandbox.salesforce import moments
from sandbox.salesforce.schema import Field

# Numbers of any scale are doubles, dates and times are milliseconds since 1970; everything else is text.
_TYPES = {
    "boolean": "boolean",
    "int": "int",
    "double": "double",
    "currency": "double",
    "percent": "double",
    "date": "long",
    "datetime": "long",
}
_DOCS = {
    "boolean": "Boolean",
    "int": "Integer",
    "double": "Double",
    "currency": "Currency",
    "percent": "Percent",
    "date": "DateOnly",
    "datetime": "DateTime",
    "picklist": "DynamicEnum",
    "multipicklist": "MultiEnum",
    "email": "Email",
    "phone": "Phone",
    "url": "Url",
}
_LONGEST_PLAIN_TEXT = 255


def avro_field(field: Field) -> dict[str, Any]:
    """The field in a record schema: null or its type, null when absent, even where Setup says it is required."""
    return {"name": field.name, "type": ["null", avro_type(field)], "doc": _doc(field), "default": None}


def avro_type(field: Field) -> str:
    """Its primitive type."""
    return _TYPES.get(field.type, "string")


def avro_value(field: Field, value: Any) -> Any:
    """A value as the org keeps it, as Avro takes it; None stays None."""
    if value is None:
        return None
    if field.type == "date":
        return _milliseconds(datetime.fromisoformat(value).replace(tzinfo=UTC))
    if field.type == "datetime":
        return _milliseconds(moments.parse(value))
    if isinstance(value, str):
        # Half a character, which JSON lets through, is a question mark in UTF-8, as the platform writes it.
        return value.encode("utf-8", "replace").decode("utf-8")
    return float(value) if avro_type(field) == "double" else value


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _doc(field: Field) -> str:
    if field.references:
        return "ForeignKey:EntityId"
    if field.type == "textarea":
        return "Data:MultiLineText" if field.length <= _LONGEST_PLAIN_TEXT else "Data:StringPlusClob"
    return f"Data:{_DOCS.get(field.type, 'Text')}"
