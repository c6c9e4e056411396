"""Changing the address and the second factor: who must be asked first, who hears of it (security.md §1)."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ProfileSync, User
from accounts.security import notices
from audit.models import AuditEntry
from notifications import secrets
from notifications.models import Email
from notifications.rendering import render
from tests.accounts.security.conftest import browser_of, confirmed, is_signed_in, sign_in
from tests.people import PASSWORD, Staff

pytestmark = pytest.mark.django_db
SENSITIVE = [
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_generate_recovery_codes",
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_deactivate_totp",
]


def ask_for(address: str, browser: Client) -> None:
    browser.post(reverse("account_email"), {"action_add": "", "email": address})


def code_sent_to(address: str) -> str:
    return str(secrets.unseal(Email.objects.filter(to=address).latest("pk").secret_context)["code"])


def test_changing_the_address_needs_the_password_again(aiko: User) -> None:
    browser = browser_of(aiko)
    answer = browser.post(reverse("account_email"), {"action_add": "", "email": "new@example.jp"})

    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert not Email.objects.filter(to="new@example.jp").exists()

    browser.post(answer["Location"], {"password": PASSWORD, "next": reverse("account_email")})
    assert Email.objects.filter(to="new@example.jp").exists()  # what was asked for goes on by itself


def test_the_old_address_hears_of_the_new_one_and_what_to_do(aiko: User) -> None:
    browser = confirmed(aiko)
    ask_for("new@example.jp", browser)
    assert not Email.objects.filter(template="security_notice").exists()

    browser.post(reverse("account_email_verification_sent"), {"code": code_sent_to("new@example.jp")})

    aiko.refresh_from_db()
    assert aiko.email == "new@example.jp"
    assert ProfileSync.objects.get(user=aiko).parts == ["email"]  # on its way to WHMCS and Salesforce
    assert AuditEntry.objects.get(action="email_changed").user_id == aiko.pk
    notice = Email.objects.get(template="security_notice")
    assert notice.to == "aiko@example.jp"
    told = render(notice)
    assert "Another e-mail address now belongs to your account." in told.text
    assert "Write to support@example.jp at once" in told.text
    assert "new@example.jp" not in told.text + told.html


def test_a_code_changes_the_address_it_was_sent_to_and_works_once(aiko: User, ben: User) -> None:
    mine, bens = confirmed(aiko), confirmed(ben)
    ask_for("one@example.jp", mine)
    ask_for("two@example.jp", bens)
    code, url = code_sent_to("one@example.jp"), reverse("account_email_verification_sent")

    bens.post(url, {"code": code})
    assert EmailAddress.objects.get(user=ben).email == ben.email
    mine.post(url, {"code": code})
    assert EmailAddress.objects.get(user=aiko).email == "one@example.jp"
    assert mine.post(url, {"code": code})["Location"] != url


def test_a_code_is_good_for_a_quarter_of_an_hour(aiko: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        browser = confirmed(aiko)
        ask_for("new@example.jp", browser)
        clock.shift(timedelta(minutes=16))
        browser.post(reverse("account_email_verification_sent"), {"code": code_sent_to("new@example.jp")})
    assert EmailAddress.objects.get(user=aiko, verified=True).email == aiko.email


@pytest.mark.parametrize("name", SENSITIVE)
def test_the_second_factor_needs_the_password_again(cs_carol: Staff, name: str) -> None:
    RecoveryCodes.activate(cs_carol.user)
    browser = browser_of(cs_carol.user)
    answers = [browser.post(reverse(name))] + ([browser.get(reverse(name))] if name != "mfa_deactivate_totp" else [])

    for answer in answers:
        assert answer.get("Location", "").startswith("/account/reauthenticate/") or answer.status_code == 405
    assert Authenticator.objects.filter(user=cs_carol.user, type=Authenticator.Type.TOTP).exists()


def test_turning_the_app_on_signs_the_others_out_and_tells_the_owner(
    aiko: User, django_capture_on_commit_callbacks: Any
) -> None:
    other, mine = browser_of(aiko), confirmed(aiko)
    secret = mine.get(reverse("mfa_activate_totp")).context["form"].secret

    with django_capture_on_commit_callbacks(execute=True):
        mine.post(reverse("mfa_activate_totp"), {"code": Staff(user=aiko, totp_secret=secret).code()})

    assert not is_signed_in(other)
    assert is_signed_in(mine)
    assert "totp_activated" in [each.context["event"] for each in Email.objects.filter(template="security_notice")]


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("event", sorted(notices.EVENTS))
def test_each_notice_can_be_read(aiko: User, event: str, language: str) -> None:
    aiko.language = language
    notices.send(event, aiko)

    told = render(Email.objects.get(template="security_notice"))

    assert len(told.subject) > 5
    assert len(told.text.split("\n\n")) >= 3
    assert told.subject.split()[0] in told.html
    assert not mail.outbox


def test_a_reset_does_not_go_round_the_second_factor(cs_carol: Staff) -> None:
    browser = Client()
    browser.post(reverse("account_reset_password"), {"email": cs_carol.user.email})
    path = str(secrets.unseal(Email.objects.get(template="password_reset").secret_context)["path"])
    form = browser.get(path, follow=True)
    new = "another quiet harbour"
    browser.post(form.request["PATH_INFO"], {"password1": new, "password2": new})

    assert sign_in(cs_carol.user, password=new, browser=browser)["Location"] == reverse("mfa_authenticate")
    assert browser.get(reverse("admin:index")).status_code == 302


def test_an_installation_begins_without_accounts() -> None:
    assert not User.objects.exists()
