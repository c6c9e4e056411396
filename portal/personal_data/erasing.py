"""Removing a person from the portal, for an operator who was asked to (docs/personal-data.md).

Orders stay without their customer, because what was sold must be accounted for; the audit trail names people by number
only and stays. Salesforce and WHMCS are not touched: what must be kept there, the law and support decide.
"""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction

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
from audit import trail
from catalog.models import EligibilityRequest
from notifications.models import Email
from orders.models import Cart, Order
from support.models import Case


class NotYet(Exception):
    """Something still needs to know who this is; the text says what."""


def erase(user: User, *, reason: str) -> dict[str, int]:
    """Removes what says who `user` is; returns how many rows of each kind went. Cannot be undone.

    Raises NotYet, and nothing is changed: staff, orders under way, an account that is not closed in Salesforce, cases
    or mails that are still to go out. Repeatable.
    """
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        _refuse_unless_done_with(person)
        gone = {
            "carts": Cart.objects.filter(user=person).delete()[0],
            "mails": Email.objects.filter(user_id=person.pk).delete()[0],
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


def _refuse_unless_done_with(person: User) -> None:
    link = linked(person)
    if person.is_staff:
        raise NotYet("This is a member of staff.")
    if link is not None and link.portal_status != CustomerLink.CLOSED:
        raise NotYet("The account is not closed: set Portal_Status__c of the Account to Inactive first.")
    if Order.objects.filter(user=person).under_way().exists():
        raise NotYet("An order is under way.")
    if IdentityCheck.objects.filter(user=person, legal_hold=True).exists():
        raise NotYet("The identity papers are under a legal hold.")
    if IdentityCheck.objects.filter(user=person, state=IdentityCheck.State.SUBMITTED).exists():
        raise NotYet("Identity papers are not in Salesforce yet.")
    if EligibilityRequest.objects.filter(user=person, state=EligibilityRequest.State.SUBMITTED).exists():
        raise NotYet("An address check is not in Salesforce yet.")
    if Case.objects.filter(user_id=person.pk, state=Case.State.PENDING).exists():
        raise NotYet("A case for support is not in Salesforce yet.")
    if Email.objects.filter(user_id=person.pk, state=Email.State.PENDING).exists():
        raise NotYet("A mail to the customer has not gone out yet.")


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
