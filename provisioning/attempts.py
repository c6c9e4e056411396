"""Attempts: how a request becomes one, the moves it may make, and what its end sets free (decisions.md 18, 19).

Every change of state goes through `transition`, every end through `end`. One advisory lock per order puts intake and
endings in a row, so that a waiting event is neither lost nor run twice.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from integrations import correlation
from journal.commits import commit
from provisioning.models import Attempt, InboxEvent

log = structlog.get_logger(__name__)
State = Attempt.State

MOVES: Mapping[str, frozenset[str]] = {
    State.QUEUED: frozenset({State.RUNNING, State.SKIPPED, State.FAILED}),
    State.RUNNING: frozenset({State.WAITING, State.UNKNOWN, State.PROVISIONED, State.FAILED, State.SKIPPED}),
    State.WAITING: frozenset({State.QUEUED, State.UNKNOWN, State.FAILED}),
    State.UNKNOWN: frozenset({State.PROVISIONED, State.FAILED}),
    State.PROVISIONED: frozenset(),
    State.FAILED: frozenset(),
    State.SKIPPED: frozenset(),
}
TERMINAL = frozenset(state for state, moves in MOVES.items() if not moves)

# The before-save flow counts the requests of an order; keys of the older flow carry no number (decisions.md 19).
NUMBERED_KEY = re.compile(r"-\d{4}-\d\d-\d\d[ T][\d:.]+Z-(\d{1,9})$")
KEYS_OF_OUR_OWN = ("event:", "reconcile:")
UNSEEN = (InboxEvent.State.DUPLICATE, InboxEvent.State.POISON, InboxEvent.State.IGNORED)


class Fenced(Exception):
    """Somebody else has taken this attempt (its epoch or state moved on): stop before the next outside call."""


class IllegalMove(Exception):
    """The table of moves does not have this one; a terminal state has none."""


@dataclass(frozen=True)
class Ended:
    """What the end of an attempt means for its order."""

    attempt: Attempt
    report_as: str | None  # key under which Salesforce is told; None: it is not told
    next_attempt: Attempt | None


def take_in(*, event: InboxEvent) -> Attempt | None:
    """Decides what one readable event means, writes it into `event.state` (and saves the event), makes the attempt.

    Needs a transaction and `event.order_id`. Sets an empty `event.idem_key` to `event:<uuid>`. Returns the new
    QUEUED attempt, or None when the event is a duplicate, waits for the live attempt, or is older than one already
    seen. Repeatable: the same key gives `duplicate`.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("take_in belongs into the transaction that stores the event")
    lock_order(event.order_id)
    event.idem_key = event.idem_key or f"event:{event.event_uuid}"
    event.state = _verdict(event)
    if event.state == InboxEvent.State.WAITING:
        _waiting(event.order_id).exclude(pk=event.pk).update(
            state=InboxEvent.State.REPLACED, note="a newer request waits"
        )
    if event.state == InboxEvent.State.REPLACED:
        event.note = "older than a request already seen"
    event.save()
    return _new_attempt(event) if event.state == InboxEvent.State.ACCEPTED else None


def transition(
    *, attempt_id: Any, to: str, epoch: int | None = None, changes: Mapping[str, Any] | None = None
) -> Attempt:
    """Moves an attempt under its row lock and returns it as it then stands.

    A worker gives its `epoch`; raises Fenced when the attempt is no longer RUNNING in it. Without one (claim, sweep,
    staff) the epoch is raised, which fences whoever held the attempt. Raises IllegalMove for a move not in the table.
    """
    with commit("attempt.move"):
        attempt = Attempt.objects.select_for_update().get(pk=attempt_id)
        if epoch is not None and (attempt.epoch != epoch or attempt.state != State.RUNNING):
            raise Fenced(f"attempt {attempt_id} is {attempt.state} in epoch {attempt.epoch}, not {epoch}")
        if to not in MOVES[attempt.state]:
            raise IllegalMove(f"attempt {attempt_id} cannot go from {attempt.state} to {to}")
        values: dict[str, Any] = {"state": to, **(changes or {})}
        if epoch is None:
            values["epoch"] = F("epoch") + 1
        if to != State.RUNNING:
            values.setdefault("lease_until", None)
        if to in TERMINAL:
            values["finished_at"] = Now()
        Attempt.objects.filter(pk=attempt_id).update(**values)
        attempt.refresh_from_db()
    return attempt


