"""The event bus: events by topic with replay numbers, kept on disk, and a bell that wakes whoever waits for more."""

import asyncio
import sqlite3
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sandbox.clock import Clock
from sandbox.ledger import Ledger

RETENTION = timedelta(hours=72)
# How long the tip may stand still: events of other tenants move it along on the real bus.
_TIP_MOVES_EVERY = timedelta(minutes=1)
_OTHER_TENANTS = ""
# Other tenants share the real bus, so replay numbers have gaps (salesforce-wire.md, section 1.4).
_WIDEST_GAP = 5

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    replay INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    event_id TEXT NOT NULL,
    schema_id TEXT NOT NULL,
    payload BLOB NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_topic ON events (topic, replay);
"""

Encoder = Callable[[str, Mapping[str, Any]], tuple[str, bytes]]


@dataclass(frozen=True)
class StoredEvent:
    """One event as it lies on the bus; `payload` is a bare Avro datum of the schema `schema_id`."""

    replay: int
    topic: str
    event_id: str
    schema_id: str
    payload: bytes
    created_at: datetime


class Bus:
    """Publishes and reads events. `encode(topic, fields)` gives schema id and bytes and raises for an unknown topic."""

    def __init__(self, path: Path, clock: Clock, ledger: Ledger, encode: Encoder) -> None:
        self._clock = clock
        self._ledger = ledger
        self._encode = encode
        self._gaps = Random()
        self._bell = asyncio.Event()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    def publish(self, topic: str, payload: Mapping[str, Any], *, event_id: str | None = None) -> StoredEvent:
        """Encode the fields and put the event on the bus."""
        schema_id, encoded = self._encode(topic, payload)
        return self.append(topic, schema_id, encoded, event_id=event_id)

    def append(self, topic: str, schema_id: str, payload: bytes, *, event_id: str | None = None) -> StoredEvent:
        """Put an already encoded event on the bus and wake all who wait."""
        event = self._insert(topic, schema_id, payload, event_id or str(uuid.uuid4()))
        self._ledger.write("pubsub", "event", key=event.event_id, detail={"topic": topic, "replay": event.replay})
        self._ring()
        return event

    def after(self, topic: str, replay: int, limit: int) -> list[StoredEvent]:
        """Up to `limit` events of the topic behind a replay number, in order; those past retention may still show."""
        rows = self._db.execute(
            "SELECT * FROM events WHERE topic = ? AND replay > ? ORDER BY replay LIMIT ?", (topic, replay, limit)
        )
        return [_event(row) for row in rows]

    def earliest(self, topic: str) -> int:
        """The replay number that lies directly before the oldest event of the topic within retention."""
        horizon = (self._clock.now() - RETENTION).isoformat()
        row = self._db.execute(
            "SELECT min(replay) FROM events WHERE topic = ? AND created_at >= ?", (topic, horizon)
        ).fetchone()
        return self.latest() if row[0] is None else int(row[0]) - 1

    def latest(self) -> int:
        """The highest replay number handed out on any topic; 0 on an empty bus."""
        return int(self._db.execute("SELECT ifnull(max(replay), 0) FROM events").fetchone()[0])

    def tip(self) -> int:
        """A replay number behind every event there is, young enough to resume from for the length of the retention."""
        latest = self.latest()
        since = self.written_at(latest)
        if since is None or self._clock.now() - since >= _TIP_MOVES_EVERY:
            return self._insert(_OTHER_TENANTS, "", b"", "").replay
        return latest

    def written_at(self, replay: int) -> datetime | None:
        """When the bus reached this replay number; None when it never did."""
        if replay > self.latest():
            return None
        row = self._db.execute(
            "SELECT created_at FROM events WHERE replay <= ? ORDER BY replay DESC LIMIT 1", (replay,)
        ).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def wait(self) -> Coroutine[Any, Any, bool]:
        """Await it to return when anything is published after this call, even before the awaiting begins."""
        return self._bell.wait()

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def _insert(self, topic: str, schema_id: str, payload: bytes, event_id: str) -> StoredEvent:
        replay = self.latest() + self._gaps.randint(1, _WIDEST_GAP)
        event = StoredEvent(replay, topic, event_id, schema_id, payload, self._clock.now())
        self._db.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
            (replay, topic, event_id, schema_id, payload, event.created_at.isoformat()),
        )
        return event

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()


def _event(row: tuple[int, str, str, str, bytes, str]) -> StoredEvent:
    replay, topic, event_id, schema_id, payload, created_at = row
    return StoredEvent(replay, topic, event_id, schema_id, payload, datetime.fromisoformat(created_at))
