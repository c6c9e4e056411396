"""Typed records in the store: one book per kind of record."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Generic, Protocol, TypeVar

from pydantic import TypeAdapter

from sandbox.store import Record, Store

KEY_DIGITS = 12
_LAST_CHARACTER = chr(0x10FFFF)


class Numbered(Protocol):
    """A record with a numeric id of its system."""

    id: int


T = TypeVar("T", bound=Numbered)


class Book(Generic[T]):
    """Records of one dataclass by id. What it returns are copies: a change counts once it is `put`."""

    def __init__(self, store: Store, kind: str, record: type[T], *, indexes: Iterable[str] = ()) -> None:
        self._store = store
        self._kind = kind
        self._table = store.table(kind, indexes=indexes)
        self._adapter: TypeAdapter[T] = _adapter(record)

    def __len__(self) -> int:
        return len(self._table)

    def next_id(self) -> int:
        """An id no record of this book ever had."""
        return self._store.next_number(self._kind)

    def get(self, number: int) -> T | None:
        """The record with this id."""
        row = self._table.get(_key(number))
        return None if row is None else self._record(row)

    def put(self, record: T) -> T:
        """Insert or replace, and return the same record."""
        self._table.put(_key(record.id), self._adapter.dump_python(record))
        return record

    def delete(self, number: int) -> None:
        """Remove the record if there is one."""
        self._table.delete(_key(number))

    def all(self) -> list[T]:
        """Every record, by id; only for kinds of which there are few."""
        return self._sorted(self._table.all())

    def walk(self) -> Iterator[T]:
        """Every record, oldest first, read from disk as one goes; records may be changed on the way."""
        return (self._record(row) for row in self._table.all())

    def part(self, start: int, limit: int, *, newest_first: bool = False) -> list[T]:
        """So many records after the first `start` of them, in the order in which they were made."""
        return [self._record(row) for row in self._table.part(start, limit, newest_first=newest_first)]

    def find(self, field: str, value: object) -> list[T]:
        """Records whose indexed field equals the value, texts without regard to case, by id."""
        return self._sorted(self._table.find(field, value))

    def newest(self, field: str, value: object, *, limit: int, skip: int = 0) -> list[T]:
        """A part of what `find` would return, the newest first, without reading the rest."""
        return [self._record(row) for row in self._table.newest(field, value, limit=limit, skip=skip)]

    def oldest(self, field: str, value: object, *, limit: int, skip: int = 0) -> list[T]:
        """A part of what `find` would return, the oldest first, without reading the rest."""
        return [self._record(row) for row in self._table.oldest(field, value, limit=limit, skip=skip)]

    def beginning(self, field: str, prefix: str) -> list[T]:
        """Records whose indexed text begins so, without regard to case, by id."""
        return self._sorted(self._table.between(field, prefix, f"{prefix}{_LAST_CHARACTER}"))

    def count(self, field: str, value: object) -> int:
        """How many records `find` would return, without reading them."""
        return self._table.count(field, value)

    def _record(self, row: Record) -> T:
        return self._adapter.validate_python(row)

    def _sorted(self, rows: Iterable[Record]) -> list[T]:
        return sorted((self._record(row) for row in rows), key=_id)


@cache
def _adapter(record: type[T]) -> TypeAdapter[T]:
    """Made once in a process, because making it takes milliseconds."""
    return TypeAdapter(record)


def _key(number: int) -> str:
    return f"{number:0{KEY_DIGITS}d}"


def _id(record: Numbered) -> int:
    return record.id