def end(*, attempt_id: Any, to: str, epoch: int | None = None, changes: Mapping[str, Any] | None = None) -> Ended:
    """Moves an attempt to a terminal state and frees the event that waited for it, in one transaction.

    PROVISIONED answers the waiting event and is reported under its key; after FAILED or SKIPPED the waiting event
    becomes the next attempt and nothing is reported. Raises as `transition`.
    """
    with commit("attempt.end"):
        lock_order_of(attempt_id)
        attempt = transition(attempt_id=attempt_id, to=to, epoch=epoch, changes=changes)
        log_end(attempt)
        waiting = _waiting(attempt.order_id).first()
        if waiting is None:
            return Ended(attempt, None if to == State.SKIPPED else attempt.idem_key, None)
        if to == State.PROVISIONED:
            InboxEvent.objects.filter(pk=waiting.pk).update(state=InboxEvent.State.ANSWERED)
            return Ended(attempt, waiting.idem_key, None)
        waiting.state = InboxEvent.State.ACCEPTED
        waiting.save(update_fields=["state"])
        return Ended(attempt, None, _new_attempt(waiting))


def report_key(idem_key: str) -> str:
    """The key as Salesforce holds it, or an empty text: then only the status is compared.

    Salesforce holds none for keys of our own, nor where the older flow runs, whose keys have no number.
    """
    return idem_key if _number(idem_key) else ""


def live_attempt(order_id: str) -> Attempt | None:
    """The order's attempt that has not ended, if any; at most one exists (attempt_single_flight)."""
    return Attempt.objects.filter(order_id=order_id, state__in=Attempt.LIVE).first()


def lock_order(order_id: str) -> None:
    """Holds every other intake and ending of this order back until the transaction is over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"provisioning:{order_id}"])


def lock_order_of(attempt_id: Any) -> None:
    """As `lock_order`. Whoever needs the lock and the attempt's row takes the lock first, or two could dead-lock."""
    lock_order(Attempt.objects.values_list("order_id", flat=True).get(pk=attempt_id))


def somebody_waits(order_id: str) -> bool:
    """Whether a newer request waits for the live attempt to end. Hold the order's lock."""
    return bool(_waiting(order_id).exists())


def log_end(attempt: Attempt) -> None:
    log.info(
        "attempt_finished",
        attempt_id=str(attempt.pk),
        order_id=attempt.order_id,
        epoch=attempt.epoch,
        state=attempt.state,
        error_code=attempt.error_code,
    )


def _verdict(event: InboxEvent) -> str:
    live = live_attempt(event.order_id)
    if _is_duplicate(event, live):
        return InboxEvent.State.DUPLICATE
    if _is_overtaken(event):
        return InboxEvent.State.REPLACED
    return InboxEvent.State.WAITING if live else InboxEvent.State.ACCEPTED


def _is_duplicate(event: InboxEvent, live: Attempt | None) -> bool:
    earlier = InboxEvent.objects.filter(idem_key=event.idem_key).exclude(pk=event.pk).exclude(state__in=UNSEEN)
    if _number(event.idem_key) or event.idem_key.startswith(KEYS_OF_OUR_OWN):
        return earlier.exists()
    # The older flow's key has second precision: after the attempt ended, an equal key may be an operator's retry.
    waiting = earlier.filter(state=InboxEvent.State.WAITING).exists()
    return waiting or (live is not None and live.idem_key.partition("#")[0] == event.idem_key)


def _is_overtaken(event: InboxEvent) -> bool:
    """An event that arrives after a later request of the same order asks for nothing any more."""
    number = _number(event.idem_key)
    if not number:
        return False
    seen = InboxEvent.objects.filter(order_id=event.order_id).exclude(pk=event.pk).exclude(state__in=UNSEEN)
    return any(_number(key) > number for key in seen.values_list("idem_key", flat=True))


def _number(idem_key: str) -> int:
    found = NUMBERED_KEY.search(idem_key)
    return int(found[1]) if found else 0


def _waiting(order_id: str) -> Any:
    return InboxEvent.objects.filter(order_id=order_id, state=InboxEvent.State.WAITING)


def _new_attempt(event: InboxEvent) -> Attempt:
    key = event.idem_key
    if Attempt.objects.filter(idem_key=key).exists():  # only the older flow gets here (see _is_duplicate)
        key = f"{key[:60]}#{event.pk}"
    attempt = Attempt.objects.create(
        order_id=event.order_id,
        idem_key=key,
        event=event,
        correlation_id=event.correlation_id or correlation.new_id(),
    )
    with correlation.bound(attempt.correlation_id):
        log.info("attempt_created", attempt_id=str(attempt.pk), order_id=attempt.order_id)
    return attempt
