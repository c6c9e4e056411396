"""The shape of change events: their Avro schema, with addresses as one nested field, and bitmaps of fields.

salesforce-wire.md, section 1.8; the names of the nested fields are those of the standard address.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.avro_fields import avro_field, avro_value
from sandbox.salesforce.events import EventSchema, record_schema
from sandbox.salesforce.schema import Field, SObject

CHANGE_TYPES = (
    *("CREATE", "UPDATE", "DELETE", "UNDELETE"),
    *("GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW"),
    "SNAPSHOT",
)
# Bookkeeping of the platform is never in a change event, and neither is what it sums up by itself.
_LEFT_OUT = frozenset({"Id", "IsDeleted", "SystemModstamp", "LastViewedDate", "LastReferencedDate"})
_ADDRESS_PARTS = (
    *("Street", "City", "State", "PostalCode", "Country", "StateCode", "CountryCode"),
    *("Latitude", "Longitude", "Xyz", "GeocodeAccuracy"),
)
_PERSON_PARTS = ("Salutation", "FirstName", "LastName", "MiddleName", "InformalName", "Suffix")


@dataclass(frozen=True)
class Slot:
    """One top-level field of a change event: a field of the org, or the parts of an address by their short names."""

    name: str
    parts: Mapping[str, Field]

    @property
    def field(self) -> Field | None:
        """The field of the org; None when the slot is an address."""
        return self.parts.get(self.name)


def slots(sobject: SObject) -> list[Slot]:
    """The fields of the type's change events in the order of their schema, without the header. An address stands where
    its first part does."""
    found: dict[str, dict[str, Field]] = {}
    for field in sobject.fields.values():
        if not (field.calculated or field.name in _LEFT_OUT or field.type in ("address", "base64")):
            part = field.name.removeprefix(field.compound.removesuffix("Address"))
            found.setdefault(field.compound or field.name, {})[part] = field
    return [Slot(name, parts) for name, parts in found.items()]


def change_schema(sobject: SObject) -> EventSchema:
    """The schema of the type's change events."""
    fields = [_header(), *(_avro_slot(sobject, each) for each in slots(sobject))]
    named: set[str] = set()
    for each in fields:
        each["type"] = _once(each["type"], named)
    return record_schema(change_event_name(sobject.name), fields)


def change_event_name(type_name: str) -> str:
    """`OrderChangeEvent` of Order, `Line__ChangeEvent` of Line__c."""
    return f"{type_name.removesuffix('c') if type_name.endswith('__c') else type_name}ChangeEvent"


def _header() -> dict[str, Any]:
    texts = {"type": "array", "items": "string"}
    change_type = {"type": "enum", "name": "ChangeType", "symbols": list(CHANGE_TYPES)}
    types: dict[str, Any] = {
        "entityName": "string",
        "recordIds": texts,
        "changeType": change_type,
        "changeOrigin": "string",
        "transactionKey": "string",
        "sequenceNumber": "int",
        "commitTimestamp": "long",
        "commitNumber": "long",
        "commitUser": "string",
        "nulledFields": texts,
        "diffFields": texts,
        "changedFields": texts,
    }
    fields = [{"name": name, "type": kind} for name, kind in types.items()]
    header = {"type": "record", "name": "ChangeEventHeader", "fields": fields}
    return {"name": "ChangeEventHeader", "type": header, "doc": "Data:ComplexValueType"}


def _avro_slot(sobject: SObject, slot: Slot) -> dict[str, Any]:
    if slot.field is None:
        address = _nested("Address", _ADDRESS_PARTS, doubles=("Latitude", "Longitude"))
        return {"name": slot.name, "type": ["null", address], "doc": "Data:Address", "default": None}
    if slot.name == "CreatedDate":
        return {**avro_field(slot.field), "doc": "CreatedDate:DateTime"}
    if (sobject.name, slot.name) == ("Account", "Name"):
        # The name of a business account is a text, that of a person account a record.
        kinds = ["null", "string", _nested("Switchable_PersonName", _PERSON_PARTS)]
        return {**avro_field(slot.field), "type": kinds, "doc": "Data:Switchable_PersonName"}
    return avro_field(slot.field)


def _nested(name: str, parts: Iterable[str], doubles: Iterable[str] = ()) -> dict[str, Any]:
    fields = [
        {"name": part, "type": ["null", "double" if part in doubles else "string"], "default": None} for part in parts
    ]
    return {"type": "record", "name": name, "fields": fields}


def _once(kind: Any, named: set[str]) -> Any:
    """Avro defines a nested record where it comes first and names it afterwards."""
    if not isinstance(kind, list) or not isinstance(kind[-1], dict):
        return kind
    name = kind[-1]["name"]
    if name in named:
        return [*kind[:-1], name]
    named.add(name)
    return kind


def slot_value(slot: Slot, record: Mapping[str, Any], wanted: Callable[[Field], bool] = lambda _: True) -> Any:
    """What the slot holds of a record; of an address the wanted parts alone, null when there is none of them."""
    if slot.field is not None:
        return avro_value(slot.field, record.get(slot.field.name))
    parts = {name: avro_value(part, record.get(part.name)) for name, part in slot.parts.items() if wanted(part)}
    return parts if any(each is not None for each in parts.values()) else None


def bitmaps(fields: Sequence[Slot], wanted: Callable[[Field], bool]) -> list[str]:
    """The wanted fields as the header lists them: one bitmap of the plain ones, then one for each address, which its
    position precedes. The header itself is the field at position 0."""
    places = list(enumerate(fields, start=1))
    plain = [position for position, slot in places if slot.field is not None and wanted(slot.field)]
    nested = {
        position: [_ADDRESS_PARTS.index(name) for name, part in slot.parts.items() if wanted(part)]
        for position, slot in places
        if slot.field is None
    }
    addresses = [f"{position}-{_bitmap(parts)}" for position, parts in nested.items() if parts]
    return [_bitmap(plain), *addresses] if plain else addresses


def _bitmap(positions: Iterable[int]) -> str:
    """A number in hexadecimal, of whole bytes, whose lowest bit stands for position 0."""
    number = sum(1 << each for each in positions)
    return "0x" + number.to_bytes((number.bit_length() + 7) // 8, "big").hex().upper()
