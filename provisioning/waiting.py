"""Attempts whose provider accepted and is not done: the ticket is asked for, ever more rarely, until it ends."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from integrations import failpoints
from integrations.errors import OutsideError
from journal.calls import database_clock
from journal.commits import commit
from provisioning import esim, outbox, outcome
from provisioning.attempts import State, lock_order_of, transition
from provisioning.explanations import TICKET_OPEN
from provisioning.models import Attempt
from provisioning.outcome import Whose
from provisioning.wakeups import wake

log = structlog.get_logger(__name__)
RAREST_CHECK_S = 300


def check(attempt: Attempt) -> bool:
    """Asks for the ticket of a WAITING attempt once; whether it has ended, and the attempt is QUEUED again.

    What came of the ticket the worker reads anew. An open one is asked for later, or is UNKNOWN from `give_up_at` on,
    also while the provider does not answer. Raises the provider's errors after that.
    """
    now = database_clock()
    try:
        ticket = esim.ticket_of(attempt)
    except OutsideError as error:
        log.warning("ticket_not_read", attempt_id=str(attempt.pk), code=error.code, system=error.system)
        _go_on_waiting(attempt, now)
        raise
    if ticket is not None and ticket.is_open:
        _go_on_waiting(attempt, now)
        return False
    transition(attempt_id=attempt.pk, to=State.QUEUED, changes={"enqueued_at": None})
    wake()
    return True


def _go_on_waiting(attempt: Attempt, now: datetime) -> None:
    if attempt.give_up_at is not None and attempt.give_up_at <= now:
        _give_up(attempt, attempt.give_up_at)
        return
    waited_s = (now - (attempt.started_at or attempt.created_at)).total_seconds()
    check_at = now + timedelta(seconds=min(max(settings.SWEEP_S, waited_s / 4), RAREST_CHECK_S))
    with failpoints.around("sweep.check_later"):
        Attempt.objects.filter(pk=attempt.pk, state=State.WAITING).update(check_at=check_at)


def _give_up(attempt: Attempt, give_up_at: datetime) -> None:
    since = timezone.localtime(give_up_at - timedelta(seconds=settings.ESIM_GIVE_UP_S))
    with commit("outcome.unknown"):
        lock_order_of(attempt.pk)
        still_waiting = Attempt.objects.select_for_update().filter(pk=attempt.pk, state=State.WAITING)
        if not still_waiting.exists():  # its ticket ended while it was asked for
            return
        outcome.unknown(Whose(attempt.pk), f"{TICKET_OPEN} {attempt.ticket_ref} is open since {since:%Y-%m-%d %H:%M}")
    outbox.deliver_for(attempt)
