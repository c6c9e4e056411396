"""From the stream into the database: a response's events, what they mean, and the position, in one transaction
(decisions.md 28, reliability.md §2)."""

import hashlib
from collections.abc import Iterable
from typing import Any

import structlog
from django.db.models.functions import Now
from django.utils import timezone

from integrations.salesforce.pubsub import FetchResult, ReceivedEvent
from journal.commits import commit
from provisioning import request_events
from provisioning.attempts import take_all_in
from provisioning.models import EventCursor, InboxEvent
from provisioning.wakeups import wake

log = structlog.get_logger(__name__)
State = InboxEvent.State


class StaleLeader(Exception):
    """Another subscriber has taken over: nothing was stored, and nothing may be stored any more in this epoch."""


def store(*, topic: str, leader_epoch: int, response: FetchResult) -> int:
    """Stores one response and returns how many of its events were not known before.

    Either everything is stored, the position included, or nothing. Repeatable: events are known by their own id.
    Whatever an event holds, it does not stop the stream: one that cannot be read is kept as poison. Wakes the
    workers once, after the commit. Owns its transaction; raises StaleLeader.
    """
    with commit("intake.store", durable=True):
        # First, because it locks the cursor's row: no other subscriber stores events of this topic meanwhile.
        _move_cursor(topic, leader_epoch, response)
        rows = _unknown(_row(topic, each) for each in response.events)
        attempts = take_all_in(rows)
    if attempts:
        wake()
    for row in rows:
        _tell(row)
    return len(rows)


def _move_cursor(topic: str, leader_epoch: int, response: FetchResult) -> None:
    """A keep-alive moves it too: on a quiet topic the stored position would otherwise outlive the retention."""
    changes: dict[str, Any] = {"saved_at": Now(), "last_message_at": Now(), "last_error": "", "auth_refused": False}
    # With events, latest_replay_id may lie beyond some that are still to come (salesforce-wire.md §1.4 no. 6).
    position = response.events[-1].replay_id if response.events else response.latest_replay_id
    if position:
        changes["replay_id"] = position
    if response.events:
        changes |= {"last_event_at": Now(), "lag_seconds": _lag_seconds(response.events[-1])}
    if not EventCursor.objects.filter(topic=topic, leader_epoch=leader_epoch).update(**changes):
        raise StaleLeader(f"epoch {leader_epoch} of {topic} is over")


def _lag_seconds(event: ReceivedEvent) -> float | None:
    """How long the event was on its way; clocks that differ do not make it negative."""
    published_at = request_events.published_at(event.fields or {})
    return max(0.0, (timezone.now() - published_at).total_seconds()) if published_at else None


def _unknown(candidates: Iterable[InboxEvent]) -> list[InboxEvent]:
    """Those whose event is not stored yet, each once, in order. Who holds the cursor's row is the only one to store
    events of the stream, so looking before is enough; the unique key stands behind it."""
    rows: dict[str, InboxEvent] = {}
    for row in candidates:
        rows.setdefault(row.event_uuid, row)  # one that comes twice stands where it came first
    if not rows:
        return []
    stored = set(InboxEvent.objects.filter(event_uuid__in=rows).values_list("event_uuid", flat=True))
    return [row for uuid, row in rows.items() if uuid not in stored]


def _row(topic: str, event: ReceivedEvent) -> InboxEvent:
    row = InboxEvent(
        event_uuid=_uuid(event),
        topic=topic,
        replay_id=event.replay_id,
        schema_id=event.schema_id[:64] if event.schema_id.isprintable() else "",
        payload=event.payload,
        published_at=request_events.published_at(event.fields or {}),
    )
    try:
        _fill(row, event)
    except request_events.Unreadable as reason:
        row.state, row.note = State.POISON, str(reason)
    return row


def _fill(row: InboxEvent, event: ReceivedEvent) -> None:
    if event.fields is None:
        raise request_events.Unreadable(event.error)
    request = request_events.read(event.fields)
    row.order_id = request.order_id
    row.idem_key = request.idem_key or f"event:{row.event_uuid}"
    row.correlation_id, row.requested_by = request.correlation_id, request.requested_by


def _uuid(event: ReceivedEvent) -> str:
    """The event's id; where it has none that can be a key, one made of what it is."""
    if 0 < len(event.event_uuid) <= 64 and event.event_uuid.isprintable():
        return event.event_uuid
    identity = event.event_uuid.encode(errors="replace") or event.replay_id
    return f"sha256:{hashlib.sha256(identity + event.payload).hexdigest()[:57]}"


def _tell(row: InboxEvent) -> None:
    facts = {"order_id": row.order_id, "correlation_id": row.correlation_id, "state": row.state}
    if row.state == State.POISON:
        log.error("event_poison", reason=row.note, **facts)
    else:
        log.info("event_received", **facts)
