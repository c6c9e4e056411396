"""Asking for a check: one open request per customer; a visitor's is kept until there is an account to send it for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from accounts.models import CustomerLink, User
from catalog.eligibility import places
from catalog.eligibility.models import EligibilityRequest
from journal.commits import commit
from journal.waking import wake

log = structlog.get_logger(__name__)
State = EligibilityRequest.State

SEND = "catalog.jobs.send_check"
ANSWER_HOLDS = timedelta(days=90)  # who asks about the same address sooner sees the answer there is
MOST_A_DAY = 5  # addresses; each is work for a person
MOVES: Mapping[str, set[str]] = {
    State.KEPT: {State.SUBMITTED, State.SUPERSEDED},
    State.SUBMITTED: {State.ASKED, State.SUPERSEDED},
    State.ASKED: {State.ANSWERED, State.SUPERSEDED},
    State.ANSWERED: set(),
    State.SUPERSEDED: set(),
}


class TooManyAddresses(Exception):
    """The customer has asked about as many addresses as a day allows."""


class NotAllowed(Exception):
    """The request is not in a state in which this can be done."""


@dataclass(frozen=True)
class Asked:
    """The request that counts, and whether it is a new one."""

    request: EligibilityRequest
    is_new: bool


def ask(*, user: User, said: Mapping[str, Any]) -> Asked:
    """A signed-in user asks about an address (a cleaned CheckForm). Repeatable: the same address is the same request.

    Another address takes the place of the open request. Sent at once for a customer known in Salesforce, else kept.
    Raises TooManyAddresses. Locks the user's row, so that two tabs make one request.
    """
    with commit("eligibility.ask"):
        standing = _locked_standing(user)
        if standing is not None and _tells(standing, said):
            return Asked(standing, is_new=False)
        if not _may_ask(user):
            raise TooManyAddresses
        return Asked(_put(user, EligibilityRequest(**said), instead_of=standing), is_new=True)


def keep(*, said: Mapping[str, Any], earlier: UUID | None) -> Asked:
    """A visitor asks about an address; `earlier` is the request their session knows. Repeatable.

    Nobody can read it but that session, whose part it is to remember `request.ref`.
    """
    with commit("eligibility.keep"):
        standing = _visitors().select_for_update().filter(ref=earlier).first() if earlier else None
        if standing is not None and places.is_same(standing, said):
            return Asked(standing, is_new=False)
        if standing is not None:
            standing.delete()
        return Asked(EligibilityRequest.objects.create(**said), is_new=True)


def claim(*, user: User, ref: UUID) -> EligibilityRequest | None:
    """What a visitor asked becomes the signed-in user's; the request that counts from now on. Repeatable.

    None when there is no such visitor's request (any more). Where the user knows the answer already, or asked about as
    many addresses as a day allows, the visitor's request goes and the user's own stands.
    """
    with commit("eligibility.claim_visitors"):
        standing = _locked_standing(user)
        request = _visitors().select_for_update().filter(ref=ref).first()
        if request is None:
            return None
        if (standing is not None and _tells(standing, places.said_in(request))) or not _may_ask(user):
            request.delete()
            return standing
        return _put(user, request, instead_of=standing)


def submit_kept(limit: int = 100) -> int:
    """Requests whose customer has become known in Salesforce go on their way; says how many. Repeatable."""
    known = {"user__link__state": CustomerLink.State.LINKED}
    waiting = EligibilityRequest.objects.filter(state=State.KEPT, **known).order_by("pk")
    return sum(_submit(pk) for pk in list(waiting.values_list("pk", flat=True)[:limit]))


def latest(user: User) -> EligibilityRequest | None:
    """The request that counts: the open one, else the one answered last. One query."""
    return _of(user).first()


def of_visitor(ref: UUID) -> EligibilityRequest | None:
    """The visitor's request of that reference; the caller's session must know it. One query."""
    return _visitors().filter(ref=ref).first()


def transition(request_id: int, to: str, **fields: object) -> None:
    """Moves the request under its row lock and writes one log line; SUBMITTED also wakes a worker.

    Raises NotAllowed when the move is not in MOVES.
    """
    with transaction.atomic():
        row = EligibilityRequest.objects.select_for_update().get(pk=request_id)
        if to not in MOVES[row.state]:
            raise NotAllowed(f"an address check cannot go from {row.state} to {to}")
        if to == State.SUBMITTED:
            fields |= {"next_try_at": Now()}
            wake("cases", SEND, request_id)
        EligibilityRequest.objects.filter(pk=request_id).update(state=to, updated_at=Now(), **fields)
    log.info("eligibility_moved", check_id=request_id, state=to)


def _locked_standing(user: User) -> EligibilityRequest | None:
    User.objects.select_for_update().get(pk=user.pk)
    return _of(user).select_for_update().first()


def _of(user: User) -> QuerySet[EligibilityRequest]:
    counting = EligibilityRequest.objects.filter(user=user).exclude(state=State.SUPERSEDED)
    return counting.order_by(F("answered_at").desc(nulls_first=True), "-id")


def _visitors() -> QuerySet[EligibilityRequest]:
    return EligibilityRequest.objects.filter(user=None, state=State.KEPT)


def _tells(standing: EligibilityRequest, said: Mapping[str, Any]) -> bool:
    """Whether the request that stands answers what is asked now, or will."""
    if not places.is_same(standing, said):
        return False
    fresh = EligibilityRequest.objects.filter(pk=standing.pk, answered_at__gt=Now() - ANSWER_HOLDS)
    return standing.is_open or fresh.exists()


def _may_ask(user: User) -> bool:
    lately = EligibilityRequest.objects.filter(user=user, created_at__gt=Now() - timedelta(days=1))
    return lately.count() < MOST_A_DAY


def _put(user: User, request: EligibilityRequest, *, instead_of: EligibilityRequest | None) -> EligibilityRequest:
    if instead_of is not None and instead_of.is_open:
        transition(instead_of.pk, State.SUPERSEDED)
    request.user = user
    request.save()
    _submit(request.pk)
    request.refresh_from_db()
    return request


def _submit(request_id: int) -> bool:
    """On its way, if the customer is known in Salesforce. In a transaction of its own, or the caller's."""
    with commit("eligibility.submit"):
        kept = EligibilityRequest.objects.select_for_update().filter(pk=request_id, state=State.KEPT).first()
        if kept is None or not _is_known(kept.user_id):
            return False
        transition(request_id, State.SUBMITTED)
    return True


def _is_known(user_id: int | None) -> bool:
    links = CustomerLink.objects.filter(state=CustomerLink.State.LINKED)
    return user_id is not None and links.filter(user_id=user_id).exists()
