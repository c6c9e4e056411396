"""Which passwords are good enough, how they are kept, and who hears of a change (security.md §1)."""

import socket
import unicodedata
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.security import sessions
from notifications import secrets
from notifications.models import Email
from tests.accounts.security.conftest import browser_of, is_signed_in, sign_in
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "another quiet harbour"
GOOD = "velk7 trumpet Oslo 41 "


def refused(password: str, user: User | None = None) -> bool:
    try:
        validate_password(password, user)
    except ValidationError:
        return True
    return False


def of_length(n: int) -> str:
    return (GOOD * 10)[:n]


@pytest.mark.parametrize(("n", "is_refused"), [(7, True), (8, True), (11, True), (12, False), (64, False)])
def test_passwords_have_at_least_twelve_characters(n: int, is_refused: bool) -> None:
    assert refused(of_length(n)) is is_refused


@pytest.mark.parametrize(("n", "is_refused"), [(127, False), (128, False), (129, True), (100_000, True)])
def test_passwords_have_at_most_128_characters(n: int, is_refused: bool) -> None:
    assert refused(of_length(n)) is is_refused


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "Password1234",
        "P@ssw0rd12345",
        "qwertyuiop123",
        "123456789012",
        "iloveyou1234",
        "1qaz2wsx3edc4rfv",
        "trustno1trustno1",
        "aaaaaaaaaaaaaaaa",
        "unbelievable",  # in Django's list
    ],
)
def test_common_and_breached_passwords_are_refused_without_a_network(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: Any) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", cut)
    assert refused(password)


@pytest.mark.parametrize(
    "password", ["Sonix2026!!!!", "sonixsonixsonix", "aiko@example.jp1", "satoaiko1990", "aikoexample12"]
)
def test_our_name_and_the_persons_own_words_are_no_password(aiko: User, password: str) -> None:
    assert refused(password, aiko)


@pytest.mark.parametrize(
    "password", [GOOD, PASSWORD, "correcthorsebatterystaple", "朝の静かな港で魚を待つ猫", "Tr0ub4dor&3-ok!"]
)
def test_nothing_is_asked_of_the_kinds_of_characters(password: str) -> None:
    assert not refused(password)


def sign_up(password: str) -> Any:
    data = {"source": "new", "number": "", "given_name": "Chie", "family_name": "Abe", "terms": "on"}
    return Client().post(reverse("account_signup"), data | {"email": "chie@example.jp", "password1": password})


def change(user: User, new: str, *, old: str = PASSWORD, browser: Client | None = None) -> Any:
    data = {"oldpassword": old, "password1": new, "password2": new}
    return (browser or browser_of(user)).post(reverse("account_change_password"), data)


def reset(user: User, new: str) -> Any:
    browser = Client()
    browser.post(reverse("account_reset_password"), {"email": user.email})
    path = str(secrets.unseal(Email.objects.get(template="password_reset").secret_context)["path"])
    form = browser.get(path, follow=True)
    return browser.post(form.request["PATH_INFO"], {"password1": new, "password2": new})


@pytest.mark.parametrize("password", ["password1234", "short pass1", of_length(129)])
def test_every_way_to_set_one_refuses_a_bad_one(aiko: User, password: str) -> None:
    for answer in (sign_up(password), change(aiko, password), reset(aiko, password)):
        assert answer.status_code == 200
        assert answer.context["form"].errors["password1"]
    aiko.refresh_from_db()
    assert aiko.check_password(PASSWORD)


def test_too_long_is_said_and_never_cut(aiko: User) -> None:
    long = of_length(128)
    assert change(aiko, long).status_code == 302
    answer = sign_in(aiko, password=long + "x")

    assert "Use at most 128 characters." in answer.content.decode()
    assert sign_in(aiko, password=long).status_code == 302
    for name in ("account_login", "account_signup"):
        page = Client().get(reverse(name)).content.decode()
        assert 'type="password"' in page
        assert "maxlength" not in page.split('type="password"')[1].split(">")[0]


def test_spaces_at_the_end_count_and_the_way_a_keyboard_composes_does_not(aiko: User) -> None:
    change(aiko, "ガラスの港で静かに待つ ")
    decomposed = unicodedata.normalize("NFD", "ガラスの港で静かに待つ ")

    assert decomposed != "ガラスの港で静かに待つ "
    assert sign_in(aiko, password=decomposed).status_code == 302
    assert sign_in(aiko, password="ガラスの港で静かに待つ").status_code == 200


