"""How few records can hold all that a condition may match, and where to find them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from sandbox.salesforce.soql.columns import ANY_TYPE, Column
from sandbox.salesforce.soql.source import Source
from sandbox.store import Record

# Beyond this many parents their children are not counted one by one.
_FEW = 200
# Beyond this many records all of a type are walked through, because those of an index are held in memory at once.
_MANY = 10_000


class Plan(Protocol):
    """A necessary condition that indexes can answer."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The indexed fields it uses."""

    def cost(self, source: Source) -> int | None:
        """How many records it offers; None when no index helps."""

    def records(self, source: Source) -> Iterable[Record]:
        """Every record that can match, some perhaps twice, and some that do not."""


@dataclass(frozen=True)
class Lookup:
    """A column that must have one of some values; those of a sub-query are found when they are needed."""

    column: Column
    find_values: Callable[[], Sequence[Any]]

    @cached_property
    def values(self) -> Sequence[Any]:
        """The values, none of them null."""
        return self.find_values()

    @property
    def fields(self) -> tuple[str, ...]:
        """The field at the end of the path, or where there is a path the reference it begins with."""
        return ((self.column.hops[0] if self.column.hops else self.column.field).name,)

    def cost(self, source: Source) -> int | None:
        """Counted in the index of the last field, then back along the path."""
        if ANY_TYPE in self.column.owners:
            return None
        found = self._holders_count(source)
        if found is None or not self.column.hops:
            return found
        return self._children_count(source) if found <= _FEW else None

    def records(self, source: Source) -> Iterable[Record]:
        """The records at the path's start."""
        return self._climb(source, self._holders(source), len(self.column.hops))

    def _holders_count(self, source: Source) -> int | None:
        holder, name = self.column.owners[-1].name, self.column.field.name
        if name == "Id":
            return len(self.values)
        counts = [source.count(holder, name, value) for value in self.values]
        return None if None in counts else sum(each or 0 for each in counts)

    def _children_count(self, source: Source) -> int | None:
        records = self._climb(source, self._holders(source), len(self.column.hops) - 1)
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
    def fields(self) -> tuple[str, ...]:
        """The field."""
        return (self.column.field.name,)

    def cost(self, source: Source) -> int | None:
        """Counted in the field's index; None behind a path, from whose end it would be far back."""
        if self.column.hops:
            return None
        return source.count_between(self.column.owners[0].name, self.column.field.name, self.first, self.end)

    def records(self, source: Source) -> Iterable[Record]:
        """Those of the index."""
        return source.between(self.column.owners[0].name, self.column.field.name, self.first, self.end)


@dataclass(frozen=True)
class Union:
    """Conditions of which one must hold, each with a plan."""

    parts: tuple[Plan, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """Those of every part."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.fields))

    def cost(self, source: Source) -> int | None:
        """The sum, as no part is left out."""
        costs = [part.cost(source) for part in self.parts]
        return None if None in costs else sum(each or 0 for each in costs)

    def records(self, source: Source) -> Iterable[Record]:
        """Those of every part."""
        return (record for part in self.parts for record in part.records(source))


@dataclass(frozen=True)
class Best:
    """Conditions that must all hold: the one that leaves least is enough."""

    parts: tuple[Plan, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """Those of every part, as any may be chosen."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.fields))

    def cost(self, source: Source) -> int | None:
        """The least of the parts."""
        return min((cost for part in self.parts if (cost := part.cost(source)) is not None), default=None)

    def records(self, source: Source) -> Iterable[Record]:
        """Those of the cheapest part."""
        costs = [(cost, at) for at, part in enumerate(self.parts) if (cost := part.cost(source)) is not None]
        return self.parts[min(costs)[1]].records(source)


def candidates(source: Source, type_name: str, plan: Plan | None) -> Iterable[Record]:
    """Every record that can match, oldest first: by index where one helps, else all."""
    cost = plan.cost(source) if plan else None
    if plan is None or cost is None or cost > _MANY:
        return source.records(type_name)
    found = {record["Id"]: record for record in plan.records(source)}
    return [found[record_id] for record_id in sorted(found)]
