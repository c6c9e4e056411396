"""The org's objects and fields: the one description that storage, validation, SOQL and describe all work from."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Literal

import pydantic
from pydantic.alias_generators import to_camel

FieldType = Literal[
    "id", "string", "textarea", "picklist", "multipicklist", "combobox", "email", "phone", "url", "double", "currency",
    "percent", "int", "boolean", "date", "datetime", "reference", "base64", "address",
]  # fmt: skip
TEXTS = frozenset({"string", "textarea", "picklist", "multipicklist", "combobox", "email", "phone", "url"})
NUMBERS = frozenset({"double", "currency", "percent", "int"})
# Text beyond this is kept outside of the indexable part of a row (salesforce-org.md, section 2).
LONGEST_FILTERABLE = 255
_LENGTHS = {"id": 18, "reference": 18, "phone": 40, "email": 80}
_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

ApiName = Annotated[str, pydantic.StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$")]


class Described(pydantic.BaseModel):
    """A part of a schema file: names in camel case there, and none that are not known."""

    model_config = pydantic.ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class AutoNumber(Described):
    """A number the org gives on creation: `format` is text around `{000}`, whose zeros are its least digits."""

    format: Annotated[str, pydantic.StringConstraints(pattern=r"^[^{}]*\{0+\}[^{}]*$")]
    start: int = pydantic.Field(default=1, ge=0)

    def write(self, number: int) -> str:
        """The number as the record shows it."""
        zeros = self.format[self.format.index("{") + 1 : self.format.index("}")]
        return self.format.replace(f"{{{zeros}}}", f"{number:0{len(zeros)}d}")


class Field(Described):
    """One field; names follow the describe call where it has a word for the thing.

    `values` are a picklist's choices, which bind when `restricted`. A reference names the types it may point to, by
    which name a query steps to them (`relationship`) and from them back (`children`), and what its record does when the
    other one is deleted. `compound` is the field that shows this one among its parts.
    """

    name: ApiName
    type: FieldType
    label: str = ""
    help: str = ""
    length: int = pydantic.Field(default=-1, ge=-1, le=131_072)
    precision: int = pydantic.Field(default=0, ge=0, le=18)
    scale: int = pydantic.Field(default=0, ge=0, le=18)
    required: bool = False
    unique: bool = False
    external_id: bool = False
    id_lookup: bool = False
    indexed: bool = False
    createable: bool = True
    updateable: bool = True
    filterable: bool = True
    restricted: bool = False
    calculated: bool = False
    name_field: bool = False
    system: bool = False
    compound: str = ""
    values: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    relationship: str = ""
    children: str = ""
    on_delete: Literal["clear", "cascade", "restrict"] = "clear"
    default: str | bool | float | None = None
    autonumber: AutoNumber | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _complete(cls, given: object) -> object:
        """Fill in what follows from the rest."""
        if not isinstance(given, dict):
            return given
        row = dict(given)
        kind, name = row.get("type"), str(row.get("name", ""))
        if kind in NUMBERS and kind != "int":
            row.setdefault("precision", 18)
        if kind in TEXTS | {"id", "reference"}:
            row.setdefault("length", _LENGTHS.get(str(kind), 255))
        if kind == "reference" and name.endswith("__c"):
            row.setdefault("relationship", f"{name.removesuffix('__c')}__r")
        if kind in ("base64", "address") or (kind == "textarea" and _length(row) > LONGEST_FILTERABLE):
            row.setdefault("filterable", False)
        if kind == "address":
            row |= {"createable": False, "updateable": False}
        row.setdefault("label", _label(name, str(kind)))
        return row

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Field":
        """Refuse what no org could have."""
        if (self.type == "reference") != bool(self.references):
            raise ValueError("a reference, and nothing else, names the objects it may point to in `references`")
        if self.scale > self.precision and self.type in NUMBERS - {"int"}:
            raise ValueError("`scale` cannot be greater than `precision`")
        if self.values and self.type not in ("picklist", "multipicklist", "combobox"):
            raise ValueError("only a picklist has `values`")
        if (self.unique or self.external_id) and self.type not in ("string", "email", "double"):
            raise ValueError("only a string, email or double can be `unique` or an `externalId`")
        if self.required and self.type == "boolean":
            raise ValueError("a boolean always has a value and cannot be `required`")
        if self.default is not None and not self._fits(self.default):
            raise ValueError(f"`default` does not fit the type {self.type}")
        return self

    @property
    def custom(self) -> bool:
        """Whether it was added to the org, which its name tells."""
        return self.name.endswith("__c")

    @property
    def has_index(self) -> bool:
        """Whether records are found by this field without looking at all of them."""
        return bool(self.references or self.external_id or self.unique or self.indexed) or (
            self.id_lookup and self.type != "id"
        )

    def _fits(self, value: str | bool | float) -> bool:
        if self.type in NUMBERS:
            return isinstance(value, int | float) and not isinstance(value, bool)
        if self.type == "boolean":
            return isinstance(value, bool)
        return isinstance(value, str) and (self.type in TEXTS or value == "$User.Id")


def _length(row: Mapping[str, object]) -> int:
    length = row.get("length")
    return length if isinstance(length, int) else 0


def _label(name: str, kind: str) -> str:
    """How Setup would propose to call a field of this name."""
    words = _CAPITALS.sub(" ", name.removesuffix("__c").replace("_", " "))
    return re.sub(r" Id$", " ID", words) if kind == "reference" else words


@dataclass(frozen=True)
class ChildRelationship:
    """How a parent reaches its children: the type that points here, by which field."""

    name: str
    child: str
    field: str


@dataclass(frozen=True)
class Pointer:
    """A reference of another type to this one."""

    child: "SObject"
    field: Field


@dataclass(frozen=True)
class SObject:
    """One type of record. `event`: of a platform event, which is published and never stored."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: Mapping[str, Field]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    mru: bool = False
    etag: bool = False
    event: bool = False
    children: dict[str, ChildRelationship] = field(default_factory=dict)
    pointing_here: list["Pointer"] = field(default_factory=list)

    @property
    def custom(self) -> bool:
        """Whether it was added to the org, which its name tells."""
        return self.name.endswith(("__c", "__e"))

    @cached_property
    def name_field(self) -> Field | None:
        """The field that people know a record by."""
        return next((each for each in self.fields.values() if each.name_field), None)

    @cached_property
    def own_fields(self) -> tuple[Field, ...]:
        """Its fields without those that the platform gives to every type of its kind."""
        return tuple(each for each in self.fields.values() if not each.system)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Fields no record can be without."""
        return tuple(each.name for each in self.fields.values() if each.required)

    @cached_property
    def references(self) -> tuple[Field, ...]:
        """Fields that point to other records."""
        return tuple(each for each in self.fields.values() if each.references)

    def field(self, name: str) -> Field | None:
        """The field of this name, in whatever case."""
        return self.fields.get(name.casefold())

    def parent(self, relationship: str) -> Field | None:
        """The reference field behind a relationship name, in whatever case."""
        wanted = relationship.casefold()
        return next((each for each in self.references if each.relationship.casefold() == wanted), None)

    def child(self, relationship: str) -> ChildRelationship | None:
        """The child relationship of this name, in whatever case."""
        return self.children.get(relationship.casefold())


class ManagedSubscription(Described):
    """A ManagedEventSubscription as Setup keeps it (salesforce-wire.md, sections 1.5 and 8)."""

    label: str = ""
    topic_name: Annotated[str, pydantic.StringConstraints(pattern=r"^/(event|data)/[A-Za-z0-9_]+$")]
    default_replay: Literal["LATEST", "EARLIEST"] = "LATEST"
    error_recovery_replay: Literal["LATEST", "EARLIEST"] = "LATEST"
    state: Literal["RUN", "STOP"] = "RUN"


class DuplicateRule(Described):
    """A duplicate rule: records of a type that are equal in all these fields are one. An alert may be overridden."""

    object: ApiName
    fields: Annotated[tuple[ApiName, ...], pydantic.Field(min_length=1)]
    action: Literal["Alert", "Block"] = "Alert"
    message: str = "Use one of these records?"


class Schema:
    """All types of the org by name, in whatever case, and what else a schema file can say of it."""

    def __init__(
        self,
        objects: Iterable[SObject],
        managed_subscriptions: Mapping[str, ManagedSubscription] | None = None,
        duplicate_rules: Mapping[str, DuplicateRule] | None = None,
        channels: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Every type that a reference names must be among the objects: KeyError otherwise."""
        self._objects = {each.name.casefold(): each for each in objects}
        self._by_prefix = {each.prefix: each for each in self}
        self.managed_subscriptions = dict(managed_subscriptions or {})
        self.duplicate_rules = dict(duplicate_rules or {})
        self.channels = dict(channels or {})
        for child in self:
            for each in child.references:
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
        relationship = ChildRelationship(reference.children, child.name, reference.name)
        for name in reference.references:
            parent = self[name]
            parent.pointing_here.append(Pointer(child, reference))
            if reference.children:
                parent.children.setdefault(reference.children.casefold(), relationship)
