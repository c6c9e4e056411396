"""Records on disk: one SQLite file per system, with indexes of our own beside the records, and the last few in memory.

Everything runs on one event loop and no method waits, so a transaction needs no locks: nothing can come between.
Memory does not grow with the number of records: what is kept of them is bounded (`sandbox.recent`).
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.recent import Recent, Row

Record = Mapping[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    made INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (kind, key)
);
CREATE INDEX IF NOT EXISTS records_in_order ON records (kind, made);
CREATE TABLE IF NOT EXISTS indexed_fields (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (kind, name)
);
CREATE TABLE IF NOT EXISTS index_rows (
    field INTEGER NOT NULL,
    value,
    made INTEGER NOT NULL,
    PRIMARY KEY (field, value, made)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
_HOLDERS = "FROM index_rows CROSS JOIN records USING (made) WHERE field = ? AND value = ? ORDER BY index_rows.made"
# Rows read ahead while a table is walked: few, because a record may be a file of many megabytes.
_AHEAD = 16
_LARGEST_INTEGER = 2**63 - 1


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
    """The records of one kind by key. A record that was read is read-only; a change is a `put` of the whole record."""

    def __init__(self, store: "Store", kind: str, indexes: Iterable[str], unique: Iterable[str]) -> None:
        self.kind = kind
        self._store = store
        self._db = store.db
        self._unique = frozenset(unique)
        self._fields: dict[str, int] = {}
        with store.transaction():
            self._declare({*indexes, *self._unique})

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM records WHERE kind = ?", (self.kind,)).fetchone()[0])

    def get(self, key: str) -> Record | None:
        """The record with this key."""
        row = self._row(key)
        return row.record if row else None

    def all(self, *, newest_first: bool = False) -> Iterator[Record]:
        """Every record in the order of creation, a few read ahead; those made meanwhile are left out."""
        (newest,) = self._db.execute("SELECT max(made) FROM records WHERE kind = ?", (self.kind,)).fetchone()
        at, sign, order = (newest or 0, "<=", "DESC") if newest_first else (0, ">=", "ASC")
        page = (
            f"SELECT made, key, body FROM records WHERE kind = ? AND made {sign} ? AND made <= ?"  # noqa: S608
            f" ORDER BY made {order} LIMIT {_AHEAD}"
        )
        while rows := self._db.execute(page, (self.kind, at, newest)).fetchall():
            for made, key, body in rows:
                yield self._parsed(made, key, body).record
            at = rows[-1][0] + (-1 if newest_first else 1)

    def part(self, start: int, limit: int, *, newest_first: bool = False) -> list[Record]:
        """So many records behind the first `start` of them, which are not read, in the order of creation."""
        order = "DESC" if newest_first else "ASC"
        statement = f"SELECT made, key, body FROM records WHERE kind = ? ORDER BY made {order} LIMIT ? OFFSET ?"  # noqa: S608
        rows = self._db.execute(statement, (self.kind, limit, start))
        return [self._parsed(made, key, body).record for made, key, body in rows]

    def indexed(self, field: str) -> bool:
        """Whether `find` and `count` can be asked about this field."""
        return field in self._fields

    def find(self, field: str, value: Any) -> list[Record]:
        """Records whose indexed field equals the value (see `fold`), in the order of creation; none for None."""
        rows = self._db.execute(f"SELECT made, key, body {_HOLDERS}", (self._fields[field], _cell(fold(value))))
        return [self._parsed(made, key, body).record for made, key, body in rows]

    def between(self, field: str, first: Any, end: Any) -> Iterator[Record]:
        """Records whose indexed field has a value from `first` to before `end` (see `fold`), in the order of values."""
        statement = (
            "SELECT records.made, key, body FROM index_rows CROSS JOIN records USING (made)"
            " WHERE field = ? AND value >= ? AND value < ? ORDER BY value, index_rows.made"
        )
        rows = self._db.execute(statement, (self._fields[field], _cell(fold(first)), _cell(fold(end))))
        return (self._parsed(made, key, body).record for made, key, body in rows)

    def count_between(self, field: str, first: Any, end: Any) -> int:
        """How many records `between` would give, without reading them."""
        statement = "SELECT count(*) FROM index_rows WHERE field = ? AND value >= ? AND value < ?"
        values = (self._fields[field], _cell(fold(first)), _cell(fold(end)))
        return int(self._db.execute(statement, values).fetchone()[0])

    def newest(self, field: str, value: Any, *, limit: int, skip: int = 0) -> list[Record]:
        """A part of what `find` would return, the newest first, without reading the rest."""
        statement = f"SELECT made, key, body {_HOLDERS} DESC LIMIT ? OFFSET ?"
        rows = self._db.execute(statement, (self._fields[field], _cell(fold(value)), limit, skip))
        return [self._parsed(made, key, body).record for made, key, body in rows]

    def oldest(self, field: str, value: Any, *, limit: int, skip: int = 0) -> list[Record]:
        """A part of what `find` would return, without reading the rest."""
        statement = f"SELECT made, key, body {_HOLDERS} LIMIT ? OFFSET ?"
        rows = self._db.execute(statement, (self._fields[field], _cell(fold(value)), limit, skip))
        return [self._parsed(made, key, body).record for made, key, body in rows]

    def count(self, field: str, value: Any) -> int:
        """How many records `find` would return, without reading them."""
        statement = "SELECT count(*) FROM index_rows WHERE field = ? AND value = ?"
        return int(self._db.execute(statement, (self._fields[field], _cell(fold(value)))).fetchone()[0])

    def put(self, key: str, record: Record) -> None:
        """Insert or replace. Raises Duplicate, changing nothing, when a unique field clashes."""
        self._refuse_duplicates(key, record)
        new = dict(record)
        body = json.dumps(new, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        old = self._row(key)
        with self._store.transaction():
            self._store.touch(self.kind, key)
            made = self._write(key, body, old)
            self._index(made, old.record if old else {}, new)
            self._store.recent.keep((self.kind, key), Row(made, new, len(body)))

    def delete(self, key: str) -> None:
        """Remove the record if there is one."""
        old = self._row(key)
        if old is None:
            return
        with self._store.transaction():
            self._store.touch(self.kind, key)
            self._db.execute("DELETE FROM records WHERE made = ?", (old.made,))
            self._index(old.made, old.record, {})
            self._store.recent.forget((self.kind, key))

    def _row(self, key: str) -> Row | None:
        kept = self._store.recent.get((self.kind, key))
        if kept is not None:
            return kept
        statement = "SELECT made, body FROM records WHERE kind = ? AND key = ?"
        found = self._db.execute(statement, (self.kind, _cell(key))).fetchone()
        if found is None:
            return None
        row = Row(found[0], json.loads(found[1]), len(found[1]))
        self._store.recent.keep((self.kind, key), row)
        return row

    def _parsed(self, made: int, key: str, body: bytes) -> Row:
        """The row, without parsing it again when it is in memory; walking through records leaves that memory alone."""
        return self._store.recent.get((self.kind, key)) or Row(made, json.loads(body), len(body))

    def _write(self, key: str, body: bytes, old: Row | None) -> int:
        # Not INSERT OR REPLACE: an updated record keeps its place in the order of creation.
        if old:
            self._db.execute("UPDATE records SET body = ? WHERE made = ?", (body, old.made))
            return old.made
        statement = "INSERT INTO records (kind, key, body) VALUES (?, ?, ?)"
        return int(self._db.execute(statement, (self.kind, _cell(key), body)).lastrowid or 0)

    def _index(self, made: int, old: Record, new: Record) -> None:
        for name, field in self._fields.items():
            before, after = _cell(fold(old.get(name))), _cell(fold(new.get(name)))
            if before == after:
                continue
            if before is not None:
                statement = "DELETE FROM index_rows WHERE field = ? AND value = ? AND made = ?"
                self._db.execute(statement, (field, before, made))
            if after is not None:
                self._db.execute("INSERT INTO index_rows VALUES (?, ?, ?)", (field, after, made))

    def _refuse_duplicates(self, key: str, record: Record) -> None:
        for name in self._unique:
            statement = f"SELECT key {_HOLDERS}"
            for (holder,) in self._db.execute(statement, (self._fields[name], _cell(fold(record.get(name))))):
                if holder != _cell(key):
                    raise Duplicate(self.kind, name, holder)

    def _declare(self, wanted: set[str]) -> None:
        """Make the file's indexes of this kind those that are wanted: a new one is filled, an old one forgotten."""
        held = dict(self._db.execute("SELECT name, number FROM indexed_fields WHERE kind = ?", (self.kind,)))
        for name in held.keys() - wanted:
            self._db.execute("DELETE FROM index_rows WHERE field = ?", (held[name],))
            self._db.execute("DELETE FROM indexed_fields WHERE number = ?", (held[name],))
        self._fields = {name: held[name] for name in held.keys() & wanted}
        for name in sorted(wanted - held.keys()):
            statement = "INSERT INTO indexed_fields (kind, name) VALUES (?, ?)"
            self._fields[name] = int(self._db.execute(statement, (self.kind, name)).lastrowid or 0)
            self._fill(name)

    def _fill(self, name: str) -> None:
        rows = self._db.execute("SELECT made, body FROM records WHERE kind = ?", (self.kind,))
        values = ((made, json.loads(body).get(name)) for made, body in rows)
        cells = ((self._fields[name], _cell(fold(value)), made) for made, value in values if value is not None)
        self._db.executemany("INSERT INTO index_rows VALUES (?, ?, ?)", cells)


