"""The sign-up form, the code by e-mail, the page that follows the journey."""

import logging
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import hashers
from django.test import Client
from django.urls import reverse

from accounts import retention, signup
from accounts.models import SignupJourney, User
from integrations.errors import Unavailable
from notifications import outgoing, secrets
from notifications.models import Email
from tests.accounts.conftest import run
from tests.accounts.doubles import Salesforce, Whmcs, account
from tests.people import PASSWORD, make_customer, make_user, signed_in

pytestmark = pytest.mark.django_db
State = SignupJourney.State


def filled(**changes: str) -> dict[str, str]:
    return {
        "source": "new",
        "number": "",
        "given_name": "Aiko",
        "family_name": "Sato",
        "email": "aiko@example.jp",
        "password1": PASSWORD,
        "terms": "on",
        **changes,
    }


def sign_up(browser: Client, *, next_url: str = "", **changes: str) -> Any:
    data = filled(**changes) | ({"next": next_url} if next_url else {})
    return browser.post(reverse("account_signup"), data)


def code_of(email: str) -> str:
    mail = Email.objects.get(to=email, template="verification_code")
    return str(secrets.unseal(mail.secret_context)["code"])


def confirm(browser: Client, email: str = "aiko@example.jp") -> Any:
    return browser.post(reverse("account_email_verification_sent"), {"code": code_of(email)})


def test_signing_up_asks_for_the_code_and_touches_nothing_outside(
    visitor: Client, salesforce: Salesforce, whmcs: Whmcs
) -> None:
    answer = sign_up(visitor)

    assert answer.url == reverse("account_email_verification_sent")
    user = User.objects.get()
    assert (user.given_name, user.family_name, user.language) == ("Aiko", "Sato", "en")
    assert user.terms_accepted_at is not None
    assert user.journey.state == State.WAITING_EMAIL
    assert user.journey.source == "Portal Signup"
    assert (salesforce.calls, whmcs.calls) == ([], [])


def test_the_code_starts_the_journey_and_the_page_follows_it(
    visitor: Client, salesforce: Salesforce, whmcs: Whmcs
) -> None:
    checkout = reverse("checkout")
    sign_up(visitor, next_url=checkout)
    answer = confirm(visitor)

    assert answer.url == f"{reverse('account_setup')}?next=%2Fcheckout%2F"
    journey = SignupJourney.objects.get()
    assert (journey.state, journey.source) == (State.RUNNING, "Portal Checkout")
    page = visitor.get(answer.url).content.decode()
    assert 'data-poll="/account/setup/status/?next=%2Fcheckout%2F"' in page
    assert "Check again" in page

    run(journey)

    part = visitor.get("/account/setup/status/?next=%2Fcheckout%2F").content.decode()
    assert "data-poll" not in part
    assert f'href="{checkout}"' in part
    assert "<html" not in part


@pytest.mark.parametrize(
    ("language", "ready"), [("en", "Your account is ready"), ("ja", "アカウントの準備ができました")]
)
def test_without_a_script_the_page_goes_on_by_itself_until_the_account_is_ready(
    visitor: Client, salesforce: Salesforce, whmcs: Whmcs, language: str, ready: str
) -> None:
    again = '<noscript><meta http-equiv="refresh" content="10"></noscript>'
    visitor.cookies["language"] = language
    sign_up(visitor)
    url = confirm(visitor).url
    salesforce.before["create_account"] = Unavailable("salesforce", "create_account", "unreachable")
    run(SignupJourney.objects.get())
    while_away = visitor.get(url).content.decode()
    assert (again in while_away.partition("</head>")[0], ready in while_away) == (True, False)

    run(SignupJourney.objects.get())

    page = visitor.get(url).content.decode()
    assert (again in page, ready in page) == (False, True)


def test_the_wrong_code_starts_nothing(visitor: Client) -> None:
    sign_up(visitor)
    answer = visitor.post(reverse("account_email_verification_sent"), {"code": "AAAAAA"})

    assert answer.status_code == 200
    assert SignupJourney.objects.get().state == State.WAITING_EMAIL


def test_a_used_address_gets_the_same_answer_and_its_owner_a_mail(visitor: Client) -> None:
    new = sign_up(visitor)
    make_user("ben@example.jp")
    other = Client()
    used = sign_up(other, email="Ben@example.jp")

    assert (used.status_code, used.url) == (new.status_code, new.url)
    assert User.objects.filter(email__iexact="ben@example.jp").count() == 1
    assert Email.objects.get(to="ben@example.jp").template == "account_exists"
    page, same = (each.get(new.url).content.decode() for each in (visitor, other))
    assert _without_tokens(page, "aiko@example.jp") == _without_tokens(same, "ben@example.jp")


def _without_tokens(page: str, email: str) -> list[str]:
    lines = page.replace(email, "EMAIL").splitlines()
    return [line for line in lines if "csrfmiddlewaretoken" not in line]


