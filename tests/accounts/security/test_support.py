"""What leads of customer support may do about signing in, each with a reason and a trace (decisions.md 37)."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEntry
from notifications.models import Email
from notifications.rendering import render
from tests.accounts.security.conftest import browser_of, confirmed, is_signed_in, sign_in
from tests.people import PASSWORD, Staff, make_staff, make_user, signed_in

pytestmark = pytest.mark.django_db
ACTIONS = ("resend_verification", "correct_email", "remove_second_factor", "disable", "enable")
USERS = reverse("admin:accounts_user_changelist")


@pytest.fixture
def lead() -> Client:
    return signed_in(make_staff("lena@example.jp", group="CS lead").user)


@pytest.fixture
def unverified() -> User:
    return make_user("chei@example.jp", given_name="Chie", verified=False)


def act(browser: Client, name: str, user: User, *, reason: str = "asked by phone, call 4711", email: str = "") -> str:
    """Carries an action out; what the page then says."""
    data: dict[str, Any] = {"action": name, ACTION_CHECKBOX_NAME: [user.pk], "reason": reason, "email": email}
    return browser.post(USERS, data, follow=True).content.decode()


def trace(name: str) -> AuditEntry | None:
    return AuditEntry.objects.filter(action=f"user.{name}").first()


@pytest.mark.parametrize("name", ACTIONS)
def test_agents_may_do_none_of_it(cs_carol: Staff, unverified: User, name: str) -> None:
    act(signed_in(cs_carol.user), name, unverified, email="chie@example.jp")

    assert trace(name) is None
    unverified.refresh_from_db()
    assert (unverified.email, unverified.is_active) == ("chei@example.jp", True)


@pytest.mark.parametrize("name", ACTIONS)
def test_nothing_is_done_without_a_reason(lead: Client, unverified: User, name: str) -> None:
    page = act(lead, name, unverified, reason=" ", email="chie@example.jp")

    assert "Give a reason" in page
    assert trace(name) is None


@pytest.mark.parametrize("name", ACTIONS)
def test_about_colleagues_only_a_superuser_decides(lead: Client, cs_carol: Staff, name: str) -> None:
    page = act(lead, name, cs_carol.user, email="x@example.jp")

    assert "Only a superuser decides about members of staff." in page
    assert Authenticator.objects.filter(user=cs_carol.user).exists()


def test_the_way_back_to_a_sign_up_is_sent_again(lead: Client, unverified: User) -> None:
    act(lead, "resend_verification", unverified)

    mail = render(Email.objects.get(to="chei@example.jp", template="finish_signup"))
    assert "http://portal.test/account/login/" in mail.text
    entry = trace("resend_verification")
    assert entry is not None
    assert (entry.user_id, entry.reason) == (unverified.pk, "asked by phone, call 4711")


def test_a_mistyped_address_is_put_right_and_works(lead: Client, unverified: User) -> None:
    act(lead, "correct_email", unverified, email=" Chie@example.jp ")

    unverified.refresh_from_db()
    assert unverified.email == "chie@example.jp"
    assert list(EmailAddress.objects.values_list("email", "verified").filter(user=unverified)) == [
        ("chie@example.jp", False)
    ]
    assert Email.objects.filter(to="chie@example.jp", template="finish_signup").exists()
    assert sign_in(unverified)["Location"] == reverse("account_email_verification_sent")
    assert Email.objects.filter(to="chie@example.jp", template="verification_code").exists()


@pytest.mark.parametrize("email", ["", "no address", "ben@example.jp"])
def test_an_address_that_cannot_be_is_refused(lead: Client, unverified: User, ben: User, email: str) -> None:
    act(lead, "correct_email", unverified, email=email)

    unverified.refresh_from_db()
    assert unverified.email == "chei@example.jp"
    assert trace("correct_email") is None


@pytest.mark.parametrize("name", ["correct_email", "resend_verification"])
def test_a_confirmed_address_is_its_owners_alone(lead: Client, aiko: User, name: str) -> None:
    page = act(lead, name, aiko, email="else@example.jp")

    assert "only its owner can change it" in page
    aiko.refresh_from_db()
    assert aiko.email == "aiko@example.jp"


@pytest.fixture
def held(lead: Client, aiko: User) -> User:
    """aiko, whose second factor support has removed."""
    TOTP.activate(aiko, generate_totp_secret())
    act(lead, "remove_second_factor", aiko)
    return User.objects.get(pk=aiko.pk)


def test_removing_the_second_factor_signs_out_and_tells_the_owner(lead: Client, aiko: User) -> None:
    browser = browser_of(aiko)
    TOTP.activate(aiko, generate_totp_secret())

    act(lead, "remove_second_factor", aiko)

    assert not Authenticator.objects.filter(user=aiko).exists()
    assert not is_signed_in(browser)
    assert "Our support removed" in render(Email.objects.get(to=aiko.email, template="security_notice")).text
    assert trace("remove_second_factor") is not None
    assert "There is no second factor to remove." in act(lead, "remove_second_factor", aiko)


def test_for_a_day_the_address_stays_and_billing_is_shut(held: User) -> None:
    browser = confirmed(held)
    answer = browser.post(reverse("account_email"), {"action_add": "", "email": "thief@example.jp"})
    billing = browser.post(reverse("payment_sso"))

    assert "For 24 hours" in answer.content.decode()
    assert billing["Location"] == reverse("payment_methods")
    assert ["For 24 hours" in str(message) for message in get_messages(billing.wsgi_request)] == [True]
    assert not Email.objects.filter(to="thief@example.jp").exists()


def test_after_a_day_all_is_as_before(held: User) -> None:
    User.objects.filter(pk=held.pk).update(second_factor_hold_until=timezone.now() - timedelta(seconds=1))

    confirmed(held).post(reverse("account_email"), {"action_add": "", "email": "new@example.jp"})

    assert Email.objects.filter(to="new@example.jp").exists()


def test_a_disabled_user_is_out_and_comes_back_when_enabled(lead: Client, aiko: User) -> None:
    browser = browser_of(aiko)

    act(lead, "disable", aiko)
    assert not is_signed_in(browser)
    assert sign_in(aiko)["Location"] == reverse("account_inactive")

    act(lead, "enable", aiko)
    assert sign_in(aiko, password=PASSWORD)["Location"] == reverse("dashboard")
    assert trace("disable") is not None
    assert trace("enable") is not None
