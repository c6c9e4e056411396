"""Finding what was left behind: lost wake-ups, dead workers, open outcomes, waiting providers (reliability.md §2)."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from integrations import correlation
from integrations.errors import OutsideError
from provisioning import ordering, outbox, outcome, pause, resolving
from provisioning.attempts import State, transition
from provisioning.failures import Code, Failure
from provisioning.models import Attempt
from provisioning.outcome import Whose
from provisioning.wakeups import wake

log = structlog.get_logger(__name__)
MOST_WAKE_UPS = 8
LOST_AFTER_S = 60


def sweep() -> dict[str, int]:
    """One round of everything; returns what was done (action -> count). Repeatable, safe in several processes."""
    done = {"interrupted": end_interrupted(), "resolved": resolve_unknown(), "checked": requeue_waiting()}
    return {**done, "woken": wake_forgotten()}


def wake_forgotten() -> int:
    """Wakes workers for attempts that nobody claimed though they have been queued for a while."""
    if pause.is_paused():
        return 0
    since = Now() - timedelta(seconds=min(settings.SWEEP_S, LOST_AFTER_S))
    forgotten = Attempt.objects.filter(state=State.QUEUED).filter(
        Q(enqueued_at=None, created_at__lte=since) | Q(enqueued_at__lte=since)
    )
    count = forgotten.update(enqueued_at=Now())
    if count:
        wake(min(count, MOST_WAKE_UPS))
    return count


def end_interrupted() -> int:
    """Ends attempts whose worker is gone: FAILED when nothing is open, else UNKNOWN. Never runs them again."""
    count = 0
    while _end_one_interrupted():
        count += 1
    return count


def resolve_unknown() -> int:
    """Has a look-up decide the attempts whose outcome is unknown and can be known by now."""
    count = 0
    for attempt in list(Attempt.objects.filter(state=State.UNKNOWN).order_by("started_at")):
        with correlation.bound(attempt.correlation_id):
            count += _resolve(attempt)
    return count


def requeue_waiting() -> int:
    """Puts attempts that wait for a provider back into the queue when it is time to ask it again."""
    due = list(Attempt.objects.filter(state=State.WAITING, check_at__lte=Now()).values_list("pk", flat=True))
    for attempt_id in due:
        transition(attempt_id=attempt_id, to=State.QUEUED, changes={"enqueued_at": None})
    if due:
        wake(min(len(due), MOST_WAKE_UPS))
    return len(due)


def _resolve(attempt: Attempt) -> bool:
    try:
        resolved = resolving.resolve(attempt)
    except OutsideError as error:
        log.warning("resolve_put_off", attempt_id=str(attempt.pk), code=error.code, system=error.system)
        return False
    if resolved:
        outbox.deliver_for(attempt)
    return resolved


def _end_one_interrupted() -> bool:
    with transaction.atomic():
        expired = Attempt.objects.select_for_update(skip_locked=True).filter(state=State.RUNNING, lease_until__lt=Now())
        attempt = expired.first()
        if attempt is None:
            return False
        with correlation.bound(attempt.correlation_id):
            _judge_interrupted(attempt)
    return True


def _judge_interrupted(attempt: Attempt) -> None:
    whose, where = Whose(attempt.pk), f"at step {attempt.step or 'claim'}"
    if ordering.leaves_open_calls(attempt.pk):
        outcome.unknown(whose, f"the worker stopped {where}")
    else:
        outcome.failed(whose, Failure(Code.INTERRUPTED, where))
