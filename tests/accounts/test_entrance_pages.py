"""The pages of signing in: all reachable, in our design, within the security policy, in both languages."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from accounts.models import User
from notifications import secrets
from notifications.models import Email
from tests.people import PASSWORD, Staff

pytestmark = pytest.mark.django_db
OPEN_TO_ALL = [
    "account_login",
    "account_signup",
    "account_reset_password",
    "account_reset_password_done",
    "account_inactive",
]
SIGNED_IN = ["account_logout", "account_email", "account_change_password", "account_reauthenticate", "mfa_index"]
AFTER_PASSWORD = ["mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn"]


def just_signed_in(user: User, language: str = "en") -> Client:
    """By password, given once more for the pages that ask for it again."""
    browser = Client(headers={"accept-language": language})
    browser.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return browser


def is_within_policy(page: str) -> bool:
    inline = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", page)
    return not inline and not re.search(r"\sstyle=|\son[a-z]+=|<style|src=\"data:", page)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", OPEN_TO_ALL)
def test_visitors_pages(name: str, language: str) -> None:
    answer = Client(headers={"accept-language": language}).get(reverse(name))

    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'class="masthead"' in page
    assert is_within_policy(page)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", SIGNED_IN + AFTER_PASSWORD)
def test_customers_pages(aiko: User, name: str, language: str) -> None:
    answer = just_signed_in(aiko, language).get(reverse(name))

    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'class="masthead"' in page
    assert is_within_policy(page)


def test_the_qr_code_is_drawn_inline_and_the_first_code_turns_it_on(aiko: User) -> None:
    from tests.people import Staff as WithApp

    browser = just_signed_in(aiko)
    answer = browser.get(reverse("mfa_activate_totp"))
    assert '<figure class="qr"><svg' in answer.content.decode()

    app = WithApp(user=aiko, totp_secret=answer.context["form"].secret)
    done = browser.post(reverse("mfa_activate_totp"), {"code": app.code()}, follow=True)

    codes = done.content.decode()
    assert "Recovery codes" in codes
    assert is_within_policy(codes)
    for name in ("mfa_index", "mfa_deactivate_totp", "mfa_generate_recovery_codes"):
        assert is_within_policy(browser.get(reverse(name)).content.decode())


def test_the_same_code_does_not_work_twice(cs_carol: Staff) -> None:
    code = cs_carol.code()
    answers = []
    for _ in range(2):
        browser = Client()
        browser.post(reverse("account_login"), {"login": cs_carol.user.email, "password": PASSWORD})
        answers.append(browser.post(reverse("mfa_authenticate"), {"code": code}))

    assert answers[0].status_code == 302
    assert answers[1].status_code == 200
    assert is_within_policy(answers[1].content.decode())


def test_signing_in_with_a_wrong_password_says_the_same_for_known_and_unknown(aiko: User) -> None:
    pages = []
    for email in (aiko.email, "nobody@example.jp"):
        answer = Client().post(reverse("account_login"), {"login": email, "password": "wrong password 123"})
        pages.append(answer.context["form"].errors.as_text())

    assert pages[0] == pages[1] != ""


def test_a_password_is_reset_by_a_link_that_works_once(aiko: User) -> None:
    browser = Client()
    browser.post(reverse("account_reset_password"), {"email": aiko.email})
    path = str(secrets.unseal(Email.objects.get(template="password_reset").secret_context)["path"])
    form = browser.get(path, follow=True)
    assert is_within_policy(form.content.decode())

    new = {"password1": "another quiet harbour", "password2": "another quiet harbour"}
    done = browser.post(form.request["PATH_INFO"], new, follow=True)

    assert "Your new password is saved" in done.content.decode()
    aiko.refresh_from_db()
    assert aiko.check_password("another quiet harbour")
    assert "This link no longer works" in Client().get(path, follow=True).content.decode()


def test_a_reset_for_an_unknown_address_looks_the_same(aiko: User) -> None:
    answers = [Client().post(reverse("account_reset_password"), {"email": e}) for e in (aiko.email, "no@example.jp")]

    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0].url == answers[1].url  # type: ignore[attr-defined]
    assert Email.objects.get(to="no@example.jp").template == "unknown_account"


def test_the_link_in_a_reset_mail_ignores_the_host_header(aiko: User, settings: Any) -> None:
    from notifications.rendering import render

    settings.ALLOWED_HOSTS = ["*"]
    Client(headers={"host": "evil.example"}).post(reverse("account_reset_password"), {"email": aiko.email})

    rendered = render(Email.objects.get(template="password_reset"))

    assert "evil.example" not in rendered.text + rendered.html
    assert "http://portal.test/account/password/reset/key/" in rendered.text


def test_a_new_address_counts_only_after_its_code(aiko: User) -> None:
    browser = just_signed_in(aiko)
    browser.post(reverse("account_email"), {"email": "new@example.jp", "action_add": "1"})
    page = browser.get(reverse("account_email_verification_sent"))
    assert is_within_policy(page.content.decode())
    aiko.refresh_from_db()
    assert aiko.email == "aiko@example.jp"

    code = secrets.unseal(Email.objects.get(to="new@example.jp").secret_context)["code"]
    browser.post(reverse("account_email_verification_sent"), {"code": code})

    aiko.refresh_from_db()
    assert aiko.email == "new@example.jp"
    assert [each.email for each in EmailAddress.objects.filter(user=aiko)] == ["new@example.jp"]


def test_the_eleventh_failed_sign_in_of_a_minute_is_refused(aiko: User) -> None:
    """Whichever accounts it names: one address tries ten times a minute."""
    names = [f"nobody{n}@example.jp" for n in range(11)]
    answers = [
        Client().post(reverse("account_login"), {"login": name, "password": "wrong password 123"}) for name in names
    ]

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert "Too many" in answers[10].context["form"].errors.as_text()


def test_the_session_changes_at_sign_in(aiko: User) -> None:
    browser = Client()
    browser.get(reverse("account_signup"))
    browser.session.save()
    before = browser.session.session_key

    browser.post(reverse("account_login"), {"login": aiko.email, "password": PASSWORD})

    assert browser.session.session_key != before


@pytest.mark.parametrize("address", ["", "127.0.0.1"])
def test_behind_the_proxy_limits_count_the_visitor(aiko: User, settings: Any, address: str) -> None:
    """Over its Unix socket the web server knows no address at all; the proxy writes the visitor's."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    wrong, right = ({"login": aiko.email, "password": word} for word in ("wrong words entirely", PASSWORD))

    def sign_in(data: dict[str, str], forwarded: str) -> str:
        headers = {"X-Forwarded-For": forwarded}
        answer = Client().post(reverse("account_login"), data, headers=headers, REMOTE_ADDR=address)
        return str(answer.get("Location") or answer.context["form"].errors.as_text())

    assert not any("Too many" in sign_in(wrong, "203.0.113.9") for _ in range(5))
    # What the visitor puts in front of the proxy's own entry counts for nothing.
    assert "Too many" in sign_in(right, "198.51.100.7, 203.0.113.9")
    assert sign_in(right, "198.51.100.7") == reverse("dashboard")


def test_adding_an_address_does_not_tell_who_has_it(aiko: User, ben: User) -> None:
    client, said = just_signed_in(aiko), []
    for address in (ben.email, "free@example.jp"):
        answer = client.post(reverse("account_email"), {"action_add": "", "email": address}, follow=True)
        page = re.sub(r'value="\w{64}"', "", answer.content.decode().replace(answer["X-Request-ID"], ""))
        said.append((answer.redirect_chain, page.replace(address, "")))
        client.post(reverse("account_email"), {"action_remove": "", "email": address})
    assert said[0] == said[1]


def test_a_wrong_password_says_what_to_do(aiko: User) -> None:
    answer = Client().post(reverse("account_login"), {"login": aiko.email, "password": "something else entirely"})

    assert "The e-mail address or the password is not right." in answer.content.decode()


def test_a_passkey_signs_in_by_itself_unless_told_otherwise(aiko: User) -> None:
    page = just_signed_in(aiko).get(reverse("mfa_add_webauthn")).content.decode()

    box = re.search(r'<input type="checkbox" name="passwordless"[^>]*>', page)
    assert box
    assert " checked" in box[0]
    assert "Passkey 1" in page
