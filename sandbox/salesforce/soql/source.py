"""What a query reads: the records one user may see, as living records only or with those in the bin."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import Protocol
from zoneinfo import ZoneInfo

from sandbox.clock import Clock
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import Schema
from sandbox.salesforce.soql.dates import Calendar
from sandbox.store import Record, fold


class Source(Protocol):
    """Records by type, found one by one, by an index, or all."""

    @property
    def schema(self) -> Schema:
        """The types there are."""

    @property
    def clock(self) -> Clock:
        """What relative dates count from."""

    @property
    def calendar(self) -> Calendar:
        """What a day and a fiscal year are."""

    @property
    def user_id(self) -> str:
        """Who asks."""

    def get(self, type_name: str, record_id: str) -> Record | None:
        """One record."""

    def find(self, type_name: str, field: str, value: object) -> list[Record]:
        """Records whose indexed field equals the value."""

    def count(self, type_name: str, field: str, value: object) -> int | None:
        """How many `find` would give; None when the field has no index."""

    def between(self, type_name: str, field: str, first: str, end: str) -> Iterable[Record]:
        """Records whose indexed field has a value from `first` to before `end`."""

    def count_between(self, type_name: str, field: str, first: str, end: str) -> int | None:
        """How many `between` would give; None when the field has no index."""

    def records(self, type_name: str) -> Iterator[Record]:
        """All records of a type, oldest first."""

    def size(self, type_name: str) -> int:
        """How many records a type has."""


class Living:
    """What a query sees."""

    def __init__(self, org: Org, user_id: str) -> None:
        self._org = org
        self.schema = org.schema
        self.clock = org.clock
        self.user_id = user_id

    @cached_property
    def calendar(self) -> Calendar:
        """The user's time zone, and the fiscal year of the org."""
        user = self.get("User", self.user_id) or {}
        organization = next(self.records("Organization"), {})
        zone = user.get("TimeZoneSidKey") or organization.get("TimeZoneSidKey") or "GMT"
        return Calendar(ZoneInfo(zone), int(organization.get("FiscalYearStartMonth") or 1))

    def get(self, type_name: str, record_id: str) -> Record | None:
        """A living record."""
        return self._org.get(type_name, record_id)

    def find(self, type_name: str, field: str, value: object) -> list[Record]:
        """Living records whose indexed field equals the value."""
        return self._org.find(type_name, field, value)

    def count(self, type_name: str, field: str, value: object) -> int | None:
        """How many living records `find` would give; None when the field has no index."""
        table = self._org.table(type_name)
        return table.count(field, value) if table.indexed(field) else None

    def between(self, type_name: str, field: str, first: str, end: str) -> Iterable[Record]:
        """Living records whose indexed field has a value from `first` to before `end`."""
        return self._org.table(type_name).between(field, first, end)

    def count_between(self, type_name: str, field: str, first: str, end: str) -> int | None:
        """How many living records `between` would give; None when the field has no index."""
        table = self._org.table(type_name)
        return table.count_between(field, first, end) if table.indexed(field) else None

    def records(self, type_name: str) -> Iterator[Record]:
        """All living records of a type."""
        return iter(self._org.table(type_name).all())

    def size(self, type_name: str) -> int:
        """How many living records a type has."""
        return len(self._org.table(type_name))


class WithDeleted(Living):
    """What queryAll sees: the bin as well."""

    def get(self, type_name: str, record_id: str) -> Record | None:
        """A record, living or deleted."""
        return super().get(type_name, record_id) or self._org.bin(type_name).get(record_id)

    def find(self, type_name: str, field: str, value: object) -> list[Record]:
        """Records whose indexed field equals the value; the bin has no indexes, so all of it is looked through."""
        deleted = (each for each in self._org.bin(type_name).all() if fold(each.get(field)) == fold(value))
        return [*super().find(type_name, field, value), *deleted]

    def between(self, type_name: str, field: str, first: str, end: str) -> Iterable[Record]:
        """Records whose indexed field has such a value, and all of the bin, where indexes are few."""
        return chain(super().between(type_name, field, first, end), self._org.bin(type_name).all())

    def records(self, type_name: str) -> Iterator[Record]:
        """All records of a type, the deleted ones last."""
        return chain(super().records(type_name), self._org.bin(type_name).all())

    def size(self, type_name: str) -> int:
        """How many records a type has, with the deleted ones."""
        return super().size(type_name) + len(self._org.bin(type_name))
