"""Records in memory with indexes, written through to SQLite when a transaction commits, loaded again at start.

Everything runs on one event loop and no method waits, so a transaction needs no locks: nothing can come between.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    made INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, key)
);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Duplicate(Exception):
    """A unique field already holds this value in another record."""

    def __init__(self, kind: str, field: str, holder: str) -> None:
        super().__init__(f"{kind}.{field} is taken by {holder}")
        self.kind = kind
        self.field = field
        self.holder = holder


def fold(value: Any) -> Any:
    """How indexes compare: text without regard to case, everything else as it is."""
    return value.casefold() if isinstance(value, str) else value


class Table:
    """The records of one kind by key. Read freely; every change goes through the store's transaction."""

    def __init__(self, store: "Store", kind: str, indexes: Iterable[str], unique: Iterable[str]) -> None:
        self.kind = kind
        self._store = store
        self._rows: dict[str, Record] = {}
        self._unique = frozenset(unique)
        self._indexes: dict[str, dict[Any, dict[str, None]]] = {name: {} for name in {*indexes, *self._unique}}

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> Record | None:
        """The record with this key; treat it as read-only."""
        return self._rows.get(key)

    def all(self) -> Iterable[Record]:
        """Every record, oldest first."""
        return self._rows.values()

    def indexed(self, field: str) -> bool:
        """Whether `find` can be asked about this field."""
        return field in self._indexes

    def find(self, field: str, value: Any) -> list[Record]:
        """Records whose indexed field equals the value (see `fold`), in the order in which they came to hold it."""
        return [self._rows[key] for key in self._indexes[field].get(fold(value), ())]

    def put(self, key: str, record: Record) -> None:
        """Insert or replace. Raises Duplicate, changing nothing, when a unique field clashes."""
        self._refuse_duplicates(key, record)
        with self._store.transaction():
            self._store.remember(self, key, self._rows.get(key))
            self.place(key, dict(record))

    def delete(self, key: str) -> None:
        """Remove the record if there is one."""
        with self._store.transaction():
            self._store.remember(self, key, self._rows.get(key))
            self.place(key, None)

    def place(self, key: str, record: Record | None) -> None:
        """Set memory alone; for the store's loading and rolling back."""
        old: Record = self._rows.get(key, {})
        new: Record = record or {}
        if record is None:
            self._rows.pop(key, None)
        else:
            self._rows[key] = record
        for field, index in self._indexes.items():
            if fold(old.get(field)) != fold(new.get(field)):
                _unlink(index, fold(old.get(field)), key)
                _link(index, fold(new.get(field)), key)

    def _refuse_duplicates(self, key: str, record: Record) -> None:
        for field in self._unique:
            value = record.get(field)
            for holder in self._indexes[field].get(fold(value), ()) if value is not None else ():
                if holder != key:
                    raise Duplicate(self.kind, field, holder)


def _link(index: dict[Any, dict[str, None]], value: Any, key: str) -> None:
    if value is not None:
        index.setdefault(value, {})[key] = None


def _unlink(index: dict[Any, dict[str, None]], value: Any, key: str) -> None:
    keys = index.get(value, {})
    keys.pop(key, None)
    if not keys:
        index.pop(value, None)


class Store:
    """Tables of one system in one SQLite file.

    `with store.transaction():` may nest; an exception passing through a level undoes exactly that level's changes.
    Leaving the outermost level writes everything in one SQLite transaction and then calls the `on_commit` functions.
    """

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._tables: dict[str, Table] = {}
        self._counters: dict[str, int] = dict(self._db.execute("SELECT name, value FROM counters"))
        self._depth = 0
        self._undo: list[tuple[Table, str, Record | None]] = []
        self._after_commit: list[Callable[[], None]] = []
        self._counted: set[str] = set()

    def table(self, kind: str, *, indexes: Iterable[str] = (), unique: Iterable[str] = ()) -> Table:
        """Declare a kind of record and load what the file holds of it."""
        table = Table(self, kind, indexes, unique)
        for key, body in self._db.execute("SELECT key, body FROM records WHERE kind = ? ORDER BY made", (kind,)):
            table.place(key, json.loads(body))
        self._tables[kind] = table
        return table

    def next_number(self, counter: str, *, start: int = 1) -> int:
        """The next number of a named series. Like an autonumber it is not given back when a transaction fails."""
        value = self._counters.get(counter, start - 1) + 1
        self._counters[counter] = value
        self._counted.add(counter)
        if not self._depth:
            self._write()
        return value

    def on_commit(self, act: Callable[[], None]) -> None:
        """Call `act` once the running transaction is on disk; never, when it is undone. At once outside of one."""
        if self._depth:
            self._after_commit.append(act)
        else:
            act()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing for the changes made inside; see the class."""
        undo_mark, act_mark = len(self._undo), len(self._after_commit)
        self._depth += 1
        try:
            yield
        except BaseException:
            self._undo_to(undo_mark)
            del self._after_commit[act_mark:]
            raise
        else:
            if self._depth == 1:
                self._write()
        finally:
            self._depth -= 1
        if not self._depth:
            acts, self._after_commit = self._after_commit, []
            for act in acts:
                act()

    def remember(self, table: Table, key: str, before: Record | None) -> None:
        """Note what a record was before a change; called by tables."""
        self._undo.append((table, key, before))

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def _undo_to(self, mark: int) -> None:
        while len(self._undo) > mark:
            table, key, before = self._undo.pop()
            table.place(key, before)

    def _write(self) -> None:
        changed = {(table.kind, key): table.get(key) for table, key, _ in self._undo}
        self._undo.clear()
        counted, self._counted = self._counted, set()
        if not changed and not counted:
            return
        self._db.execute("BEGIN")
        for (kind, key), record in changed.items():
            self._write_record(kind, key, record)
        for name in counted:
            self._db.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (name, self._counters[name]))
        self._db.execute("COMMIT")

    def _write_record(self, kind: str, key: str, record: Record | None) -> None:
        if record is None:
            self._db.execute("DELETE FROM records WHERE kind = ? AND key = ?", (kind, key))
            return
        body = json.dumps(record, ensure_ascii=False)
        # Not INSERT OR REPLACE: an updated record keeps its place in the order of creation.
        self._db.execute(
            "INSERT INTO records (kind, key, body) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
            (kind, key, body),
        )
