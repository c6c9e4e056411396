"""Makes the portal write every e-mail it has, each the way it really comes about, with every outcome."""

from typing import Any

from django.test import RequestFactory
from django.utils import timezone, translation

from accounts import closing, signup, steps
from accounts.adapter import AccountAdapter
from accounts.identity import outcome
from accounts.models import CustomerLink, SignupJourney, User
from accounts.security import notices, support
from catalog.eligibility import answering
from orders import telling
from orders.models import Cancellation, Order
from orders.transitions import log_event
from provisioning import mails
from provisioning.failures import Code
from provisioning.models import Attempt
from tests.accounts.identity.sent_in import papers
from tests.catalog.eligibility.conftest import MITA, SHIBAURA
from tests.catalog.eligibility.test_answering import being_checked, refreshed
from tests.orders.steps import order_now
from tests.people import make_customer, make_user
from tests.provisioning.doubles import ORDER, item, order

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1"
OF_ALLAUTH = (
    "email_confirmation_signup",
    "email_confirmation",
    "password_reset_key",
    "unknown_account",
    "account_already_exists",
)
NAMES: dict[str, dict[str, Any]] = {
    "en": {"given_name": "Maria Clara", "family_name": "Santos"},
    "ja": {"given_name": "愛子", "family_name": "山田"},
}


def write_all(language: str) -> None:
    """As rows, to one customer who reads `language`; the shop's catalogue is there, the outside systems are doubles."""
    user = make_customer("reader@example.jp", language=language, internet_eligibility="Apartment 1G", **NAMES[language])
    with translation.override(language):
        _entrance(user)
    _account(user)
    _identity(user)
    _eligibility(user)
    _orders(user)
    closing.ask(user)
    closing.carried_out(user.link.sf_account_id)


def _entrance(user: User) -> None:
    adapter = AccountAdapter()
    path = "/account/password/reset/key/1-abcdef/"
    for name in OF_ALLAUTH:
        whose = None if name == "unknown_account" else user
        adapter.send_mail(f"account/email/{name}", user.email, {"user": whose, "code": "K7M4QX", "path": path})
    newcomer = make_user("newcomer@example.jp", language=user.language, verified=False, **NAMES[user.language])
    support.resend_verification(newcomer)


def _account(user: User) -> None:
    request = RequestFactory().get("/", headers={"User-Agent": PHONE})
    for event in sorted(notices.EVENTS):
        notices.send(event, user, request=request)
    newcomer = make_user("fresh@example.jp", language=user.language, **NAMES[user.language])
    journey = signup.start(user=newcomer, claimed_number="", from_checkout=False)
    signup.begin(newcomer)
    SignupJourney.objects.filter(pk=journey.pk).update(sf_account_no="104882", step="welcome")
    steps.welcome(steps.Run(SignupJourney.objects.get(pk=journey.pk)))


def _identity(user: User) -> None:
    check = papers(user, state="pending", sides=())
    message = (
        "The name differs.\nPlease send both sides."
        if user.language == "en"
        else "お名前が異なります。\n両面をお送りください。"
    )
    for to, told in (("verified", ""), ("rejected", message)):
        outcome.write_to_customer(user, check, to, told)


def _eligibility(user: User) -> None:
    for place, answer in ((MITA, "Not available"), (SHIBAURA, "Apartment 1G")):
        being_checked(user, place)
        refreshed(user, answer)
        answering.notice()


def _orders(user: User) -> None:
    (internet,) = order_now(user, "INT-APT-1G", router="wifi6")
    order_now(user, "VPN-US", "SIM-D-3", sim_type="esim")
    CustomerLink.objects.filter(user=user).update(state="provisional", whmcs_client_id=None)
    unconfirmed = Order.objects.create(user=user, portal_ref="SX-0000-001:x", cart_hash="x", category="VPN")
    telling.received(User.objects.get(pk=user.pk), [unconfirmed], unconfirmed.submission)
    CustomerLink.objects.filter(user=user).update(state="linked", whmcs_client_id=91234)
    Order.objects.filter(pk=internet.pk).update(sf_order_id=ORDER)
    attempt = Attempt(order_id=ORDER)
    for code in (Code.PAYMENT_METHOD_MISSING, Code.IDENTITY_PENDING, Code.WHMCS_UNREACHABLE):
        mails.failed(attempt, code)
    mails.provisioned(
        attempt,
        order(items=(item(), item(sku="ACT-INTERNET", name="Activation", unit_price=3300, billing_cycle="One-time"))),
    )
    telling.cancelled(internet)
    internet.refusal = "sims"
    telling.on_hold(user, internet)
    telling.not_accepted(user, internet)
    telling.taken_up(internet)
    vpn = Order.objects.get(user=user, category="VPN", submission__isnull=False, local_state="placed")
    Cancellation.objects.create(order=vpn, state="done", asked_at=timezone.now(), next_try_at=timezone.now())
    telling.cancelled(vpn)
    telling.revived(internet, approved=False)
    for approved in (True, False):
        log_event(vpn, what="revived", actor="salesforce")
        telling.revived(vpn, approved=approved)
