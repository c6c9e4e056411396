"""Field paths bound to the schema: which records to step through, and which field to read at the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import Field, FieldType, Schema, SObject
from sandbox.salesforce.soql.source import Source
from sandbox.salesforce.soql.tree import FieldPath
from sandbox.store import Record

MOST_LEVELS = 5
ADVICE = "Please reference your WSDL or the describe call for the appropriate names."
_OF_ANY_TYPE: dict[str, FieldType] = {
    "Id": "id",
    "Name": "string",
    "Type": "string",
    "FirstName": "string",
    "LastName": "string",
    "Email": "email",
    "Phone": "phone",
    "Title": "string",
    "Username": "string",
    "Alias": "string",
    "IsActive": "boolean",
}
# What is known of a parent that may be of several types, whichever it is.
ANY_TYPE = SObject(
    name="Name",
    label="Name",
    plural="Names",
    prefix="",
    fields={name.casefold(): Field(name=name, type=kind) for name, kind in _OF_ANY_TYPE.items()},
)


class Operand(Protocol):
    """Something of a record that can be compared, sorted and grouped by."""

    @property
    def key(self) -> str:
        """Equal for expressions that mean the same."""

    @property
    def field(self) -> Field:
        """What kind of values it has."""

    def value(self, source: Source, record: Record) -> Any:
        """Its value for one record; null where there is none."""


@dataclass(frozen=True)
class Column:
    """A field at the end of zero or more parent relationships; `owners[0]` is the type the path starts from."""

    hops: tuple[Field, ...]
    owners: tuple[SObject, ...]
    field: Field

    @property
    def key(self) -> str:
        """The path in one spelling."""
        return ".".join([*(hop.relationship for hop in self.hops), self.field.name])

    def value(self, source: Source, record: Record) -> Any:
        """The field's value, null where a parent is missing, but no truth value is false."""
        at: Record | None = record
        for hop, owner in zip(self.hops, self.owners[1:], strict=True):
            at = parent_of(source, hop, owner, at) if at is not None else None
        if at is None:
            return False if self.field.type == "boolean" else None
        return (
            value_of_any_type(source, at, self.field.name) if self.owners[-1] is ANY_TYPE else at.get(self.field.name)
        )


@dataclass(frozen=True)
class Scope:
    """The type that names in a query start from, and the aliases its FROM clause gave."""

    schema: Schema
    sobject: SObject
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def column(self, path: FieldPath) -> Column:
        """Bind a path. Raises ApiError INVALID_FIELD."""
        *relationships, last = self._names(path)
        hops, owners = self._hops(path, relationships)
        found = owners[-1].field(last)
        if found is None:
            message = (
                f"No such column '{last}' on entity '{owners[-1].name}'. If you are attempting to use a custom "
                f"field, be sure to append the '__c' after the custom field name. {ADVICE}"
            )
            raise path.place.refuse("INVALID_FIELD", message)
        return Column(hops, owners, found)

    def relationship(self, path: FieldPath) -> tuple[tuple[Field, ...], tuple[SObject, ...]]:
        """Bind a path of relationships only. Raises ApiError INVALID_FIELD."""
        return self._hops(path, self._names(path))

    def _names(self, path: FieldPath) -> list[str]:
        first, *rest = path.names
        if rest and first.casefold() in self.aliases:
            return [*self.aliases[first.casefold()], *rest]
        if rest and first.casefold() == self.sobject.name.casefold() and self.sobject.parent(first) is None:
            return rest
        return list(path.names)

    def _hops(self, path: FieldPath, names: list[str]) -> tuple[tuple[Field, ...], tuple[SObject, ...]]:
        if len(names) > MOST_LEVELS:
            message = (
                f"SOQL statements cannot query foreign key relationships more than {MOST_LEVELS} levels away from the "
                "root entity object"
            )
            raise ApiError("MALFORMED_QUERY", message)
        hops: list[Field] = []
        owners = [self.sobject]
        for name in names:
            hop = owners[-1].parent(name) if name else None
            if hop is None:
                raise _no_relationship(path, name)
            hops.append(hop)
            owners.append(self.schema[hop.references[0]] if len(hop.references) == 1 else ANY_TYPE)
        return tuple(hops), tuple(owners)


def parent_of(source: Source, hop: Field, owner: SObject, record: Record) -> Record | None:
    """The record a reference points to; `owner` is its type, ANY_TYPE when only its id tells."""
    record_id = record.get(hop.name)
    if not record_id:
        return None
    sobject = source.schema.of_id(record_id) if owner is ANY_TYPE else owner
    return source.get(sobject.name, record_id) if sobject else None


def value_of_any_type(source: Source, record: Record, name: str) -> Any:
    """A field of a record whose type only its id tells."""
    sobject = source.schema.of_id(record["Id"])
    if name == "Type":
        return sobject.name if sobject else None
    field = sobject.name_field if sobject and name == "Name" else None
    return record.get(field.name if field else name)


def _no_relationship(path: FieldPath, name: str) -> ApiError:
    message = (
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, "
        f"be sure to append the '__r' after the custom relationship name. {ADVICE}"
    )
    return path.place.refuse("INVALID_FIELD", message)
