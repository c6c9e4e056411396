"""The append-only truth of what every outside system accepted: the judge in tests."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.clock import Clock

# What a mark is, sandbox/whmcs/marks.py says. NaN, which is no JSON to SQLite, may stand in a detail.
_MARK = "CASE WHEN json_valid(detail) THEN json_extract(detail, '$.mark') END"
_KEY = "(key != '' AND key = :key)"
_CORRELATION = "(correlation_id != '' AND correlation_id = :correlation_id)"
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    system TEXT NOT NULL,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_by_system ON entries (system, number);
CREATE INDEX IF NOT EXISTS entries_by_system_and_operation ON entries (system, operation, number, at);
CREATE INDEX IF NOT EXISTS entries_by_key ON entries (key, number) WHERE key != '';
CREATE INDEX IF NOT EXISTS entries_by_mark ON entries ({_MARK}, number);
CREATE INDEX IF NOT EXISTS entries_by_correlation ON entries (correlation_id, number) WHERE correlation_id != '';
CREATE INDEX IF NOT EXISTS entries_by_time ON entries (at);
CREATE TRIGGER IF NOT EXISTS entries_keep BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""
_COLUMNS = "number, at, system, operation, key, correlation_id, detail"


@dataclass(frozen=True)
class Entry:
    """One accepted request."""

    number: int
    at: datetime
    system: str
    operation: str
    key: str
    correlation_id: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """Which entries are asked for; what is None does not narrow.

    `after` and `before` are entry numbers, exclusive; `since` (inclusive) and `until` (exclusive) moments of the
    sandbox's clock. `word` is looked for in every column, which reads them all.
    """

    system: str | None = None
    operation: str | None = None
    key: str | None = None
    correlation_id: str | None = None
    after: int | None = None
    before: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    word: str | None = None

    def where(self) -> tuple[str, dict[str, Any]]:
        """The condition in SQL and its values."""
        clauses = {
            "system": "system = :system",
            "operation": "operation = :operation",
            "key": _KEY,
            "correlation_id": _CORRELATION,
            "after": "number > :after",
            "before": "number < :before",
            "since": "at >= :since",
            "until": "at < :until",
            "word": "instr(lower(system||' '||operation||' '||key||' '||correlation_id||' '||detail), lower(:word))",
        }
        values = {name: _cell(value) for name in clauses if (value := getattr(self, name)) is not None}
        return " AND ".join(clauses[name] for name in values) or "true", values


class Ledger:
    """Writes and reads entries; each write is committed before it returns."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    def write(
        self,
        system: str,
        operation: str,
        *,
        key: str = "",
        correlation_id: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> int:
        """Append one entry and return its number."""
        row = (
            self._clock.now().isoformat(),
            system,
            operation,
            _storable(key),
            _storable(correlation_id),
            _storable(json.dumps(dict(detail or {}), ensure_ascii=False)),
        )
        cursor = self._db.execute(
            "INSERT INTO entries (at, system, operation, key, correlation_id, detail) VALUES (?, ?, ?, ?, ?, ?)", row
        )
        return int(cursor.lastrowid or 0)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside is committed at the end and in one piece, which is much faster for many entries."""
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def read(self, system: str | None = None, operation: str | None = None, after: int = 0) -> list[Entry]:
        """All entries with a number above `after`, oldest first, of one system and operation when these are given."""
        return list(self.select(Wanted(system, operation, after=after)))

    def select(self, wanted: Wanted, *, limit: int | None = None, newest_first: bool = False) -> Iterator[Entry]:
        """The entries wanted, oldest first unless told otherwise, read from disk as one goes."""
        where, values = wanted.where()
        order = "DESC" if newest_first else "ASC"
        statement = f"SELECT {_COLUMNS} FROM entries WHERE {where} ORDER BY number {order} LIMIT :limit"  # noqa: S608
        rows = self._db.execute(statement, {**values, "limit": -1 if limit is None else limit})
        return (_entry(row) for row in rows)

    def about(self, key: str, correlation_id: str | None, *, limit: int) -> list[Entry]:
        """The newest entries whose key or mark names this record, or which share its correlation id; newest first."""
        statement = (
            f"SELECT {_COLUMNS} FROM entries WHERE {_KEY} OR {_MARK} = :key OR {_CORRELATION}"  # noqa: S608
            " ORDER BY number DESC LIMIT :limit"
        )
        values = {"key": key, "correlation_id": correlation_id, "limit": limit}
        return [_entry(row) for row in self._db.execute(statement, values)]

    def count(self, wanted: Wanted) -> int:
        """How many entries `select` would give."""
        where, values = wanted.where()
        return int(self._db.execute(f"SELECT count(*) FROM entries WHERE {where}", values).fetchone()[0])  # noqa: S608

    def counts(self, wanted: Wanted) -> dict[str, dict[str, int]]:
        """The same by system and operation."""
        where, values = wanted.where()
        statement = f"SELECT system, operation, count(*) FROM entries WHERE {where} GROUP BY 1, 2"  # noqa: S608
        found: dict[str, dict[str, int]] = {}
        for system, operation, number in self._db.execute(statement, values):
            found.setdefault(system, {})[operation] = number
        return found

    def systems(self) -> list[str]:
        """Every system that has an entry, by name."""
        # From one name to the next by the index; DISTINCT would walk through all entries.
        statement = (
            "WITH RECURSIVE found(name) AS (SELECT min(system) FROM entries UNION ALL"
            " SELECT (SELECT min(system) FROM entries WHERE system > name) FROM found WHERE name IS NOT NULL)"
            " SELECT name FROM found WHERE name IS NOT NULL"
        )
        return [name for (name,) in self._db.execute(statement)]

    def close(self) -> None:
        """Release the file."""
        self._db.close()


def _entry(row: tuple[int, str, str, str, str, str, str]) -> Entry:
    number, at, system, operation, key, correlation_id, detail = row
    return Entry(number, datetime.fromisoformat(at), system, operation, key, correlation_id, json.loads(detail))


def _cell(value: str | int | datetime) -> str | int:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _storable(text: str) -> str:
    """The text without the halves of characters that JSON lets through and SQLite does not."""
    return text.encode("utf-8", "backslashreplace").decode()
