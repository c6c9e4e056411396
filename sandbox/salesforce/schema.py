"""The org's objects and fields: the one description that storage, validation, SOQL and describe all work from."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("objects.json")

TEXTS = frozenset({"string", "textarea", "picklist", "email", "phone", "url"})
NUMBERS = frozenset({"double", "currency", "percent", "int"})


@dataclass(frozen=True)
class Field:
    """One field; names follow the describe call where it has a word for the thing."""

    name: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    unique: bool = False
    external_id: bool = False
    id_lookup: bool = False
    createable: bool = True
    updateable: bool = True
    filterable: bool = True
    restricted: bool = False
    values: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    relationship: str = ""
    children: str = ""
    default: Any = None
    autonumber: Mapping[str, int] | None = None

    @property
    def label(self) -> str:
        """How messages to people call the field."""
        words = self.name.removesuffix("__c").removesuffix("Id").replace("_", " ")
        return f"{words} ID" if self.type == "reference" else words


@dataclass(frozen=True)
class ChildRelationship:
    """How a parent reaches its children: the type that points here, by which field."""

    name: str
    child: str
    field: str


@dataclass(frozen=True)
class SObject:
    """One type of record."""

    name: str
    label: str
    prefix: str
    fields: Mapping[str, Field]
    createable: bool = True
    read_only: bool = False
    event: bool = False
    children: dict[str, ChildRelationship] = field(default_factory=dict)

    def field(self, name: str) -> Field | None:
        """The field of this name, in whatever case."""
        return self.fields.get(name.casefold())

    def parent(self, relationship: str) -> Field | None:
        """The reference field behind a relationship name, in whatever case."""
        wanted = relationship.casefold()
        return next((each for each in self.fields.values() if each.relationship.casefold() == wanted), None)

    def child(self, relationship: str) -> ChildRelationship | None:
        """The child relationship of this name, in whatever case."""
        return self.children.get(relationship.casefold())


class Schema:
    """All types of the org by name, in whatever case."""

    def __init__(self, objects: list[SObject]) -> None:
        self._objects = {each.name.casefold(): each for each in objects}
        self._by_prefix = {each.prefix: each for each in objects}
        for child in objects:
            for each in child.fields.values():
                self._link(child, each)

    def __iter__(self) -> Iterator[SObject]:
        return iter(self._objects.values())

    def get(self, name: str) -> SObject | None:
        """The type of this name."""
        return self._objects.get(name.casefold())

    def __getitem__(self, name: str) -> SObject:
        return self._objects[name.casefold()]

    def of_id(self, record_id: str) -> SObject | None:
        """The type whose prefix the id has."""
        return self._by_prefix.get(record_id[:3])

    def _link(self, child: SObject, reference: Field) -> None:
        if reference.children:
            relationship = ChildRelationship(reference.children, child.name, reference.name)
            for parent in reference.references:
                self[parent].children.setdefault(reference.children.casefold(), relationship)


def _system_fields(event: bool) -> list[dict[str, Any]]:
    """What every record has; an event has no life after its publication."""
    locked = {"createable": False, "updateable": False}
    created = [
        {"name": "CreatedDate", "type": "datetime", **locked},
        {"name": "CreatedById", "type": "reference", "references": ["User"], "relationship": "CreatedBy", **locked},
    ]
    if event:
        return created
    return [
        {"name": "Id", "type": "id", "length": 18, "idLookup": True, **locked},
        {"name": "IsDeleted", "type": "boolean", "default": False, **locked},
        *created,
        {"name": "LastModifiedDate", "type": "datetime", **locked},
        {
            "name": "LastModifiedById",
            "type": "reference",
            "references": ["User"],
            "relationship": "LastModifiedBy",
            **locked,
        },
        {"name": "SystemModstamp", "type": "datetime", **locked},
    ]


@cache
def load() -> Schema:
    """Read the description; it ships with the package, so anything wrong in it raises."""
    source = json.loads(SOURCE.read_text(encoding="utf-8"))
    return Schema([_sobject(name, body) for name, body in source.items()])


def _sobject(name: str, source: dict[str, Any]) -> SObject:
    event = source.get("event", False)
    rows = [*_system_fields(event), *source["fields"]]
    return SObject(
        name=name,
        label=source["label"],
        prefix=source["prefix"],
        fields={row["name"].casefold(): _field(row) for row in rows},
        createable=source.get("createable", True),
        read_only=source.get("readOnly", False),
        event=event,
    )


def _field(row: dict[str, Any]) -> Field:
    renamed = {"externalId": "external_id", "idLookup": "id_lookup"}
    values: dict[str, Any] = {
        renamed.get(key, key): tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    # Long text is stored outside of the indexable part of a row (salesforce-org.md, section 2).
    if row["type"] == "textarea" and row["length"] > 255:
        values.setdefault("filterable", False)
    return Field(**values)
