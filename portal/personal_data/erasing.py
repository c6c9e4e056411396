"""Removing a person from the portal, for an operator who was asked to (docs/personal-data.md).

Orders stay without their customer, because what was sold must be accounted for; the audit trail names people by number
only and stays. Salesforce and WHMCS are not touched: what must be kept there, the law and support decide.
"""

from collections.abc import Iterator
from itertools import chain

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.identity import storage
from accounts.links import linked
from accounts.models import (
    Address,
    ClosingRequest,
    CustomerLink,
    IdentityCheck,
    IdentityDocument,
    ProfileSync,
    SignupJourney,
    User,
)
from accounts.signup import EMAIL_DIFFERS
from audit import trail
from catalog.models import EligibilityRequest
from notifications.models import Email
from notifications.retention import of_nobody
from orders.models import Cart, Order
from support.models import Case


class NotYet(Exception):
    """Something still needs to know who this is; the text says what."""


def erase(user: User, *, reason: str) -> dict[str, int]:
    """Removes what says who `user` is; returns how many rows of each kind went. Cannot be undone.

    Raises NotYet, and nothing is changed: staff, orders under way, an account that is not closed in Salesforce, a
    sign-up that is still making records or has left some, a wish to close nobody carried out, cases or mails that are
    still to go out. Repeatable.
    """
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        _refuse_unless_done_with(person)
        gone = {
            "carts": Cart.objects.filter(user=person).delete()[0],
            "mails": _mails(person).delete()[0],
            "cases": Case.objects.filter(user_id=person.pk).delete()[0],
            "sessions": _sign_out(person),
            "address_checks": EligibilityRequest.objects.filter(user=person).delete()[0],
            "identity_papers": _papers(person),
            "orders_without_customer": Order.objects.filter(user=person).update(user=None, place={}, support_note=""),
        }
        for model in (EmailAddress, Authenticator, Address, ProfileSync, SignupJourney, ClosingRequest, CustomerLink):
            gone[model._meta.model_name or ""] = model.objects.filter(user=person).delete()[0]
        _forget(person)
        trail.record("customer_erased", user_id=person.pk, reason=reason)
    return gone


def erase_address(email: str, *, reason: str) -> int:
    """Removes the mails to an address that belongs to no user; returns how many. Cannot be undone; repeatable.

    Raises NotYet when one of them is still to go out.
    """
    with transaction.atomic():
        theirs = of_nobody().filter(to__iexact=email)
        if theirs.filter(state=Email.State.PENDING).exists():
            raise NotYet("A mail to this address has not gone out yet.")
        gone = theirs.delete()[0]
        trail.record("address_erased", reason=reason)
    return gone


def _mails(person: User) -> QuerySet[Email]:
    """To the person, and to their addresses while they were nobody here."""
    addresses = {person.email, *EmailAddress.objects.filter(user=person).values_list("email", flat=True)}
    to_them = Q(*(("to__iexact", each) for each in addresses), _connector=Q.OR)
    return Email.objects.filter(Q(user_id=person.pk) | Q(pk__in=of_nobody().filter(to_them).values("pk")))


def _refuse_unless_done_with(person: User) -> None:
    for why in chain(_of_the_account(person), _of_the_sign_up(person), _on_its_way(person)):
        raise NotYet(why)


def _of_the_account(person: User) -> Iterator[str]:
    link = linked(person)
    if person.is_staff:
        yield "This is a member of staff."
    if link is not None and link.portal_status != CustomerLink.CLOSED:
        yield "The account is not closed: set Portal_Status__c of the Account to Inactive first."
    if ClosingRequest.objects.filter(user=person, state=ClosingRequest.State.ASKED).exists():
        yield "The wish to close the account is open: carry it out first, so that the customer is told."


def _of_the_sign_up(person: User) -> Iterator[str]:
    journey = SignupJourney.objects.select_for_update().filter(user=person).first()
    if journey is None:
        return
    if journey.state == SignupJourney.State.RUNNING and (person.is_active or _has_a_run(journey)):
        yield "The sign-up is still running: it makes records in Salesforce and WHMCS."
    if person.is_active and linked(person) is None and _left_outside(journey):
        yield f"The sign-up made or took Account {journey.sf_account_id}: settle it there, then disable the user."


def _has_a_run(journey: SignupJourney) -> bool:
    """Whether a worker may still be at it, although the user was disabled since it began."""
    return journey.lease_until is not None and journey.lease_until > timezone.now()


def _left_outside(journey: SignupJourney) -> bool:
    """Whether a sign-up that waits for support has an Account; one that is only claimed is somebody else's."""
    waits = journey.state == SignupJourney.State.WAITING_CS
    return waits and bool(journey.sf_account_id) and journey.error_code != EMAIL_DIFFERS


def _on_its_way(person: User) -> Iterator[str]:
    if Order.objects.filter(user=person).under_way().exists():
        yield "An order is under way."
    if IdentityCheck.objects.filter(user=person, legal_hold=True).exists():
        yield "The identity papers are under a legal hold."
    if IdentityCheck.objects.filter(user=person, state=IdentityCheck.State.SUBMITTED).exists():
        yield "Identity papers are not in Salesforce yet."
    if EligibilityRequest.objects.filter(user=person, state=EligibilityRequest.State.SUBMITTED).exists():
        yield "An address check is not in Salesforce yet."
    if Case.objects.filter(user_id=person.pk, state=Case.State.PENDING).exists():
        yield "A case for support is not in Salesforce yet."
    if _mails(person).filter(state=Email.State.PENDING).exists():
        yield "A mail to the customer has not gone out yet."


def _sign_out(person: User) -> int:
    theirs = [
        each.pk for each in Session.objects.iterator() if each.get_decoded().get("_auth_user_id") == str(person.pk)
    ]
    UserSession.objects.filter(user=person).delete()
    return Session.objects.filter(pk__in=theirs).delete()[0]


def _papers(person: User) -> int:
    checks = IdentityCheck.objects.filter(user=person)
    storage.remove_once_committed(IdentityDocument.objects.filter(check_of__in=checks).values_list("pk", flat=True))
    return checks.delete()[0]


def _forget(person: User) -> None:
    person.email, person.given_name, person.family_name, person.phone = f"erased-{person.pk}@erased.invalid", "", "", ""
    person.is_active = person.news_mails = False
    person.second_factor_hold_until = None
    person.set_unusable_password()
    person.save()
