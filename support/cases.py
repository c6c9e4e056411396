"""Cases for customer support, made in Salesforce by a job, once per cause."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from integrations import correlation, gateway
from integrations.errors import OutsideError
from journal.waking import wake
from support.models import Case

log = structlog.get_logger(__name__)

OPEN = "support.jobs.open_in_salesforce"
MOVES = {Case.State.PENDING: {Case.State.OPENED}}


def open_case(
    *,
    cause: str,
    kind: str,
    subject: str,
    description: str,
    user_id: int | None = None,
    sf_account_id: str = "",
    sf_opportunity_id: str = "",
) -> Case:
    """Records a Case of type `kind` in the caller's transaction and wakes a worker to make it in Salesforce.

    A second call with the same `cause` changes nothing and returns the first row.
    """
    case, is_new = Case.objects.get_or_create(
        cause=cause,
        defaults={
            "kind": kind,
            "subject": subject,
            "description": description,
            "user_id": user_id,
            "sf_account_id": sf_account_id,
            "sf_opportunity_id": sf_opportunity_id,
            "next_try_at": timezone.now(),
        },
    )
    if is_new:
        wake("cases", OPEN, case.pk)
    return case


def back_off(tries: int) -> timedelta:
    """How long after the `tries`-th failed try the next one may begin: 15 s, doubled, at most one hour."""
    return timedelta(seconds=min(15 * 2 ** max(tries - 1, 0), 3600))


def open_in_salesforce(case_id: int) -> bool:
    """Makes one Case in Salesforce if it is due and no other worker is at it; True when it stands there.

    Safe to repeat: Portal_Ref__c is unique there, and a second create adopts the first (decisions.md 5). Not to be
    called in a transaction.
    """
    case = _claim(case_id)
    if case is None:
        return False
    with correlation.bound(str(case.ref)):
        try:
            sf_case_id = _create(case)
        except OutsideError as error:
            return _failed(case, error)
        transition(case, Case.State.OPENED, sf_case_id=sf_case_id, opened_at=timezone.now(), last_error="")
        log.info("case_opened", case_id=case.pk, kind=case.kind, count=case.tries)
    return True


def _create(case: Case) -> str:
    return gateway.salesforce().create_case(
        ref=str(case.ref),
        kind=case.kind,
        subject=case.subject,
        description=case.description,
        account_id=case.sf_account_id,
        opportunity_id=case.sf_opportunity_id,
    )


def open_due(limit: int = 20) -> dict[str, int]:
    """Makes the Cases whose job got lost or whose last try failed; says how many now stand. Needs no Redis."""
    due = Case.objects.filter(_free(), state=Case.State.PENDING, next_try_at__lte=timezone.now()).order_by(
        "next_try_at"
    )
    return {"opened": sum(open_in_salesforce(pk) for pk in list(due.values_list("pk", flat=True)[:limit]))}


def try_again(case_id: int) -> None:
    """Makes a waiting Case due now (staff). Nothing happens to one that stands already."""
    with transaction.atomic():
        if Case.objects.filter(pk=case_id, state=Case.State.PENDING).update(next_try_at=timezone.now()):
            wake("cases", OPEN, case_id)


def transition(case: Case, to: str, **fields: object) -> None:
    """Moves `case` to the state `to` under its row lock, gives the lease back. Raises ValueError when not allowed."""
    with transaction.atomic():
        row = Case.objects.select_for_update().get(pk=case.pk)
        if to not in MOVES.get(Case.State(row.state), set()):
            raise ValueError(f"a case cannot go from {row.state} to {to}")
        Case.objects.filter(pk=case.pk).update(state=to, lease_until=None, **fields)
    case.state = to


def _free() -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=timezone.now())


def _claim(case_id: int) -> Case | None:
    now = timezone.now()
    lease = now + timedelta(seconds=settings.READ_DEADLINE_S * 2 + settings.DEADLINE_MARGIN_S)  # create, then look
    due = Case.objects.filter(_free(), pk=case_id, state=Case.State.PENDING, next_try_at__lte=now)
    if not due.update(lease_until=lease, tries=F("tries") + 1):
        return None
    return Case.objects.get(pk=case_id)


def _failed(case: Case, error: OutsideError) -> bool:
    why = f"{error.code}: {error.text}"[:255]
    next_try = timezone.now() + back_off(case.tries)
    Case.objects.filter(pk=case.pk).update(last_error=why, lease_until=None, next_try_at=next_try)
    log.warning("case_failed", case_id=case.pk, kind=case.kind, error_code=error.code, count=case.tries)
    return False
