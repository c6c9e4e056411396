"""Brings a submitted request into Salesforce: one query, one Composite; found again when the answer was lost.

The reference (Portal_Ref__c) is unique there, so a second try can only adopt the first (decisions.md 5). A request that
takes another's place waits until nothing of the older one can be on its way any more, so that it finds what that made.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.links import linked
from accounts.models import CustomerLink
from catalog.eligibility import asking, places
from catalog.eligibility.models import EligibilityRequest
from integrations import correlation, gateway
from integrations.deadline import begun_within
from integrations.errors import OutsideError, Rejected, UnknownOutcome, is_outage
from integrations.salesforce.schemas import AskedCheck, CheckStanding, NewCheck
from journal.commits import commit
from support import cases

log = structlog.get_logger(__name__)
State = EligibilityRequest.State
CLOSE_AFTER = timedelta(days=30)  # of a new Opportunity (decisions.md 5)
REFUSALS_BEFORE_A_CASE = 5


class Taken(Exception):
    """Another worker has the request now, or the customer asked about another address: this run must stop."""


def send_due(limit: int = 20) -> dict[str, int]:
    """Submits what was kept for customers who are known now, then sends what is due; counts. Needs no Redis.

    It ends early when Salesforce is away: the others wait for the next round.
    """
    submitted, sent = asking.submit_kept(), 0
    for request_id in list(_due().order_by("next_try_at").values_list("pk", flat=True)[:limit]):
        outcome = _try(request_id)
        sent += outcome is True
        if isinstance(outcome, OutsideError) and is_outage(outcome):
            break
    return {"submitted": submitted, "sent": sent}


def send(request_id: int) -> bool:
    """Sends one request if it is due and nobody else is at it; whether it stands in Salesforce now.

    Safe to repeat and to run twice at once. Not to be called in a transaction; never raises for Salesforce: trouble is
    written on the row, which is tried again later.
    """
    return _try(request_id) is True


def _try(request_id: int) -> bool | OutsideError:
    request = _claim(request_id)
    link = linked(request.user) if request is not None and request.user is not None else None
    if request is None or link is None:
        return False
    with correlation.bound(str(request.ref)):
        try:
            _record(request.pk, link, _asked(request, link))
        except Taken:
            log.info("eligibility_taken", check_id=request_id)
            return False
        except OutsideError as error:
            _try_later(request, error, link)
            return error
    return True


def _due() -> QuerySet[EligibilityRequest]:
    now = timezone.now()
    on_its_way = EligibilityRequest.objects.filter(user=OuterRef("user"), lease_until__gte=now)  # an older one's counts
    known = {"user__link__state": CustomerLink.State.LINKED}
    return EligibilityRequest.objects.filter(~Exists(on_its_way), state=State.SUBMITTED, next_try_at__lte=now, **known)


def _claim(request_id: int) -> EligibilityRequest | None:
    """The number of tries is the fence: every later write of this run is refused once another run has begun."""
    request = _due().filter(pk=request_id).first()
    if request is None:
        return None
    now = timezone.now()
    # Three calls at most: look, Composite, and one more look when its answer is lost; a token may be fetched.
    lease = now + timedelta(seconds=4 * settings.READ_DEADLINE_S + settings.DEADLINE_MARGIN_S)
    with commit("eligibility.claim"):
        free = _ours(request).filter(Q(lease_until=None) | Q(lease_until__lt=now))
        if not free.update(lease_until=lease, tries=F("tries") + 1):
            return None
    return EligibilityRequest.objects.select_related("user__link").get(pk=request_id)


def _ours(request: EligibilityRequest) -> QuerySet[EligibilityRequest]:
    return EligibilityRequest.objects.filter(pk=request.pk, state=State.SUBMITTED, tries=request.tries)


def _asked(request: EligibilityRequest, link: CustomerLink) -> AskedCheck:
    salesforce, ref = gateway.salesforce(), str(request.ref)
    standing = salesforce.check_standing(account_id=link.sf_account_id, ref=ref)
    if standing.case_id:
        return _found(request, standing)
    try:
        with begun_within(settings.READ_DEADLINE_S):  # whoever stood still sends nothing once the lease may be over
            _choose(request, standing)
            return salesforce.ask_for_check(_new_check(request, link, standing))
    except (UnknownOutcome, Rejected) as error:
        if isinstance(error, Rejected) and error.code != "duplicate_value":
            raise
        standing = _look_again(link, ref, error)
        if not standing.case_id:
            raise
    return _found(request, standing)


def _look_again(link: CustomerLink, ref: str, lost: OutsideError) -> CheckStanding:
    """A look that fails as well says nothing of what was sent: that is still what has to be waited for."""
    try:
        return gateway.salesforce().check_standing(account_id=link.sf_account_id, ref=ref)
    except OutsideError as error:
        raise lost from error


def _found(request: EligibilityRequest, standing: CheckStanding) -> AskedCheck:
    """An Opportunity that was there already stands on our row since before the Composite was sent."""
    return AskedCheck(standing.case_id, request.sf_opportunity_id or standing.opportunity_id)


def _choose(request: EligibilityRequest, standing: CheckStanding) -> None:
    """Notes what the Composite will say, before it is sent. Raises Taken when the request is not ours any more."""
    chosen = {
        "sf_opportunity_id": standing.opportunity_id,
        "requested_at": request.requested_at or timezone.now().replace(microsecond=0),
    }
    with commit("eligibility.choose"):
        if not _ours(request).update(**chosen):
            raise Taken
    for name, value in chosen.items():
        setattr(request, name, value)


def _new_check(request: EligibilityRequest, link: CustomerLink, standing: CheckStanding) -> NewCheck:
    user = link.user
    return NewCheck(
        ref=str(request.ref),
        account_id=link.sf_account_id,
        account_name=user.get_full_name(),
        opportunity_id=request.sf_opportunity_id,
        close_date=(timezone.localdate() + CLOSE_AFTER).isoformat(),
        subject=f"Eligibility check for customer {link.sf_account_no}",
        description=_description(request, link, standing),
        requested_at=request.requested_at or timezone.now(),
    )


def _description(request: EligibilityRequest, link: CustomerLink, standing: CheckStanding) -> str:
    parts = [
        f"{link.user.get_full_name()} <{link.user.email}> asks in the portal which fibre reaches this address:",
        places.for_support(request),
        "Write the answer on the Account: Internet_Eligibility__c, then Internet_Eligibility_Status__c = Checked and "
        "the checked time; set the Opportunity to Ready or Void. The portal tells the customer by itself.",
    ]
    if standing.other_cases:
        numbers = ", ".join(standing.other_cases)
        parts.append(f"Open checks of this customer from before: Case {numbers}. Only the address above counts now.")
    return "\n\n".join(parts)


@commit("eligibility.record")
def _record(request_id: int, link: CustomerLink, asked: AskedCheck) -> None:
    request = EligibilityRequest.objects.select_for_update().get(pk=request_id)
    ids = {
        "sf_account_id": link.sf_account_id,
        "sf_case_id": asked.case_id,
        "sf_opportunity_id": asked.opportunity_id,
        "lease_until": None,
        "error_code": "",
    }
    if request.state == State.SUBMITTED:
        asking.transition(request_id, State.ASKED, **ids)
    elif request.state == State.SUPERSEDED:  # meanwhile; what was made is noted all the same
        EligibilityRequest.objects.filter(pk=request_id).update(**ids)


@commit("eligibility.try_later")
def _try_later(request: EligibilityRequest, error: OutsideError, link: CustomerLink) -> None:
    """What may still be carried out there keeps this customer's requests waiting until it cannot be any more."""
    now = timezone.now()
    is_unknown = isinstance(error, UnknownOutcome)
    pause = timedelta(seconds=settings.QUARANTINE_S) if is_unknown else cases.back_off(request.tries)
    EligibilityRequest.objects.filter(pk=request.pk, tries=request.tries).update(
        error_code=error.code[:40], next_try_at=now + pause, lease_until=now + pause if is_unknown else None
    )
    log.warning("eligibility_not_sent", check_id=request.pk, error_code=error.code, kind=type(error).__name__)
    if isinstance(error, Rejected) and request.tries >= REFUSALS_BEFORE_A_CASE:
        cases.open_case(
            cause=f"eligibility_refused:{request.pk}",
            kind="General Inquiry",
            subject="An address check is refused",
            description=f"Salesforce refuses a customer's request to check an address ({error.code}). The portal tries "
            "again every hour; the address stands in the portal's admin, under address checks.",
            user_id=request.user_id,
            sf_account_id=link.sf_account_id,
        )
