"""Attempts: how a request becomes one, the moves it may make, and what its end sets free (decisions.md 18, 19).

Every change of state goes through `transition`, every end through `end`. One advisory lock per order puts intake and
endings in a row, so that a waiting event is neither lost nor run twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now

from integrations import correlation
from journal.commits import commit
from provisioning.models import Attempt, InboxEvent
from provisioning.verdicts import UNSEEN, Known, number

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
    """As `take_all_in`, for one readable event: its attempt, or None when it makes none."""
    made = take_all_in([event])
    return made[0] if made else None


def take_all_in(events: Sequence[InboxEvent]) -> list[Attempt]:
    """Decides what events that arrived together mean, stores them in their order, and makes their attempts.

    None of them is stored yet, nor is their `event_uuid`. Each readable one gets its `state` (and its key, when it has
    none); POISON is stored as it is. Returns the new QUEUED attempts: a duplicate makes none, nor does an event that
    waits for the live attempt or is older than one already seen. Repeatable: the same key gives `duplicate`.
    Needs a transaction; takes the locks of all orders. The number of statements does not depend on that of events.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("events are taken in by the transaction that stores them")
    readable = [each for each in events if each.state != InboxEvent.State.POISON]
    lock_orders({each.order_id for each in readable})
    used_keys = _judge(readable) if readable else set()
    InboxEvent.objects.bulk_create(events)
    accepted = [each for each in readable if each.state == InboxEvent.State.ACCEPTED]
    return _make_attempts(accepted, used_keys)


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
    return idem_key if number(idem_key) else ""


def live_attempt(order_id: str) -> Attempt | None:
    """The order's attempt that has not ended, if any; at most one exists (attempt_single_flight)."""
    return Attempt.objects.filter(order_id=order_id, state__in=Attempt.LIVE).first()


def lock_order(order_id: str) -> None:
    """Holds every other intake and ending of this order back until the transaction is over."""
    lock_orders([order_id])


def lock_orders(order_ids: Iterable[str]) -> None:
    """As `lock_order`, for all of them. In one order for everybody, so that no two can dead-lock."""
    names = [f"provisioning:{each}" for each in order_ids]
    if names:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(number) FROM (SELECT DISTINCT hashtextextended(name, 0) AS number"
                " FROM unnest(%s::text[]) AS name ORDER BY number) AS numbers",
                [names],
            )


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


def _judge(events: Sequence[InboxEvent]) -> set[str]:
    """Gives each its state, says so of the stored ones that they replace, and returns the keys attempts have."""
    orders = {each.order_id for each in events}
    keys = {each.idem_key or f"event:{each.event_uuid}" for each in events}
    rows = InboxEvent.objects.filter(Q(order_id__in=orders) | Q(idem_key__in=keys)).exclude(state__in=UNSEEN)
    seen = list(rows.only("order_id", "idem_key", "state", "note").order_by("pk"))
    waited = [each for each in seen if each.state == InboxEvent.State.WAITING]
    live, used_keys = _attempts_of(orders, keys)
    known = Known(live=live, seen=seen)
    for event in events:
        known.judge(event)
    replaced = [each for each in waited if each.state == InboxEvent.State.REPLACED]
    if replaced:
        InboxEvent.objects.filter(pk__in=[each.pk for each in replaced]).update(
            state=InboxEvent.State.REPLACED, note=replaced[0].note
        )
    return used_keys


def _attempts_of(orders: set[str], keys: set[str]) -> tuple[dict[str, str], set[str]]:
    """Order -> key of the request its live attempt works on; and those of `keys` that attempts have already."""
    found = Attempt.objects.filter(Q(order_id__in=orders, state__in=Attempt.LIVE) | Q(idem_key__in=keys))
    rows = list(found.values_list("order_id", "state", "idem_key", "event__idem_key"))
    live = {order: asked or key for order, state, key, asked in rows if state in Attempt.LIVE}
    return live, {key for _order, _state, key, _asked in rows}


def _waiting(order_id: str) -> Any:
    return InboxEvent.objects.filter(order_id=order_id, state=InboxEvent.State.WAITING)


def _new_attempt(event: InboxEvent) -> Attempt:
    used_keys = Attempt.objects.filter(idem_key=event.idem_key).values_list("idem_key", flat=True)
    (attempt,) = _make_attempts([event], set(used_keys))
    return attempt


def _make_attempts(events: Sequence[InboxEvent], used_keys: set[str]) -> list[Attempt]:
    attempts = []
    for event in events:
        key = event.idem_key
        if key in used_keys:  # only the older flow gets here (see verdicts)
            key = f"{key[:60]}#{event.pk}"
        used_keys.add(key)
        correlation_id = event.correlation_id or correlation.new_id()
        attempts.append(Attempt(order_id=event.order_id, idem_key=key, event=event, correlation_id=correlation_id))
    for attempt in Attempt.objects.bulk_create(attempts):
        with correlation.bound(attempt.correlation_id):
            log.info("attempt_created", attempt_id=str(attempt.pk), order_id=attempt.order_id)
    return attempts
