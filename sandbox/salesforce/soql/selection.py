"""A query bound to the schema, ready to run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.soql.conditions import Filter
from sandbox.salesforce.soql.ordering import Order
from sandbox.salesforce.soql.plans import candidates
from sandbox.salesforce.soql.source import Source
from sandbox.store import Record


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
class Branches:
    """Fields of the record a reference points to, by its type; `otherwise` of every other type."""

    reference: Field
    by_type: dict[str, Shape]
    otherwise: Shape


@dataclass(frozen=True)
class Children:
    """Records whose reference field `field` points back."""

    field: str
    rows: "RowSelection"


Part: TypeAlias = Field | Parent | Branches | Children


@dataclass(frozen=True)
class Matching:
    """The records of a type that a condition holds for."""

    source: Source
    sobject: SObject
    filter: Filter | None

    def records(self, among: Iterable[Record] | None = None) -> Iterator[Record]:
        """They, unordered; among these when given, such as the children of one parent."""
        plan = self.filter.plan if self.filter else None
        found = candidates(self.source, self.sobject.name, plan) if among is None else among
        return (each for each in found if self.filter is None or self.filter.test(each))


@dataclass(frozen=True)
class RowSelection:
    """Records and what to show of each."""

    matching: Matching
    shape: Shape
    order: Order

    def ids(self, among: Iterable[Record] | None = None) -> list[str]:
        """The ids of the records, in order."""
        source = self.matching.source
        return self.order.arrange(source, self.matching.records(among), lambda record: str(record["Id"]))

    def record(self, record_id: str) -> Record | None:
        """One of them by its id; None when it is gone meanwhile."""
        return self.matching.source.get(self.matching.sobject.name, record_id)


@dataclass(frozen=True)
class CountSelection:
    """How many records there are: COUNT() alone."""

    matching: Matching
    order: Order

    def count(self) -> int:
        """Their number, as far as LIMIT lets it count."""
        source, matching = self.matching.source, self.matching
        if matching.filter is None:
            return self.order.length(source.size(matching.sobject.name))
        return self.order.length(sum(1 for _ in matching.records()))
