"""ORDER BY and what follows it: the keys to sort by, LIMIT and OFFSET."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from sandbox.salesforce.soql.columns import Operand
from sandbox.salesforce.soql.constants import sortable
from sandbox.salesforce.soql.source import Source
from sandbox.salesforce.soql.tree import Expression, Query
from sandbox.store import Record

LARGEST_OFFSET = 2000
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Key:
    """One key of the order."""

    operand: Operand
    descending: bool
    nulls_first: bool

    def rank(self, source: Source, record: Record) -> tuple[bool, Any]:
        """What to sort by; descending sorts are reversed, so nulls are put at the other end for them beforehand."""
        value = self.operand.value(source, record)
        behind = (value is None) != self.nulls_first
        return behind != self.descending, None if value is None else sortable(self.operand.field, value)


@dataclass(frozen=True)
class Order:
    """The keys, how many rows to leave out then, and how many to take; all when `limit` is None."""

    keys: tuple[Key, ...]
    limit: int | None
    offset: int

    def length(self, size: int) -> int:
        """How many of so many rows it takes."""
        rest = max(0, size - self.offset)
        return rest if self.limit is None else min(rest, self.limit)

    def arrange(self, source: Source, records: Iterable[Record], keep: Callable[[Record], Kept]) -> list[Kept]:
        """What to keep of each record, in order; of the rest only its keys are held while sorting."""
        end = None if self.limit is None else self.offset + self.limit
        if not self.keys:
            return [keep(record) for record in islice(records, self.offset, end)]
        rows = [(keep(record), [key.rank(source, record) for key in self.keys]) for record in records]
        for at, key in reversed(list(enumerate(self.keys))):
            rows.sort(key=lambda row, at=at: row[1][at], reverse=key.descending)  # type: ignore[misc]
        return [kept for kept, _ in rows[self.offset : end]]


def bind(query: Query, resolve: Callable[[Expression], Operand]) -> Order:
    """ORDER BY, LIMIT and OFFSET of a query. Raises ApiError."""
    if query.offset is not None and query.offset.value > LARGEST_OFFSET:
        message = f"Maximum SOQL offset allowed is {LARGEST_OFFSET}"
        raise query.offset.place.refuse("NUMBER_OUTSIDE_VALID_RANGE", message)
    keys = tuple(Key(_sortable(resolve, t.expression), t.descending, t.nulls_first) for t in query.order)
    limit = None if query.limit is None else query.limit.value
    return Order(keys, limit, 0 if query.offset is None else query.offset.value)


def _sortable(resolve: Callable[[Expression], Operand], expression: Expression) -> Operand:
    found = resolve(expression)
    if not found.field.filterable or found.field.type == "multipicklist":
        message = f"field '{found.field.name}' can not be sorted in a query call"
        raise expression.place.refuse("MALFORMED_QUERY", message)
    return found