def test_passwords_are_kept_as_argon2id_and_old_hashes_are_renewed(aiko: User) -> None:
    assert aiko.password.startswith("argon2$argon2id$v=19$m=102400,t=2,p=8$")
    User.objects.filter(pk=aiko.pk).update(password=make_password(PASSWORD, hasher="pbkdf2_sha256"))

    sign_in(aiko)

    aiko.refresh_from_db()
    assert aiko.password.startswith("argon2$argon2id$")


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each run of a hasher."""
    runs: list[str] = []
    for hasher in (Argon2PasswordHasher, PBKDF2PasswordHasher):
        for name in ("encode", "verify"):
            monkeypatch.setattr(hasher, name, counting(getattr(hasher, name), f"{hasher.algorithm}.{name}", runs))
    return runs


def counting(method: Any, name: str, runs: list[str]) -> Any:
    def run(self: Any, *args: Any) -> Any:
        runs.append(name)
        return method(self, *args)

    return run


def test_the_hasher_runs_once_for_known_and_unknown(aiko: User, ben: User, hashed: list[str]) -> None:
    User.objects.filter(pk=ben.pk).update(is_active=False)
    work = []
    for email in (aiko.email, ben.email, "nobody@example.jp"):
        hashed.clear()
        Client().post(reverse("account_login"), {"login": email, "password": "not at all the password"})
        work.append(len(hashed))

    assert work == [1, 1, 1]


def test_asking_for_a_link_hashes_nothing_for_anybody(aiko: User, hashed: list[str]) -> None:
    for email in (aiko.email, "nobody@example.jp"):
        Client().post(reverse("account_reset_password"), {"email": email})

    assert hashed == []


def test_the_current_password_is_needed_to_change_it(aiko: User) -> None:
    answer = change(aiko, NEW, old="not at all the password")

    assert answer.context["form"].errors["oldpassword"]
    aiko.refresh_from_db()
    assert aiko.check_password(PASSWORD)


def test_a_change_signs_the_others_out_stays_here_under_a_new_session_and_tells_the_owner(aiko: User) -> None:
    other, mine = browser_of(aiko), browser_of(aiko)
    before = mine.session.session_key

    change(aiko, NEW, browser=mine)

    assert [row.session_key for row in sessions.listed(aiko)] == [mine.session.session_key]
    assert not is_signed_in(other)
    assert is_signed_in(mine)
    assert mine.session.session_key != before
    notice = Email.objects.get(template="security_notice")
    assert (notice.to, notice.context["event"]) == (aiko.email, "password_changed")


def test_a_reset_signs_everything_out_signs_nobody_in_and_tells_the_owner(aiko: User) -> None:
    other = browser_of(aiko)

    answer = reset(aiko, NEW)

    assert not is_signed_in(other)
    assert not is_signed_in(answer.client)
    assert Email.objects.get(template="security_notice").context["event"] == "password_reset"


def test_a_link_is_good_for_an_hour(aiko: User) -> None:
    with time_machine.travel("2026-11-21 09:00Z", tick=False) as clock:
        Client().post(reverse("account_reset_password"), {"email": aiko.email})
        path = str(secrets.unseal(Email.objects.get(template="password_reset").secret_context)["path"])
        clock.shift(timedelta(minutes=59))
        assert "New password" in Client().get(path, follow=True).content.decode()
        clock.shift(timedelta(minutes=2))
        assert "This link no longer works" in Client().get(path, follow=True).content.decode()


def test_a_link_asked_for_before_a_change_no_longer_works(aiko: User) -> None:
    Client().post(reverse("account_reset_password"), {"email": aiko.email})
    path = str(secrets.unseal(Email.objects.get(template="password_reset").secret_context)["path"])
    change(aiko, NEW)

    assert "This link no longer works" in Client().get(path, follow=True).content.decode()


def test_the_page_with_the_new_password_has_no_token_in_its_address(aiko: User) -> None:
    browser = Client()
    browser.post(reverse("account_reset_password"), {"email": aiko.email})
    path = str(secrets.unseal(Email.objects.get(template="password_reset").secret_context)["path"])
    shown = browser.get(path, follow=True).request["PATH_INFO"]

    assert shown != path
    assert path.rstrip("/").rpartition("-")[2] not in shown
