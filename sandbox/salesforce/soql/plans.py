"""How few records can hold all that a condition may match, and where to find them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from sandbox.salesforce.soql.columns import ANY_TYPE, Column
from sandbox.salesforce.soql.source import Source
from sandbox.store import Record

# Beyond this many parents their children are not counted one by one.
_FEW_PARENTS = 200
# With no more records than this to look at, no better plan is looked for.
_FEW_RECORDS = 100
# Beyond this many records all of a type are walked through, because those of an index are held in memory at once.
_MANY_RECORDS = 10_000


@dataclass(frozen=True)
class Offer:
    """Records found by an index: all that can match, some perhaps twice, and some that do not match.

    `cost` is how many they are at most; `fields` are the indexed fields by which they are found.
    """

    cost: int
    fields: tuple[str, ...]
    records: Callable[[], Iterable[Record]]


class Plan(Protocol):
    """A necessary condition that indexes may answer."""

    @property
    def steps(self) -> int:
        """How far from the records themselves the search begins."""

    def offer(self, source: Source) -> Offer | None:
        """What indexes offer; None when none helps."""


@dataclass(frozen=True)
class Lookup:
    """A column that must have one of some values; those of a sub-query are found when they are needed."""

    column: Column
    find_values: Callable[[], Sequence[Any]]

    @property
    def steps(self) -> int:
        """The relationships of the column's path."""
        return len(self.column.hops)

    @cached_property
    def values(self) -> Sequence[Any]:
        """The values, none of them null."""
        return self.find_values()

    def offer(self, source: Source) -> Offer | None:
        """The records at the path's end by the index of the last field, and then back along the path."""
        if ANY_TYPE in self.column.owners:
            return None
        cost = self._holders_count(source)
        if cost is not None and self.column.hops:
            cost = self._children_count(source) if cost <= _FEW_PARENTS else None
        if cost is None:
            return None
        return Offer(cost, (self._first_field(),), lambda: self._climb(source, self._holders(source), self.steps))

    def _first_field(self) -> str:
        return (self.column.hops[0] if self.column.hops else self.column.field).name

    def _holders_count(self, source: Source) -> int | None:
        holder, name = self.column.owners[-1].name, self.column.field.name
        if name == "Id":
            return len(self.values)
        counts = [source.count(holder, name, value) for value in self.values]
        return None if None in counts else sum(each or 0 for each in counts)

    def _children_count(self, source: Source) -> int | None:
        records = self._climb(source, self._holders(source), self.steps - 1)
        owner, hop = self.column.owners[0].name, self.column.hops[0].name
        counts = [source.count(owner, hop, each["Id"]) for each in records]
        return None if None in counts else sum(each or 0 for each in counts)

    def _holders(self, source: Source) -> list[Record]:
        holder, name = self.column.owners[-1].name, self.column.field.name
        if name == "Id":
            return [record for value in self.values if (record := source.get(holder, value)) is not None]
        return [record for value in self.values for record in source.find(holder, name, value)]

    def _climb(self, source: Source, records: list[Record], levels: int) -> list[Record]:
        """From the records at the path's end this many levels back."""
        steps = list(zip(self.column.hops, self.column.owners[:-1], strict=True))
        for hop, owner in reversed(steps[len(steps) - levels :]):
            records = [child for each in records for child in source.find(owner.name, hop.name, each["Id"])]
        return records


@dataclass(frozen=True)
class Stretch:
    """A field of moments that must lie between two; they are texts as the org keeps them."""

    column: Column
    first: str
    end: str

    @property
    def steps(self) -> int:
        """The relationships of the column's path."""
        return len(self.column.hops)

    def offer(self, source: Source) -> Offer | None:
        """Those of the field's index; None behind a path, from whose end it would be far back."""
        if self.column.hops:
            return None
        owner, name = self.column.owners[0].name, self.column.field.name
        cost = source.count_between(owner, name, self.first, self.end)
        if cost is None:
            return None
        return Offer(cost, (name,), lambda: source.between(owner, name, self.first, self.end))


@dataclass(frozen=True)
class Union:
    """Conditions of which one must hold, each with a plan."""

    parts: tuple[Plan, ...]

    @property
    def steps(self) -> int:
        """Those of the part that begins furthest away."""
        return max(part.steps for part in self.parts)

    def offer(self, source: Source) -> Offer | None:
        """All that the parts offer, as none of them is left out."""
        offers = [each for part in self.parts if (each := part.offer(source)) is not None]
        if len(offers) < len(self.parts):
            return None
        fields = tuple(dict.fromkeys(name for each in offers for name in each.fields))
        cost = sum(each.cost for each in offers)
        return Offer(cost, fields, lambda: (record for each in offers for record in each.records()))


@dataclass(frozen=True)
class Best:
    """Conditions that must all hold: the one that leaves least is enough."""

    parts: tuple[Plan, ...]

    @property
    def steps(self) -> int:
        """Those of the part that begins nearest."""
        return min(part.steps for part in self.parts)

    def offer(self, source: Source) -> Offer | None:
        """The least that a part offers; once it is little, the other parts are not asked."""
        least: Offer | None = None
        for part in sorted(self.parts, key=lambda part: part.steps):
            found = part.offer(source)
            if found is not None and (least is None or found.cost < least.cost):
                least = found
            if least is not None and least.cost <= _FEW_RECORDS:
                break
        return least


def candidates(source: Source, type_name: str, plan: Plan | None) -> Iterable[Record]:
    """Every record that can match, oldest first: by index where one helps, else all."""
    offer = plan.offer(source) if plan else None
    if offer is None or offer.cost > _MANY_RECORDS:
        return source.records(type_name)
    found = {record["Id"]: record for record in offer.records()}
    return [found[record_id] for record_id in sorted(found)]