def test_the_password_is_hashed_once_for_new_and_used_addresses(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    hasher = hashers.get_hasher()
    original = type(hasher).encode

    def counting(self: Any, password: str, salt: str, *args: Any, **kwargs: Any) -> str:
        hashed.append(password)
        return str(original(self, password, salt, *args, **kwargs))

    monkeypatch.setattr(type(hasher), "encode", counting)
    sign_up(visitor)
    once = len(hashed)
    sign_up(Client())

    assert once >= 1
    assert len(hashed) == 2 * once


@pytest.mark.parametrize("number", ["104 882", "104-882", "１０４８８２", "104882"])
def test_a_customer_number_may_be_typed_as_printed(visitor: Client, number: str) -> None:
    sign_up(visitor, source="legacy", number=number)

    journey = SignupJourney.objects.get()
    assert (journey.kind, journey.claimed_number, journey.source) == ("legacy", "104882", "Legacy")


@pytest.mark.parametrize("number", ["", "12", "CN-104882", "1" * 30, "10488２x"])
def test_what_cannot_be_a_number_is_said_at_the_field(visitor: Client, number: str) -> None:
    answer = sign_up(visitor, source="legacy", number=number)

    assert answer.status_code == 200
    assert answer.context["form"].errors["number"]
    assert not User.objects.exists()


def test_a_new_customer_is_not_bothered_about_the_number(visitor: Client) -> None:
    sign_up(visitor, source="new", number="nonsense")

    assert SignupJourney.objects.get().claimed_number == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [("password1", "short one"), ("terms", ""), ("email", "nonsense"), ("source", "staff")]
    + [("given_name", f"A{odd}b") for odd in "\x07\n\r\x85\u2028\u202e<"],
)
def test_bad_input_is_said_at_its_field(visitor: Client, field: str, value: str) -> None:
    answer = sign_up(visitor, **{field: value})

    assert field in answer.context["form"].errors
    assert not User.objects.exists()


def test_posting_staff_rights_changes_nothing(visitor: Client) -> None:
    sign_up(visitor, is_staff="on", is_superuser="on")

    user = User.objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_unmatched_numbers_look_the_same_whatever_the_reason(salesforce: Salesforce, whmcs: Whmcs) -> None:
    make_customer("owner@example.jp", sf_account_id=account("104882").id, sf_account_no="104882")
    salesforce.accounts.append(account("104882", email="owner@example.jp"))
    pages = []
    for email, number in (("ben@example.jp", "999999"), ("eve@example.jp", "104882"), ("kim@example.jp", "00000")):
        user = make_user(email)
        journey = signup.start(user=user, claimed_number=number, from_checkout=False)
        signup.begin(user)
        run(journey)
        page = signed_in(user).get(reverse("account_setup")).content.decode()
        pages.append([line for line in page.splitlines() if "csrfmiddlewaretoken" not in line])

    assert "We could not match this customer number" in "\n".join(pages[0])
    assert pages[0] == pages[1] == pages[2]


def test_another_number_can_be_tried_and_the_number_given_up(salesforce: Salesforce, whmcs: Whmcs) -> None:
    user = make_user("aiko@example.jp")
    journey = signup.start(user=user, claimed_number="999999", from_checkout=False)
    signup.begin(user)
    run(journey)
    browser = signed_in(user)

    assert browser.post(reverse("account_number"), {"number": "nonsense"}).status_code == 422
    assert browser.post(reverse("account_number"), {"number": "888 888"}).status_code == 302
    assert SignupJourney.objects.get().claimed_number == "888888"
    run(journey)
    browser.post(reverse("account_as_new"), {"next": "//evil.example"})
    assert run(journey).state == State.DONE


@pytest.mark.parametrize("url", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_the_way_back_never_leaves_the_portal(aiko: User, url: str) -> None:
    page = signed_in(aiko).get(reverse("account_setup_status"), {"next": url}).content.decode()

    assert f'href="{reverse("dashboard")}"' in page
    assert "evil.example" not in page
    assert "javascript:alert" not in page


def test_waiting_for_support_says_so(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(account("104882", email="owner@example.jp"))
    user = make_user("ben@example.jp")
    journey = signup.start(user=user, claimed_number="104882", from_checkout=False)
    signup.begin(user)
    run(journey)

    page = signed_in(user).get(reverse("account_setup")).content.decode()

    assert "Our team is looking at your sign-up" in page
    assert "owner@example.jp" not in page
    assert "data-poll" not in page

    turned_away = signed_in(user).get(reverse("payment_methods"), follow=True).content.decode()
    ways_on = turned_away.partition("<main")[2].partition("</main>")[0]
    assert f'href="{reverse("payment_methods")}"' not in ways_on  # it would only lead back here
    assert f'href="{reverse("catalog")}"' in ways_on


def test_sign_ups_nobody_verified_are_deleted_after_seven_days(visitor: Client) -> None:
    sign_up(visitor)
    kept = make_customer("kept@example.jp")
    assert retention.delete_unverified() == {"deleted": 0}

    User.objects.update(date_joined="2026-01-01T00:00Z")

    Email.objects.update(state="sent")
    outgoing.queue(cause="k", template="welcome", to="kept@example.jp", user_id=kept.pk, language="en", context={})
    assert retention.delete_unverified() == {"deleted": 1}
    assert [user.email for user in User.objects.all()] == ["kept@example.jp"]
    assert [mail.to for mail in Email.objects.all()] == ["kept@example.jp"]  # what was written to the others went, too


def test_who_confirms_while_sign_ups_are_being_deleted_stays(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_up(visitor)
    User.objects.update(date_joined="2026-01-01T00:00Z")
    delete = retention._delete

    def confirmed_meanwhile(pk: int) -> bool:
        EmailAddress.objects.update_or_create(user_id=pk, email="x@example.jp", defaults={"verified": True})
        return delete(pk)

    monkeypatch.setattr(retention, "_delete", confirmed_meanwhile)
    assert retention.delete_unverified() == {"deleted": 0}
    assert User.objects.count() == 1


def test_a_sign_up_leaves_no_personal_data_in_the_logs(
    visitor: Client, salesforce: Salesforce, whmcs: Whmcs, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    email, names = "canary-address@example.jp", {"given_name": "Canarygiven", "family_name": "Canaryfamily"}
    sign_up(visitor, email=email, **names)
    confirm(visitor, email)
    run(SignupJourney.objects.get())

    said = caplog.text + "".join(capfd.readouterr())
    for canary in (email, *names.values(), PASSWORD, "canary-address"):
        assert canary not in said
