"""A query bound to the schema: which records, in which order, and how each looks in the answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.soql.columns import Column, resolve
from sandbox.salesforce.soql.conditions import Binder, Filter
from sandbox.salesforce.soql.syntax import FieldPath, Place, Query, parse
from sandbox.store import Record, fold

LARGEST_OFFSET = 2000
_ADVICE = "Please reference your WSDL or the describe call for the appropriate names."


@dataclass
class Shape:
    """What to show of one record: its fields, its parents by relationship name, its children by theirs."""

    sobject: SObject
    parts: "dict[str, Part]" = field(default_factory=dict)


@dataclass(frozen=True)
class Parent:
    """Fields of the record a reference points to."""

    reference: Field
    shape: Shape


@dataclass(frozen=True)
class Children:
    """Records whose reference field `field` points back."""

    field: str
    selection: "Selection"


Part = Field | Parent | Children


@dataclass(frozen=True)
class Selection:
    """A bound query. `shape` is None for COUNT()."""

    sobject: SObject
    shape: Shape | None
    filter: Filter | None
    order: tuple[tuple[Column, bool, bool], ...]
    limit: int | None
    offset: int

    def records(self, org: Org, source: Iterable[Record] | None = None, *, deleted_too: bool = False) -> list[Record]:
        """The matching records in order; among `source` when given, such as the children of one parent."""
        found = self._candidates(org, deleted_too) if source is None else source
        rows = [each for each in found if self.filter is None or self.filter.test(each)]
        rows.sort(key=lambda row: str(row["Id"]))
        for column, descending, nulls_first in reversed(self.order):
            rows.sort(key=_key(org, column, descending, nulls_first), reverse=descending)
        end = None if self.limit is None else self.offset + self.limit
        return rows[self.offset : end]

    def _candidates(self, org: Org, deleted_too: bool) -> Iterable[Record]:
        if self.filter is None or deleted_too:
            return org.records(self.sobject.name, deleted_too=deleted_too)
        offers = [each.candidates(org) for each in self.filter.wanted]
        indexed = [offer for offer in offers if offer is not None]
        if indexed:
            return min(indexed, key=len)
        return org.records(self.sobject.name)


def select(org: Org, text: str) -> Selection:
    """Parse a query and bind it. Raises ApiError."""
    query = parse(text)
    sobject = org.schema.get(query.source)
    if sobject is None or sobject.event:
        message = (
            f"sObject type '{query.source}' is not supported. If you are attempting to use a custom object, be sure to "
            f"append the '__c' after the entity name. {_ADVICE}"
        )
        raise query.place.refuse("INVALID_TYPE", message)
    return _bind(org, sobject, query)


def _bind(org: Org, sobject: SObject, query: Query) -> Selection:
    if query.offset > LARGEST_OFFSET and query.offset_place:
        message = f"Maximum SOQL offset allowed is {LARGEST_OFFSET}"
        raise query.offset_place.refuse("NUMBER_OUTSIDE_VALID_RANGE", message)
    binder = Binder(org, sobject, lambda inner: _inner_values(org, inner))
    return Selection(
        sobject=sobject,
        shape=None if query.items is None else _shape(org, sobject, query.items),
        filter=None if query.where is None else binder.bind(query.where),
        order=tuple((_sortable(org, sobject, t.path), t.descending, t.nulls_first) for t in query.order),
        limit=query.limit,
        offset=query.offset,
    )


def _inner_values(org: Org, query: Query) -> frozenset[Any]:
    """What a query inside of IN selects: one field of references or ids, nulls left out."""
    sobject = org.schema.get(query.source)
    if sobject is None or query.items is None or len(query.items) != 1 or not isinstance(query.items[0], FieldPath):
        raise query.place.refuse("MALFORMED_QUERY", "semi join sub-selects must select exactly one field of an object")
    column = resolve(org, sobject, query.items[0])
    if column.field.type not in ("id", "reference"):
        raise query.place.refuse("MALFORMED_QUERY", "semi join sub-selects can only select id and reference fields")
    rows = _bind(org, sobject, query).records(org)
    return frozenset(value for row in rows if (value := column.value(org, row)) is not None)


def _shape(org: Org, sobject: SObject, items: "tuple[FieldPath | Query, ...]") -> Shape:
    shape = Shape(sobject)
    for item in items:
        if isinstance(item, Query):
            _add_children(org, shape, item)
        else:
            _add_path(org, shape, item)
    return shape


def _add_children(org: Org, shape: Shape, query: Query) -> None:
    relationship = shape.sobject.child(query.source)
    if relationship is None or query.items is None:
        message = (
            f"Didn't understand relationship '{query.source}' in FROM part of query call. If you are attempting to use "
            f"a custom relationship, be sure to append the '__r' after the custom relationship name. {_ADVICE}"
        )
        raise query.place.refuse("INVALID_TYPE", message)
    selection = _bind(org, org.schema[relationship.child], query)
    _add(shape, relationship.name, Children(relationship.field, selection), query.place)


def _add_path(org: Org, shape: Shape, path: FieldPath) -> None:
    column = resolve(org, shape.sobject, path)
    for hop, owner in zip(column.hops, column.owners[1:], strict=True):
        parent = shape.parts.setdefault(hop.relationship, Parent(hop, Shape(owner)))
        if isinstance(parent, Parent):
            shape = parent.shape
    _add(shape, column.field.name, column.field, path.place)


def _add(shape: Shape, name: str, part: "Part", place: Place) -> None:
    if name in shape.parts:
        raise place.refuse("MALFORMED_QUERY", f"duplicate field selected: {name}")
    shape.parts[name] = part


def _sortable(org: Org, sobject: SObject, path: FieldPath) -> Column:
    column = resolve(org, sobject, path)
    if not column.field.filterable:
        message = f"field '{column.field.name}' can not be sorted in a query call"
        raise path.place.refuse("INVALID_FIELD", message)
    return column


def _key(org: Org, column: Column, descending: bool, nulls_first: bool) -> Callable[[Record], tuple[bool, Any]]:
    """What to sort by; descending sorts are reversed, so the place of nulls is turned round for them beforehand."""

    def key(row: Record) -> tuple[bool, Any]:
        value = fold(column.value(org, row))
        behind = (value is None) != nulls_first
        return behind != descending, 0 if value is None else value

    return key
