"""The records that were used last, parsed, within a fixed amount of memory."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# As JSON; parsed it takes some five times as much.
_MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """A record, its place in the order of creation and the size of its JSON in bytes."""

    made: int
    record: Mapping[str, Any]
    size: int


class Recent:
    """Rows by kind and key; the one not asked for the longest goes first when there are too many."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._rows: OrderedDict[tuple[str, str], Row] = OrderedDict()
        self._size = 0

    def get(self, name: tuple[str, str]) -> Row | None:
        """The row if it is still here."""
        row = self._rows.get(name)
        if row is not None:
            self._rows.move_to_end(name)
        return row

    def keep(self, name: tuple[str, str], row: Row) -> None:
        """Remember the row in place of an older one; one that would fill all the room is not kept."""
        self.forget(name)
        if row.size > self._most:
            return
        self._rows[name] = row
        self._size += row.size
        while self._size > self._most:
            _, oldest = self._rows.popitem(last=False)
            self._size -= oldest.size

    def forget(self, name: tuple[str, str]) -> None:
        """Drop the row if it is here."""
        row = self._rows.pop(name, None)
        if row is not None:
            self._size -= row.size

    def clear(self) -> None:
        """Drop everything."""
        self._rows.clear()
        self._size = 0
