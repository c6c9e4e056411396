"""Everything the portal holds about one customer, as JSON (docs/personal-data.md; APPI: disclosure).

One function per place where personal data lives. A model with a user that no function reads fails a test.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Model
from django.utils import timezone

from accounts.models import Address, ClosingRequest, CustomerLink, IdentityCheck, ProfileSync, SignupJourney, User
from audit.models import AuditEntry
from catalog.models import EligibilityRequest
from notifications.models import Email
from orders.models import Cart, Order
from support.models import Case

Section = list[dict[str, Any]]


def held_about(user: User) -> dict[str, Any]:
    """What the portal holds about `user`, by section; dates are ISO 8601. Constant number of queries; changes nothing.

    Left out: what would help somebody else sign in (password hash, second factors' secrets).
    """
    sections = {name: collect(user) for name, collect in SECTIONS.items()}
    return {"made_at": timezone.now().isoformat(), "customer": user.pk, **sections}


def _profile(user: User) -> Section:
    names = ("email", "given_name", "family_name", "phone", "language", "news_mails")
    dates = ("date_joined", "last_login", "terms_version", "terms_accepted_at")
    return [_facts(user, *names, *dates)]


def _emails(user: User) -> Section:
    return _all(EmailAddress.objects.filter(user=user), "email", "verified", "primary")


def _second_factors(user: User) -> Section:
    return _all(Authenticator.objects.filter(user=user), "type", "created_at", "last_used_at")


def _sessions(user: User) -> Section:
    return _all(UserSession.objects.filter(user=user), "created_at", "last_seen_at", "ip", "user_agent")


def _address(user: User) -> Section:
    names = ("postal_code", "prefecture", "city", "street", "building", "room", "updated_at")
    return _all(Address.objects.filter(user=user), *names)


def _other_systems(user: User) -> Section:
    names = (
        "state",
        "sf_account_id",
        "sf_contact_id",
        "sf_account_no",
        "whmcs_client_id",
        "has_payment_method",
        "payment_page_opened_at",
        "card_warning",
        "address_on_file",
    )
    status = ("internet_eligibility", "internet_eligibility_status", "identity_status", "portal_status", "created_at")
    links = CustomerLink.objects.filter(user=user)
    if any(link.state == CustomerLink.State.PROVISIONAL for link in links):
        return _all(links, "state", "created_at")  # the ids may be somebody else's
    return _all(links, *names, *status)


def _sign_up(user: User) -> Section:
    journeys = SignupJourney.objects.filter(user=user)
    return _all(journeys, "kind", "source", "claimed_number", "state", "created_at", "updated_at")


def _sent_to_other_systems(user: User) -> Section:
    return _all(ProfileSync.objects.filter(user=user), "parts", "wanted", "whmcs_has", "salesforce_has", "updated_at")


def _identity_papers(user: User) -> Section:
    """The papers' contents are left out: the customer has them, and the file may lie about on a disk."""
    names = ("paper", "state", "rejection_message", "consent_version", "created_at", "submitted_at", "decided_at")
    document = ("side", "content_type", "size", "created_at", "deleted_at")
    checks = IdentityCheck.objects.filter(user=user).prefetch_related("documents")
    return [_facts(check, *names) | {"documents": _all(check.documents.all(), *document)} for check in checks]


def _orders(user: User) -> Section:
    names = ("number", "sf_order_number", "category", "local_state", "sf_status", "sf_activation_status", "progress")
    dates = ("terms_version", "terms_accepted_at", "created_at", "placed_at", "provisioned_at", "cancelled_at")
    line = ("sku", "name_en", "billing_cycle", "quantity", "unit_price", "options", "whmcs_service_id")
    orders = Order.objects.for_user(user).select_related("agreement").prefetch_related("lines", "events")
    return [
        _facts(order, *names, *dates)
        | {"place": order.place}
        | {"items": _all(order.lines.all(), *line), "events": _all(order.events.all(), "at", "what")}
        | {"important_matters": order.agreement.matters if hasattr(order, "agreement") else []}
        for order in orders
    ]


def _carts(user: User) -> Section:
    carts = Cart.objects.filter(user=user).prefetch_related("lines")
    line = ("sku", "quantity", "options", "add_ons", "price_seen")
    return [_facts(cart, "created_at", "closed_at") | {"lines": _all(cart.lines.all(), *line)} for cart in carts]


def _mails(user: User) -> Section:
    names = ("template", "to", "language", "subject", "state", "created_at", "sent_at", "context")
    return _all(Email.objects.filter(user_id=user.pk), *names)


def _cases(user: User) -> Section:
    names = ("kind", "subject", "description", "sf_case_id", "state", "created_at")
    return _all(Case.objects.filter(user_id=user.pk), *names)


def _address_checks(user: User) -> Section:
    place = ("postal_code", "prefecture", "city", "street", "building", "room", "home")
    names = ("state", "answer", "offered", "sf_case_id", "sf_opportunity_id", "created_at", "answered_at")
    return _all(EligibilityRequest.objects.filter(user=user), *place, *names)


def _closing(user: User) -> Section:
    return _all(ClosingRequest.objects.filter(user=user), "state", "asked_at", "ended_at")


def _log(user: User) -> Section:
    """What was done with the account; who of our staff did it, and from where, is not the customer's data."""
    entries = AuditEntry.objects.filter(user_id=user.pk)
    return [_facts(each, "at", "action", "subject") | {"ip": _visitors_ip(each, user)} for each in entries]


def _visitors_ip(entry: AuditEntry, user: User) -> str | None:
    """Of the customer, or of somebody who tried to be (a refused sign-in has no actor); never of our staff."""
    return entry.ip if entry.actor_id in (None, user.pk) else None


SECTIONS: Mapping[str, Callable[[User], Section]] = {
    "profile": _profile,
    "email_addresses": _emails,
    "second_factors": _second_factors,
    "sessions": _sessions,
    "address": _address,
    "ids_in_other_systems": _other_systems,
    "sign_up": _sign_up,
    "sent_to_other_systems": _sent_to_other_systems,
    "identity_papers": _identity_papers,
    "orders": _orders,
    "carts": _carts,
    "mails": _mails,
    "support_cases": _cases,
    "address_checks": _address_checks,
    "closing_requests": _closing,
    "log": _log,
}


def _all(rows: Iterable[Model], *names: str) -> Section:
    return [_facts(row, *names) for row in rows]


def _facts(row: Model, *names: str) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
