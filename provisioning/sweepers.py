"""Finding what was left behind: lost wake-ups, dead workers, open outcomes, waiting providers (reliability.md §2)."""

from collections.abc import Callable, Collection, Iterable
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from integrations import correlation, failpoints
from integrations.errors import OutsideError, Unavailable
from journal import calls
from journal.commits import commit, settled
from provisioning import esim, ordering, outbox, outcome, pause, resolving, waiting
from provisioning.attempts import State, lock_order
from provisioning.failures import Code, Failure
from provisioning.models import Attempt
from provisioning.outcome import Whose
from provisioning.remote_orders import subject_of
from provisioning.steps import INTERRUPTIONS
from provisioning.wakeups import wake

log = structlog.get_logger(__name__)
MOST_WAKE_UPS = 8
LOST_AFTER_S = 60
RAREST_LOOK_S = 900


def sweep() -> dict[str, int]:
    """One round of everything; returns what was done (action -> count). Repeatable, safe in several processes.

    What asks outside systems comes last: while they are slow, nobody else's attempt waits for them.
    """
    done = {"interrupted": end_interrupted(), "woken": wake_forgotten()}
    return {**done, "requeued": requeue_waiting(), "resolved": resolve_unknown()}


def wake_forgotten() -> int:
    """Wakes workers for attempts that nobody claimed though they have been queued for a while; returns how many.

    The oldest few stand for all: who is woken works until none is left, and of a long queue that is worked off no
    worker shall find the front locked by this very statement and begin at its end.
    """
    if pause.is_paused():
        return 0
    since = Now() - timedelta(seconds=min(settings.SWEEP_S, LOST_AFTER_S))
    forgotten = Attempt.objects.filter(state=State.QUEUED).filter(
        Q(enqueued_at=None, created_at__lte=since) | Q(enqueued_at__lte=since)
    )
    oldest = forgotten.order_by("created_at", "event_id").values("pk")[:MOST_WAKE_UPS]
    with failpoints.around("sweep.woken"):
        count = Attempt.objects.filter(state=State.QUEUED, pk__in=oldest).update(enqueued_at=Now())
    if count:
        wake(count)
    return count


def end_interrupted() -> int:
    """Ends attempts whose worker is gone: UNKNOWN when WHMCS may hold something, else FAILED. Never runs them again."""
    return _each(Attempt.objects.filter(state=State.RUNNING, lease_until__lt=Now()), _end_interrupted)


def resolve_unknown() -> int:
    """Has a look-up decide the attempts whose outcome is unknown and can be known by now.

    The longer one has been unknown, the rarer it is looked at. Those that need a system that does not answer are left.
    """
    due = Attempt.objects.filter(state=State.UNKNOWN).filter(Q(check_at=None) | Q(check_at__lte=Now()))
    return _each(due.order_by("started_at"), _resolve, needs=_asked_about)


def requeue_waiting() -> int:
    """Asks providers for the tickets that are due, and puts the attempts whose ticket has ended back into the queue.

    A provider that does not answer ends the round.
    """
    due = Attempt.objects.filter(state=State.WAITING, check_at__lte=Now())
    return _each(due.order_by("check_at"), waiting.check, needs=lambda _attempt: {"esim"})


def _each(
    attempts: Iterable[Attempt],
    action: Callable[[Attempt], bool],
    *,
    needs: Callable[[Attempt], Collection[str]] = lambda _attempt: (),
) -> int:
    """Runs `action` on each of them; says how many it dealt with.

    One that cannot be dealt with does not keep the others from it. A system that was away once is asked no more:
    those that need it are for another round.
    """
    count, away = 0, set[str]()
    for attempt in list(attempts):
        if away and not away.isdisjoint(needs(attempt)):
            continue
        with correlation.bound(attempt.correlation_id):
            try:
                count += action(attempt)
            except INTERRUPTIONS:
                raise
            except Unavailable as error:
                away.add(error.system)
            except Exception:
                log.exception("attempt_left", attempt_id=str(attempt.pk), order_id=attempt.order_id)
    return count


def _asked_about(attempt: Attempt) -> set[str]:
    """The systems that are looked into for an unknown outcome."""
    return {"salesforce", "whmcs", *(["esim"] if esim.concerns(attempt) else [])}


def _resolve(attempt: Attempt) -> bool:
    try:
        resolved = resolving.resolve(attempt)
    except OutsideError as error:
        log.warning("resolve_put_off", attempt_id=str(attempt.pk), code=error.code, system=error.system)
        raise
    finally:
        _look_later(attempt)
    if resolved:
        outbox.deliver_for(attempt)
    return resolved


def _look_later(attempt: Attempt) -> None:
    """Sets when it is looked at next, should it still be unknown: at the latest when its quarantine is over."""
    now = calls.database_clock()
    unknown_for_s = (now - (attempt.started_at or attempt.created_at)).total_seconds()
    later = now + timedelta(seconds=min(max(settings.SWEEP_S, unknown_for_s / 4), RAREST_LOOK_S))
    ends = [call.quarantine_until for call in calls.open_calls(subject_of(attempt.order_id))]
    check_at = min([later, *(end for end in ends if end > now)])
    with failpoints.around("sweep.look_later"):
        Attempt.objects.filter(pk=attempt.pk, state=State.UNKNOWN).update(check_at=check_at)


@settled
def _end_interrupted(attempt: Attempt) -> bool:
    with commit("sweep.interrupted"):
        lock_order(attempt.order_id)
        expired = Attempt.objects.select_for_update().filter(state=State.RUNNING, lease_until__lt=Now())
        held = expired.filter(pk=attempt.pk).first()  # it may have shown a sign of life meanwhile
        if held is not None:
            _judge_interrupted(held)
    return held is not None


def _judge_interrupted(attempt: Attempt) -> None:
    whose, where = Whose(attempt.pk), f"at step {attempt.step or 'claim'}"
    if ordering.leaves_something(attempt):
        outcome.unknown(whose, f"the worker stopped {where}")
    else:
        outcome.failed(whose, Failure(Code.INTERRUPTED, where))
