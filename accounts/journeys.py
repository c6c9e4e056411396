"""The journey's row: its states, who may work on it, and when it is tried again."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import SignupJourney, User
from integrations import failpoints
from journal.waking import wake

log = structlog.get_logger(__name__)

ADVANCE = "accounts.jobs.advance"
State = SignupJourney.State
MOVES: dict[str, set[str]] = {
    State.WAITING_EMAIL: {State.RUNNING},
    State.RUNNING: {State.NUMBER_UNMATCHED, State.WAITING_CS, State.DONE},
    State.NUMBER_UNMATCHED: {State.RUNNING},
    State.WAITING_CS: {State.RUNNING},
    State.DONE: set(),
}


class Taken(Exception):
    """Another worker has the journey now, or it has moved on: this one must stop."""


class NotAllowed(Exception):
    """The journey is not in a state in which this can be done."""


def back_off(tries: int) -> timedelta:
    """How long after the `tries`-th failed run the next may begin: 5 s, doubled, at most ten minutes."""
    return timedelta(seconds=min(5 * 2 ** max(tries - 1, 0), 600))


def due() -> QuerySet[SignupJourney]:
    """Journeys that may be run now, the longest waiting first; none of a disabled user."""
    now = timezone.now()
    running = SignupJourney.objects.filter(_free(), state=State.RUNNING, next_try_at__lte=now)
    return running.filter(user__is_active=True).order_by("next_try_at")


def claim(journey_id: int) -> SignupJourney | None:
    """Takes the journey for this run, or None when it is not due, somebody has it, or the user is disabled.

    The number of tries is the fence: every later write of this run is refused once another run has begun. The next
    try is set beforehand, so that a run that dies leaves a journey that backs off.
    """
    journey = SignupJourney.objects.filter(pk=journey_id).first()
    if journey is None:
        return None
    now = timezone.now()
    taken = (
        SignupJourney.objects.filter(_free(), pk=journey_id, state=State.RUNNING, next_try_at__lte=now)
        .filter(_wanted(), tries=journey.tries)
        .update(tries=F("tries") + 1, lease_until=_lease(), next_try_at=now + back_off(journey.tries + 1))
    )
    return SignupJourney.objects.select_related("user").get(pk=journey_id) if taken else None


def hold(journey: SignupJourney, seconds: int = 0) -> None:
    """Renews the lease to cover a call of `seconds` (decisions.md 26). Raises Taken when the journey is not ours."""
    if not _ours(journey).update(lease_until=_lease(seconds)):
        raise Taken


def record(journey: SignupJourney, **fields: object) -> None:
    """Stores what a step found out. Raises Taken when the journey is not ours."""
    with failpoints.around(f"journey.{journey.step}"):
        if not _ours(journey).update(**fields):
            raise Taken
    for name, value in fields.items():
        setattr(journey, name, value)


def leave(journey: SignupJourney, to: str, **fields: object) -> None:
    """Ends this run by moving the journey to the state `to`. Raises Taken when the journey is not ours."""
    with failpoints.around("journey.end"), transaction.atomic():
        if not _ours(journey).select_for_update().exists():
            raise Taken
        transition(journey.pk, to, **fields)
    journey.state = to


def postpone(journey: SignupJourney, code: str, until: timedelta) -> None:
    """Ends this run; the journey is tried again after `until`. Raises Taken when the journey is not ours."""
    if not _ours(journey).update(error_code=code, lease_until=None, next_try_at=timezone.now() + until):
        raise Taken
    log.warning("journey_postponed", journey=journey.pk, step=journey.step, error_code=code, count=journey.tries)


def transition(journey_id: int, to: str, **fields: object) -> None:
    """Moves the journey under its row lock and writes one log line. RUNNING also wakes a worker.

    Raises NotAllowed when the move is not in MOVES.
    """
    with transaction.atomic():
        row = SignupJourney.objects.select_for_update().get(pk=journey_id)
        if to not in MOVES[row.state]:
            raise NotAllowed(f"a journey cannot go from {row.state} to {to}")
        if to == State.RUNNING:
            fields |= {"next_try_at": timezone.now(), "error_code": ""}
            wake("cases", ADVANCE, journey_id)
        SignupJourney.objects.filter(pk=journey_id).update(state=to, state_since=Now(), lease_until=None, **fields)
    log.info("journey_moved", journey=journey_id, state=to, step=row.step)


def try_now(journey_id: int) -> None:
    """A running journey need not wait for its next try; any other is left alone. Repeatable."""
    if SignupJourney.objects.filter(pk=journey_id, state=State.RUNNING).update(next_try_at=timezone.now()):
        wake("cases", ADVANCE, journey_id)


def _wanted() -> Exists:
    """Not as a join: the fence must be read again from the row itself when another worker has changed it meanwhile."""
    return Exists(User.objects.filter(pk=OuterRef("user_id"), is_active=True))


def _free() -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=timezone.now())


def _ours(journey: SignupJourney) -> QuerySet[SignupJourney]:
    return SignupJourney.objects.filter(pk=journey.pk, tries=journey.tries, state=State.RUNNING)


def _lease(seconds: int = 0) -> object:
    return timezone.now() + timedelta(seconds=(seconds or settings.READ_DEADLINE_S) + settings.DEADLINE_MARGIN_S)
