"""What the leading subscriber writes about itself into the cursor's row; health reads nothing else.

Every function that writes needs the leader's epoch and raises StaleLeader when it is over; `take_over` begins one.
"""

from datetime import datetime
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce, Now

from integrations import failpoints
from integrations.salesforce.pubsub import Start
from journal.commits import commit
from provisioning import tasks
from provisioning.intake import StaleLeader
from provisioning.models import EventCursor, Task


def take_over(*, topic: str, leader: str) -> int:
    """Begins a new epoch and returns it; waits for a transaction of the old leader that is under way. Call it with
    the lock of provisioning.leader only."""
    with commit("cursor.take_over"):
        EventCursor.objects.get_or_create(topic=topic)
        EventCursor.objects.filter(topic=topic).update(
            leader_epoch=F("leader_epoch") + 1,
            leader=leader[:100],
            connected=False,
            disconnected_at=Coalesce(F("disconnected_at"), Now()),
        )
        return EventCursor.objects.values_list("leader_epoch", flat=True).get(topic=topic)


def start(*, topic: str, first: Start) -> Start | bytes:
    """Where to begin: after the stored position; `first` when there has never been a connection.

    LATEST is for that case alone: whoever was connected once and has no position (it was lost, or the connection
    ended before the first message) reads everything that is kept, and the inbox drops what it knows.
    """
    row = EventCursor.objects.get(topic=topic)
    if row.replay_id:
        return bytes(row.replay_id)
    return Start.EARLIEST if row.last_message_at or row.gap_at else first


def gap_at(*, topic: str) -> datetime | None:
    """When the position was last lost, if ever: events from before that moment may be missing. Needs no epoch."""
    return EventCursor.objects.filter(topic=topic).values_list("gap_at", flat=True).first()


def connected(*, topic: str, leader_epoch: int) -> None:
    """The server has accepted the subscription, which counts as a message."""
    _write(topic, leader_epoch, connected=True, disconnected_at=None, last_message_at=Now())


def disconnected(*, topic: str, leader_epoch: int, error: str, auth_refused: bool = False) -> None:
    """The stream is over or never was; `error` is a short code for people."""
    _write(topic, leader_epoch, **_NOT_CONNECTED, last_error=error[:255], auth_refused=auth_refused)


def position_lost(*, topic: str, leader_epoch: int, error: str) -> None:
    """The stored position is worthless: forget it, and note that events may be missing (the reconciler looks).

    A person is asked to look for what neither the stream nor the reconciler can show.
    """
    with commit("cursor.position_lost"):
        _write(topic, leader_epoch, **_NOT_CONNECTED, last_error=error[:255], replay_id=None, gap_at=Now())
        tasks.raise_task(Task.Kind.LOST_POSITION, cause=f"position:{topic}"[:110], facts={"topic": topic}, again=True)


def resigned(*, topic: str, leader_epoch: int) -> None:
    """The leader stops in good order."""
    _write(topic, leader_epoch, **_NOT_CONNECTED, leader="")


_NOT_CONNECTED: dict[str, Any] = {"connected": False, "disconnected_at": Coalesce(F("disconnected_at"), Now())}


def _write(topic: str, leader_epoch: int, **changes: Any) -> None:
    with failpoints.around("cursor.write"):
        written = EventCursor.objects.filter(topic=topic, leader_epoch=leader_epoch).update(**changes)
    if not written:
        raise StaleLeader(f"epoch {leader_epoch} of {topic} is over")
