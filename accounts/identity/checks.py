"""The row of an identity check: its states, who may bring it to Salesforce now, and when that is tried again."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from accounts.models import CustomerLink, IdentityCheck, IdentityDocument
from integrations import failpoints
from journal.commits import commit
from journal.waking import wake
from support.cases import back_off

log = structlog.get_logger(__name__)

SUBMIT = "accounts.identity.jobs.submit_papers"
State = IdentityCheck.State
MOVES: dict[str, set[str]] = {
    State.DRAFT: {State.SUBMITTED},
    State.SUBMITTED: {State.PENDING, State.REJECTED},
    State.PENDING: {State.VERIFIED, State.REJECTED},
    State.VERIFIED: {State.REJECTED},  # support may think again
    State.REJECTED: {State.VERIFIED},
}


class Taken(Exception):
    """Another worker has the check now, or it has moved on: this one must stop."""


class NotAllowed(Exception):
    """The check is not in a state in which this can be done."""


def due() -> QuerySet[IdentityCheck]:
    """Papers that may be brought to Salesforce now, the longest waiting first; their customer is known there."""
    known = Q(user__link__state=CustomerLink.State.LINKED)
    return IdentityCheck.objects.filter(known, _free(), state=State.SUBMITTED, next_try_at__lte=Now()).order_by(
        "next_try_at"
    )


def claim(check_id: int) -> IdentityCheck | None:
    """Takes the check for this run, or None when it is not due or somebody has it.

    The number of tries is the fence: every later write of this run is refused once another run has begun. The next
    try is set beforehand, so that a run that dies leaves a check that backs off.
    """
    check = due().filter(pk=check_id).first()
    if check is None:
        return None
    mine = IdentityCheck.objects.filter(_free(), pk=check_id, state=State.SUBMITTED, tries=check.tries)
    with failpoints.around("identity.claim"):
        next_try_at = Now() + back_off(check.tries + 1)
        taken = mine.update(tries=F("tries") + 1, lease_until=_lease(), next_try_at=next_try_at)
    return IdentityCheck.objects.select_related("user__link").get(pk=check_id) if taken else None


def hold(check: IdentityCheck, seconds: float = 0) -> None:
    """Renews the lease to cover calls of `seconds` (decisions.md 26). Raises Taken when the check is not ours."""
    if not _ours(check).update(lease_until=_lease(seconds)):
        raise Taken


def record(check: IdentityCheck, **fields: object) -> None:
    """Stores what a step found out. Raises Taken when the check is not ours."""
    with failpoints.around(f"identity.{check.step}"):
        if not _ours(check).update(**fields):
            raise Taken
    for name, value in fields.items():
        setattr(check, name, value)


def record_file(check: IdentityCheck, document: IdentityDocument, version_id: str) -> None:
    """Stores which ContentVersion a document became. Raises Taken when the check is not ours."""
    with commit("identity.file"):
        if not _ours(check).select_for_update().exists():
            raise Taken
        IdentityDocument.objects.filter(pk=document.pk).update(sf_version_id=version_id)


def leave(check: IdentityCheck, to: str, **fields: object) -> None:
    """Ends this run by moving the check to the state `to`, in the caller's transaction.

    Raises Taken when the check is not ours.
    """
    with transaction.atomic():
        if not _ours(check).select_for_update().exists():
            raise Taken
        transition(check.pk, to, lease_until=None, next_try_at=None, error_code="", **fields)
    check.state = to


def postpone(check: IdentityCheck, code: str) -> None:
    """Ends this run; the check is tried again later. Raises Taken when the check is not ours."""
    next_try_at = Now() + back_off(check.tries)
    if not _ours(check).update(error_code=code[:40], lease_until=None, next_try_at=next_try_at):
        raise Taken
    log.warning("papers_postponed", check=check.pk, step=check.step, error_code=code, count=check.tries)


def try_again(check_id: int) -> None:
    """Makes papers on their way due now (staff). Raises NotAllowed when they are not on their way."""
    with transaction.atomic():
        if not IdentityCheck.objects.filter(pk=check_id, state=State.SUBMITTED).update(next_try_at=Now()):
            raise NotAllowed("these papers are not on their way")
        wake("cases", SUBMIT, check_id)


def hold_papers(check_id: int) -> None:
    """Nothing of this check is deleted from now on (staff). Repeatable."""
    IdentityCheck.objects.filter(pk=check_id).update(legal_hold=True)


def end_hold(check_id: int) -> None:
    """What is due for deletion goes with the next round (staff). Repeatable."""
    IdentityCheck.objects.filter(pk=check_id).update(legal_hold=False)


def transition(check_id: int, to: str, **fields: object) -> IdentityCheck:
    """Moves the check under its row lock, in the caller's transaction, and writes one log line; gives the row.

    SUBMITTED needs `submitted_at` (datetime), makes the check due and wakes a worker. Raises NotAllowed when the move
    is not in MOVES.
    """
    with transaction.atomic():
        row = IdentityCheck.objects.select_for_update().get(pk=check_id)
        if to not in MOVES[row.state]:
            raise NotAllowed(f"a check cannot go from {row.state} to {to}")
        if to == State.SUBMITTED:
            fields |= {"next_try_at": Now()}
            wake("cases", SUBMIT, check_id)
        IdentityCheck.objects.filter(pk=check_id).update(state=to, updated_at=Now(), **fields)
        row.refresh_from_db()
    log.info("identity_moved", check=check_id, state=to)
    return row


def latest(user_id: int) -> IdentityCheck | None:
    """The newest check that was sent in, whatever became of it."""
    sent = IdentityCheck.objects.filter(user_id=user_id).exclude(state=State.DRAFT)
    return sent.order_by("-submitted_at").first()


def _free() -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=Now())


def _ours(check: IdentityCheck) -> QuerySet[IdentityCheck]:
    return IdentityCheck.objects.filter(pk=check.pk, tries=check.tries, state=State.SUBMITTED)


def _lease(seconds: float = 0) -> object:
    return Now() + timedelta(seconds=(seconds or settings.READ_DEADLINE_S) + settings.DEADLINE_MARGIN_S)
