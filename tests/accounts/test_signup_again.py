"""Somebody signed up with an address that is not theirs, or its owner twice: who confirms it decides."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import SignupJourney, User
from notifications import secrets
from notifications.models import Email
from tests.accounts.conftest import run
from tests.accounts.doubles import Salesforce, Whmcs, account
from tests.accounts.test_signup_pages import sign_up
from tests.people import PASSWORD, make_user

pytestmark = pytest.mark.django_db
EVES = "a stranger's own words"
ADDRESS = "aiko@example.jp"


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"confirm_email": None}
    cache.clear()


@pytest.fixture
def eve() -> Client:
    """A browser in which somebody has signed up with Aiko's address, as a new customer."""
    browser = Client()
    sign_up(browser, given_name="Eve", family_name="Mallory", password1=EVES)
    return browser


def codes() -> list[str]:
    """Those sent to Aiko's address, the newest first."""
    sent = Email.objects.filter(to=ADDRESS, template="verification_code").order_by("-pk")
    return [str(secrets.unseal(mail.secret_context)["code"]) for mail in sent]


def confirm(browser: Client, code: str) -> Any:
    return browser.post(reverse("account_email_verification_sent"), {"code": code})


def test_the_owner_signs_up_as_if_nobody_had_before(
    eve: Client, visitor: Client, salesforce: Salesforce, whmcs: Whmcs
) -> None:
    salesforce.accounts.append(account("104882"))

    answer = sign_up(visitor, source="legacy", number="104882")
    confirm(visitor, codes()[0])

    assert answer.url == reverse("account_email_verification_sent")
    user = User.objects.get(email=ADDRESS)
    assert (user.given_name, user.family_name) == ("Aiko", "Sato")
    assert (user.check_password(PASSWORD), user.check_password(EVES)) == (True, False)
    journey = run(SignupJourney.objects.get())
    assert (journey.state, journey.sf_account_no, journey.source) == ("done", "104882", "Legacy")


def test_what_the_stranger_sees_does_not_change(eve: Client, visitor: Client) -> None:
    page = reverse("account_email_verification_sent")
    before = _told(eve.get(page))
    sign_up(visitor)
    confirm(visitor, codes()[0])

    assert _told(eve.get(page)) == before
    assert confirm(eve, "AAAAAA").status_code == 200
    assert "_auth_user_id" not in eve.session
    refused = Client().post(reverse("account_login"), {"login": ADDRESS, "password": EVES})
    assert refused.status_code == 200, "the first password opens nothing"


def test_the_owner_may_still_confirm_the_first_of_two_forms_in_its_browser(eve: Client, visitor: Client) -> None:
    """Eve comes second here: nothing of hers counts, since the code was entered in the other browser."""
    User.objects.all().delete()
    sign_up(visitor)
    (first,) = codes()[:1]
    sign_up(Client(), given_name="Eve", password1=EVES, source="legacy", number="104882")

    confirm(visitor, first)

    user = User.objects.get(email=ADDRESS)
    assert (user.given_name, user.check_password(PASSWORD)) == ("Aiko", True)
    assert (user.journey.kind, user.journey.claimed_number) == ("new", "")


def test_a_form_sent_twice_ends_with_the_newest_code(visitor: Client) -> None:
    sign_up(visitor)
    sign_up(visitor)

    answer = confirm(visitor, codes()[0])

    assert answer.url.startswith(reverse("account_setup"))
    assert SignupJourney.objects.get().state == "running"


def test_a_confirmed_address_is_its_owners(visitor: Client) -> None:
    make_user(ADDRESS)

    sign_up(visitor, given_name="Eve", password1=EVES)

    assert "signed_up_again" not in visitor.session
    assert Email.objects.get(to=ADDRESS).template == "account_exists"
    assert User.objects.get().check_password(PASSWORD)


def test_what_waits_can_be_read_by_nobody_and_is_gone_afterwards(eve: Client, visitor: Client) -> None:
    sign_up(visitor)
    kept = visitor.session["signed_up_again"]
    assert not [word for word in ("Aiko", "Sato", "argon2", ADDRESS) if word in kept]

    confirm(visitor, codes()[0])

    assert "signed_up_again" not in visitor.session


def test_what_cannot_be_read_any_more_confirms_nothing_and_is_asked_for_again(
    eve: Client, visitor: Client, settings: Any
) -> None:
    sign_up(visitor)
    code = codes()[0]
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    answer = confirm(visitor, code)

    assert answer.url == reverse("account_signup")
    page = visitor.get(answer.url).content.decode()
    assert "Please fill in the form once more." in page
    assert "is confirmed" not in page
    assert not EmailAddress.objects.filter(verified=True).exists(), "Eve's password would have become the account's"
    assert SignupJourney.objects.get().state == "waiting_email"

    Email.objects.all().delete()  # of the key that is gone
    sign_up(visitor)
    assert confirm(visitor, codes()[0]).url.startswith(reverse("account_setup"))
    assert User.objects.get(email=ADDRESS).check_password(PASSWORD)


def test_a_new_password_for_an_unconfirmed_address_leads_to_signing_up(eve: Client, visitor: Client) -> None:
    visitor.post(reverse("account_reset_password"), {"email": ADDRESS})

    assert Email.objects.filter(to=ADDRESS).latest("pk").template == "unknown_account"


def _told(answer: Any) -> str:
    page = answer.content.decode().replace(answer["X-Request-ID"], "")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)