class Store:
    """Tables of one system in one SQLite file.

    `with store.transaction():` may nest; an exception passing through a level undoes exactly that level's changes.
    Leaving the outermost level commits to disk, counts it in `commits`, and then calls the `on_commit` functions.
    """

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(_SCHEMA)
        self.recent = Recent()
        self.commits = 0
        self._tables: dict[str, Table] = {}
        self._counters: dict[str, int] = dict(self.db.execute("SELECT name, value FROM counters"))
        self._counted: set[str] = set()
        self._depth = 0
        self._touched: list[tuple[str, str]] = []
        self._after_commit: list[Callable[[], None]] = []

    def table(self, kind: str, *, indexes: Iterable[str] = (), unique: Iterable[str] = ()) -> Table:
        """Declare a kind of record, and by which fields its records are found."""
        self._tables[kind] = Table(self, kind, indexes, unique)
        return self._tables[kind]

    def table_of(self, kind: str) -> Table:
        """A table that was declared. Raises ValueError."""
        if kind not in self._tables:
            raise ValueError(f"there are no records of kind {kind} here; what a --schema file declares needs it again")
        return self._tables[kind]

    def next_number(self, counter: str, *, start: int = 1) -> int:
        """The next number of a named series. Like an autonumber it is not given back when a transaction fails."""
        value = self._counters.get(counter, start - 1) + 1
        self._counters[counter] = value
        self._counted.add(counter)
        if not self._depth:
            self._save_counters()
        return value

    def counters(self) -> dict[str, int]:
        """The last number given out in each named series."""
        return dict(self._counters)

    def set_counter(self, counter: str, value: int) -> None:
        """Go on behind this number; for a state that comes from elsewhere."""
        self._counters[counter] = value
        self.db.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (counter, value))

    def records(self) -> Iterator[tuple[str, str, Record]]:
        """Kind, key and content of everything there is, in the order of creation, read from disk as one goes."""
        for kind, key, body in self.db.execute("SELECT kind, key, body FROM records ORDER BY made"):
            yield kind, key, json.loads(body)

    def on_commit(self, act: Callable[[], None]) -> None:
        """Call `act` once the running transaction is on disk; never, when it is undone. At once outside of one."""
        if self._depth:
            self._after_commit.append(act)
        else:
            act()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing for the changes made inside; see the class."""
        touched, acts = len(self._touched), len(self._after_commit)
        self.db.execute("SAVEPOINT level" if self._depth else "BEGIN")
        self._depth += 1
        try:
            yield
            self._keep()
        except BaseException:
            self._undo(touched, acts)
            raise
        if not self._depth:
            waiting, self._after_commit = self._after_commit, []
            for act in waiting:
                act()

    @contextmanager
    def trial(self) -> Iterator[None]:
        """An outermost transaction after whose failure the numbers count as not given either."""
        before = self.counters()
        try:
            with self.transaction():
                yield
        except BaseException:
            self._counters = before
            with self.transaction():
                self.db.execute("DELETE FROM counters")
                self._counted.update(before)
            raise

    @contextmanager
    def replacing(self) -> Iterator[None]:
        """An empty store to be filled inside; an exception brings back all that was there before, numbers too."""
        with self.trial():
            for table in ("records", "index_rows", "counters"):
                self.db.execute(f"DELETE FROM {table}")  # noqa: S608
            self._counters.clear()
            self.recent.clear()
            yield

    def touch(self, kind: str, key: str) -> None:
        """Note that a record changes in the running transaction; called by tables."""
        self._touched.append((kind, key))

    def close(self) -> None:
        """Release the file."""
        self.db.close()

    def _keep(self) -> None:
        """End the innermost level with its changes."""
        if self._depth > 1:
            self.db.execute("RELEASE level")
        else:
            self._save_counters()
            self.db.execute("COMMIT")
            self.commits += 1
            self._touched.clear()
        self._depth -= 1

    def _undo(self, touched: int, acts: int) -> None:
        """End the innermost level without them: the file goes back, and memory forgets what it knew of the records."""
        self._depth -= 1
        for each in self._touched[touched:]:
            self.recent.forget(each)
        del self._touched[touched:], self._after_commit[acts:]
        # SQLite itself rolls back when it cannot go on, such as with a full disk.
        if not self.db.in_transaction:
            return
        if self._depth:
            self.db.execute("ROLLBACK TO level")
            self.db.execute("RELEASE level")
        else:
            self.db.execute("ROLLBACK")
            self._save_counters()

    def _save_counters(self) -> None:
        counted, self._counted = self._counted, set()
        rows = [(name, self._counters[name]) for name in counted]
        self.db.executemany("INSERT OR REPLACE INTO counters VALUES (?, ?)", rows)


def _cell(value: Any) -> Any:
    """A value as SQLite can hold it, equal only to equal ones: what does not fit its types becomes bytes."""
    if isinstance(value, str) and not value.isascii():
        encoded = value.encode("utf-8", "surrogatepass")
        return value if _is_unicode(encoded) else encoded
    if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
        return str(value).encode()
    return value


def _is_unicode(encoded: bytes) -> bool:
    try:
        encoded.decode()
    except UnicodeDecodeError:
        return False
    return True
