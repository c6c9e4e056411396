"""Guessing gets slower and slower, and the owner is not locked out (security.md §1, decisions.md 7)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import django_rq
import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ClosingRequest, User
from accounts.security import backoff
from integrations import gateway
from notifications.models import Email
from tests.accounts.doubles import Whmcs
from tests.accounts.security.conftest import browser_of, confirmed, sign_in
from tests.people import PASSWORD, Staff, make_customer

pytestmark = pytest.mark.django_db
WRONG = "not at all the password"
HERE, ELSEWHERE = "203.0.113.9", "198.51.100.7"


def test_the_sixth_try_waits_and_says_how_long(aiko: User) -> None:
    for _ in range(5):
        assert sign_in(aiko, password=WRONG).status_code == 200

    answer = sign_in(aiko)

    assert answer.status_code == 429
    assert "Too many tries for this account from here. Try again in 1 minute" in answer.content.decode()


def test_the_right_password_from_another_address_still_works(aiko: User) -> None:
    for _ in range(6):
        sign_in(aiko, password=WRONG, address=HERE)

    assert sign_in(aiko, address=HERE).status_code == 429
    assert sign_in(aiko, address=ELSEWHERE)["Location"] == reverse("dashboard")


def test_an_unknown_account_waits_just_the_same(aiko: User) -> None:
    said = []
    for email, address in ((aiko.email, HERE), ("nobody@example.jp", ELSEWHERE)):
        data = {"login": email, "password": WRONG}
        answers = [Client().post(reverse("account_login"), data, REMOTE_ADDR=address) for _ in range(6)]
        said.append([(answer.status_code, answer.context["form"].errors.as_text()) for answer in answers])

    assert said[0] == said[1]


def test_the_wait_doubles_up_to_an_hour_and_is_over_in_time() -> None:
    with time_machine.travel("2026-11-21 09:00", tick=False) as clock:
        waits = []
        for _ in range(14):
            backoff.admit("password", "a", "b")
            try:
                backoff.admit("password", "a", "b")
            except backoff.Wait as wait:
                waits.append(wait.minutes)
                clock.shift(timedelta(minutes=wait.minutes, seconds=1))
    assert waits == [1, 2, 4, 8, 16, 32, *[60] * 6]


def test_signing_in_or_a_new_password_ends_the_waiting(aiko: User) -> None:
    for _ in range(4):
        sign_in(aiko, password=WRONG)
    sign_in(aiko)
    for _ in range(4):
        assert sign_in(aiko, password=WRONG).status_code == 200
    assert sign_in(aiko).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_many_tries_at_once_are_counted_one_by_one() -> None:
    def attempt(_: int) -> bool:
        try:
            backoff.admit("password", "aiko@example.jp", HERE)
        except backoff.Wait:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        admitted = list(pool.map(attempt, range(12)))

    assert sum(admitted) == backoff.FREE_TRIES


def test_neither_address_nor_account_stands_in_the_cache(aiko: User) -> None:
    sign_in(aiko, password=WRONG)

    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM portal_cache WHERE cache_key LIKE '%%tries%%'")
        keys = " ".join(key for (key,) in cursor.fetchall())
    assert keys
    assert aiko.email not in keys
    assert HERE not in keys


def test_codes_of_one_user_slow_down_whatever_the_address(cs_carol: Staff) -> None:
    browser = browser_of_password_step(cs_carol)
    url = reverse("mfa_authenticate")
    for n in range(5):
        browser.post(url, {"code": "000000"}, REMOTE_ADDR=f"198.51.100.{n}")

    answer = browser.post(url, {"code": cs_carol.code()}, REMOTE_ADDR="198.51.100.99")

    assert "Too many wrong codes. Try again in 1 minute." in answer.content.decode()


def browser_of_password_step(staff: Staff) -> Client:
    browser = Client()
    sign_in(staff.user, browser=browser)
    return browser


def test_asking_for_the_password_again_slows_down_too(aiko: User) -> None:
    browser = browser_of(aiko)
    for _ in range(6):
        answer = browser.post(reverse("account_reauthenticate"), {"password": WRONG}, REMOTE_ADDR=HERE)

    assert "Too many tries for this account from here" in answer.content.decode()


@pytest.mark.parametrize("email", ["aiko@example.jp", "nobody@example.jp"])
def test_five_links_an_hour_go_to_one_address(aiko: User, email: str) -> None:
    answers = [
        Client().post(reverse("account_reset_password"), {"email": email}, REMOTE_ADDR=f"198.51.100.{n}")
        for n in range(6)
    ]

    assert [answer.status_code for answer in answers] == [302] * 5 + [429]
    assert "That was too often in a short time" in answers[5].content.decode()
    assert Email.objects.filter(to=email).count() == 5


def test_twenty_sign_ups_a_minute_come_from_one_address() -> None:
    answers = [Client().post(reverse("account_signup"), {}, REMOTE_ADDR=HERE).status_code for _ in range(21)]

    assert answers == [200] * 20 + [429]


def test_ten_codes_a_day_go_to_one_address_known_or_not(aiko: User, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # hashing is not the point
    said = {"given_name": "Wei", "family_name": "Chen", "password1": PASSWORD, "source": "new", "terms": "on"}

    def sign_up(email: str, n: int) -> int:
        clock.shift(11)
        data = said | {"email": email, "number": ""}
        return Client().post(reverse("account_signup"), data, REMOTE_ADDR=f"198.51.100.{n}").status_code

    with time_machine.travel(timezone.now(), tick=False) as clock:
        known, unknown = [[sign_up(email, n) for n in range(11)] for email in (aiko.email, "nobody@example.jp")]
        clock.shift(24 * 3600)
        next_day = sign_up("nobody@example.jp", 0)

    assert known == unknown == [302] * 10 + [429]
    assert next_day == 302
    assert Email.objects.filter(to="nobody@example.jp", template="verification_code").count() == 11


@pytest.mark.parametrize(
    ("address", "rate"), [("data_download", 5), ("close_account", 6), ("keep_account", 6), ("payment_sso", 10)]
)
def test_what_makes_work_for_others_can_be_asked_for_so_often(
    aiko: User, monkeypatch: pytest.MonkeyPatch, address: str, rate: int
) -> None:
    monkeypatch.setattr(gateway, "whmcs", Whmcs)
    browser = confirmed(aiko)
    answers = []
    for _ in range(rate + 1):
        ClosingRequest.objects.all().delete()  # one that is open already is not asked for again
        answers.append(browser.post(reverse(address)))

    assert 429 not in {answer.status_code for answer in answers[:rate]}
    assert answers[rate].status_code == 429
    assert "That was too often in a short time" in answers[rate].content.decode()
    assert confirmed(make_customer()).post(reverse(address)).status_code != 429  # others go on


def test_being_asked_for_the_password_first_counts_for_nothing(aiko: User) -> None:
    browser = browser_of(aiko)
    assert {browser.post(reverse("data_download")).status_code for _ in range(6)} == {302}
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert browser.post(reverse("data_download")).status_code == 200


def test_ten_changes_of_address_a_minute(aiko: User) -> None:
    browser = browser_of(aiko)
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    answers = [browser.post(reverse("account_email"), {"action_add": "", "email": "x"}).status_code for _ in range(11)]

    assert answers == [200] * 10 + [429]


def test_a_code_of_the_sign_up_is_tried_three_times_only(aiko: User) -> None:
    cache.clear()
    browser = browser_of(aiko)
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    browser.post(reverse("account_email"), {"action_add": "", "email": "new@example.jp"})
    url = reverse("account_email_verification_sent")
    answers = [browser.post(url, {"code": "WRONGX"}) for _ in range(3)]

    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    assert answers[2].status_code == 302
    aiko.refresh_from_db()
    assert aiko.email == "aiko@example.jp"


def test_without_a_proxy_what_a_visitor_says_of_their_address_counts_for_nothing(aiko: User) -> None:
    def try_from(claimed: str, password: str) -> int:
        data, headers = {"login": aiko.email, "password": password}, {"x-forwarded-for": claimed, "x-real-ip": claimed}
        return Client().post(reverse("account_login"), data, headers=headers, REMOTE_ADDR=HERE).status_code

    for n in range(6):
        try_from(f"198.51.100.{n}", WRONG)

    assert try_from("198.51.100.99", PASSWORD) == 429


def test_an_emptied_redis_forgets_no_try(aiko: User) -> None:
    for _ in range(6):
        sign_in(aiko, password=WRONG)

    django_rq.get_connection("housekeeping").flushall()

    assert sign_in(aiko).status_code == 429
