"""The event bus: events by topic with replay numbers, kept on disk for their retention, and listeners to wake."""

import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Protocol

from sandbox.clock import Clock
from sandbox.ledger import Ledger

RETENTION = timedelta(hours=72)
# Every event is still there as long as it may be asked for; the purge lags behind, as the real one does.
_PURGE_LAG = timedelta(hours=1)
_PURGE_EVERY = timedelta(minutes=10)
_MOST_PURGED = 5000
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
_OF_TOPIC = "SELECT * FROM events WHERE topic = ? AND replay > ? ORDER BY replay LIMIT ?"

Encoder = Callable[[str, Mapping[str, Any]], tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Draft:
    """An encoded event on its way to the bus; `payload` is a bare Avro datum of the schema `schema_id`."""

    topic: str
    schema_id: str
    payload: bytes
    event_id: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as it lies on the bus."""

    replay: int
    topic: str
    event_id: str
    schema_id: str
    payload: bytes
    created_at: datetime


class Mishaps(Protocol):
    """What may happen to an event on its way to the bus."""

    def altered(self, draft: Draft) -> Draft:
        """The event as it goes on the bus."""

    def copies(self, draft: Draft) -> Iterable[Draft]:
        """What goes on the bus behind it as well."""


class Bus:
    """Publishes and reads events. `encode(topic, fields)` gives schema id and bytes and raises for an unknown topic.
    `mishaps` may change what is put on it.

    Used from one event loop; memory does not grow with the number of events.
    """

    def __init__(self, path: Path, clock: Clock, ledger: Ledger, encode: Encoder) -> None:
        self._clock = clock
        self._ledger = ledger
        self._encode = encode
        self._gaps = Random()
        self._listeners: set[Callable[[], None]] = set()
        self.mishaps: Mishaps | None = None
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self.reload()

    def publish(self, topic: str, payload: Mapping[str, Any], *, event_id: str | None = None) -> StoredEvent:
        """Encode the fields and put the event on the bus. Raises what the encoder raises."""
        schema_id, encoded = self._encode(topic, payload)
        return self.append(topic, schema_id, encoded, event_id=event_id)

    def append(self, topic: str, schema_id: str, payload: bytes, *, event_id: str | None = None) -> StoredEvent:
        """Put an already encoded event on the bus and wake all who wait; without an id it is given one."""
        (event,) = self.append_all([Draft(topic, schema_id, payload, event_id or str(uuid.uuid4()))])
        return event

    def append_all(self, drafts: Iterable[Draft]) -> list[StoredEvent]:
        """Put events on the bus in this order and in one piece: after a crash all are there or none."""
        drafts = [self.mishaps.altered(each) for each in drafts] if self.mishaps else list(drafts)
        copies = [copy for each in drafts for copy in self.mishaps.copies(each)] if self.mishaps else []
        written = self._insert([*drafts, *copies])
        with self._ledger.together():
            for event in written:
                detail = {"topic": event.topic, "replay": event.replay}
                self._ledger.write("pubsub", "event", key=event.event_id, detail=detail)
        self._purge_when_due()
        self._wake()
        return written[: len(drafts)]

    def after(self, topic: str, replay: int, limit: int) -> list[StoredEvent]:
        """Up to `limit` events of the topic behind a replay number, in order; those past retention may still show."""
        return self.next_of((topic,), replay, limit)

    def next_of(
        self, topics: tuple[str, ...], replay: int, limit: int, most_bytes: int | None = None
    ) -> list[StoredEvent]:
        """What `after` gives, of several topics in the bus' one order. The payloads together stay within `most_bytes`,
        but the first event comes in any case."""
        return list(_fitting(map(_event, self._rows(topics, replay, limit)), most_bytes))

    def earliest(self, *topics: str) -> int:
        """The replay number that lies directly before the oldest event of these topics within retention."""
        horizon = (self._clock.now() - RETENTION).isoformat()
        statement = "SELECT replay FROM events WHERE topic = ? AND created_at >= ? ORDER BY replay LIMIT 1"
        found = [self._db.execute(statement, (topic, horizon)).fetchone() for topic in topics]
        return min((int(row[0]) - 1 for row in found if row), default=self._latest)

    def latest(self) -> int:
        """The highest replay number handed out on any topic; 0 on a bus that never had an event."""
        return self._latest

    def tip(self) -> int:
        """A replay number behind every event there is, young enough to resume from for the length of the retention."""
        since = self.written_at(self._latest)
        if since is None or self._clock.now() - since >= _TIP_MOVES_EVERY:
            self._insert([Draft(_OTHER_TENANTS, "", b"", "")])
            self._purge_when_due()
        return self._latest

    def written_at(self, replay: int) -> datetime | None:
        """When the bus reached this replay number; None when it never did, or so long ago that nobody knows."""
        if replay > self._latest:
            return None
        row = self._db.execute(
            "SELECT created_at FROM events WHERE replay <= ? ORDER BY replay DESC LIMIT 1", (replay,)
        ).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def resumable(self, replay: int) -> bool:
        """Whether delivery can go on behind this number: it was reached, and within the retention."""
        reached = self.written_at(replay)
        return reached is not None and self._clock.now() - reached <= RETENTION

    def purge(self) -> int:
        """Forget events that are well past retention, a few thousand at a time; says how many. The newest stays, so
        that no replay number is ever given twice."""
        horizon = (self._clock.now() - RETENTION - _PURGE_LAG).isoformat()
        oldest = "SELECT replay, created_at FROM events WHERE replay < ? ORDER BY replay LIMIT ?"
        statement = f"SELECT max(replay) FROM ({oldest}) WHERE created_at < ?"  # noqa: S608
        (up_to,) = self._db.execute(statement, (self._latest, _MOST_PURGED, horizon)).fetchone()
        return 0 if up_to is None else self._db.execute("DELETE FROM events WHERE replay <= ?", (up_to,)).rowcount

    def renumber(self, start: int | None = None) -> None:
        """Give every event another replay number, as a migration of the org does (section 1.4, point 11): the oldest
        is numbered `start`, by default above all there were, so that an id stored before is refused. End the live
        streams with it. Raises ValueError for a number below 1."""
        oldest = self._db.execute("SELECT ifnull(min(replay), 0) FROM events").fetchone()[0]
        shift = self._latest + self._gaps.randint(1, _WIDEST_GAP) if start is None else start - oldest
        if oldest + shift < 1:
            raise ValueError("replay numbers begin at 1")
        with self._transaction():
            # By way of negative numbers: an update row by row must not meet a number that is still taken.
            self._db.execute("UPDATE events SET replay = -replay")
            self._db.execute("UPDATE events SET replay = ? - replay", (shift,))
        self.reload()

    def reload(self) -> None:
        """Let go of what is known of events that were replaced on disk."""
        self._latest = int(self._db.execute("SELECT ifnull(max(replay), 0) FROM events").fetchone()[0])
        self._purge_at = self._clock.now()

    def listen(self, wake: Callable[[], None]) -> None:
        """Have `wake` called after each publication, until `unlisten`; it must not wait and not raise."""
        self._listeners.add(wake)

    def unlisten(self, wake: Callable[[], None]) -> None:
        """Forget a listener. Repeatable."""
        self._listeners.discard(wake)

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def _insert(self, drafts: Iterable[Draft]) -> list[StoredEvent]:
        now, latest = self._clock.now(), self._latest
        events = []
        for each in drafts:
            latest += self._gaps.randint(1, _WIDEST_GAP)
            events.append(StoredEvent(latest, each.topic, each.event_id, each.schema_id, each.payload, now))
        rows = [
            (each.replay, each.topic, each.event_id, each.schema_id, each.payload, now.isoformat()) for each in events
        ]
        with self._transaction():
            self._db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._latest = latest
        return events

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _rows(self, topics: tuple[str, ...], replay: int, limit: int) -> Iterator[tuple[Any, ...]]:
        if len(topics) == 1:
            return self._db.execute(_OF_TOPIC, (topics[0], replay, limit))
        # Each topic contributes no more than is asked for, so the backlog of a far-behind subscriber is not sorted.
        parts = " UNION ALL ".join([f"SELECT * FROM ({_OF_TOPIC})"] * len(topics))  # noqa: S608
        values = [value for topic in topics for value in (topic, replay, limit)]
        return self._db.execute(f"{parts} ORDER BY replay LIMIT ?", (*values, limit)) if topics else iter(())

    def _purge_when_due(self) -> None:
        now = self._clock.now()
        if now >= self._purge_at and self.purge() < _MOST_PURGED:
            self._purge_at = now + _PURGE_EVERY

    def _wake(self) -> None:
        for wake in list(self._listeners):
            wake()


def _fitting(events: Iterator[StoredEvent], most_bytes: int | None) -> Iterator[StoredEvent]:
    size = 0
    for event in events:
        size += len(event.payload)
        if most_bytes is not None and most_bytes < size != len(event.payload):
            return
        yield event


def _event(row: tuple[int, str, str, str, bytes, str]) -> StoredEvent:
    replay, topic, event_id, schema_id, payload, created_at = row
    return StoredEvent(replay, topic, event_id, schema_id, payload, datetime.fromisoformat(created_at))
