"""The append-only truth of what every outside system accepted: the judge in tests."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.clock import Clock

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    system TEXT NOT NULL,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_by_operation ON entries (system, operation, number);
CREATE TRIGGER IF NOT EXISTS entries_keep BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""


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
            key,
            correlation_id,
            json.dumps(dict(detail or {}), ensure_ascii=False),
        )
        cursor = self._db.execute(
            "INSERT INTO entries (at, system, operation, key, correlation_id, detail) VALUES (?, ?, ?, ?, ?, ?)", row
        )
        return int(cursor.lastrowid or 0)

    def read(self, system: str | None = None, operation: str | None = None, after: int = 0) -> list[Entry]:
        """Entries with a number above `after`, oldest first, of one system and operation when these are given."""
        rows = self._db.execute(
            "SELECT number, at, system, operation, key, correlation_id, detail FROM entries"
            " WHERE number > ? AND system = ifnull(?, system) AND operation = ifnull(?, operation) ORDER BY number",
            (after, system, operation),
        )
        return [_entry(row) for row in rows]

    def close(self) -> None:
        """Release the file."""
        self._db.close()


def _entry(row: tuple[int, str, str, str, str, str, str]) -> Entry:
    number, at, system, operation, key, correlation_id, detail = row
    return Entry(number, datetime.fromisoformat(at), system, operation, key, correlation_id, json.loads(detail))
