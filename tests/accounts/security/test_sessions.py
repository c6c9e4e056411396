"""How long a session lasts, where one is signed in, and what ends it (security.md §1, decisions.md 6 and 7)."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerLink, User
from accounts.security import sessions
from audit.models import AuditEntry
from tests.accounts.security.conftest import browser_of, is_signed_in, passed, sign_in
from tests.people import Staff

pytestmark = pytest.mark.django_db
DAYS, MINUTES, HOURS = timedelta(days=1), timedelta(minutes=1), timedelta(hours=1)
A_BIT = timedelta(seconds=5)


@pytest.mark.parametrize(
    ("idle", "whole", "goes_on"),
    [
        (14 * DAYS - MINUTES, 14 * DAYS, True),
        (14 * DAYS + A_BIT, 14 * DAYS, False),
        (A_BIT, 30 * DAYS - MINUTES, True),
        (A_BIT, 30 * DAYS + A_BIT, False),
    ],
)
def test_a_customer_stays_for_two_idle_weeks_and_thirty_days(
    aiko: User, idle: timedelta, whole: timedelta, goes_on: bool
) -> None:
    browser = browser_of(aiko)
    passed(aiko, idle=idle, whole=whole)

    assert is_signed_in(browser) is goes_on
    assert UserSession.objects.filter(user=aiko).exists() is goes_on


@pytest.mark.parametrize(
    ("idle", "whole", "goes_on"),
    [
        (30 * MINUTES - A_BIT, HOURS, True),
        (30 * MINUTES + A_BIT, HOURS, False),
        (A_BIT, 12 * HOURS - MINUTES, True),
        (A_BIT, 12 * HOURS + A_BIT, False),
    ],
)
def test_staff_stay_for_thirty_idle_minutes_and_twelve_hours(
    cs_carol: Staff, idle: timedelta, whole: timedelta, goes_on: bool
) -> None:
    browser = browser_of(cs_carol.user)
    passed(cs_carol.user, idle=idle, whole=whole)

    assert (browser.get(reverse("admin:index")).status_code == 200) is goes_on


def test_the_sign_in_page_says_why_and_leads_back(cs_carol: Staff) -> None:
    browser = browser_of(cs_carol.user)
    passed(cs_carol.user, idle=31 * MINUTES)

    answer = browser.get("/admin/accounts/user/?q=aiko", follow=True)

    assert "nothing happened for 30 minutes" in answer.content.decode()
    assert answer.redirect_chain[-1][0] == "/account/login/?next=%2Fadmin%2Faccounts%2Fuser%2F%3Fq%3Daiko"
    assert AuditEntry.objects.get(action="session_ended").subject == "idle"


def test_a_form_that_comes_too_late_changes_nothing_and_leads_back_to_its_page(aiko: User) -> None:
    browser = browser_of(aiko)
    passed(aiko, idle=15 * DAYS)
    page = "http://testserver/account/email/?from=menu"

    answer = browser.post(
        reverse("account_email"), {"action_add": "", "email": "new@example.jp"}, headers={"referer": page}
    )

    assert answer["Location"] == "/account/login/?next=/account/email/%3Ffrom%3Dmenu"
    assert "you were not here for two weeks" in browser.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    "page", ["https://evil.example/account/email/", "//evil.example", "http://testserver//evil.example/x", ""]
)
def test_the_way_back_is_never_somebody_elses_page(aiko: User, page: str) -> None:
    browser = browser_of(aiko)
    passed(aiko, idle=15 * DAYS)

    answer = browser.post(reverse("account_email"), {}, headers={"referer": page})

    assert answer["Location"] == "/account/login/?next=/overview/"


def test_a_page_for_everybody_stays_open(aiko: User) -> None:
    browser = browser_of(aiko)
    passed(aiko, whole=31 * DAYS)

    page = browser.get(reverse("home")).content.decode()

    assert "For your safety we ask you to sign in again" in page
    assert not is_signed_in(browser)


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in_nor_uses_the_message_up(aiko: User) -> None:
    browser = browser_of(aiko)
    passed(aiko, idle=DAYS)
    seen = UserSession.objects.get(user=aiko).last_seen_at
    browser.get(reverse("account_setup_status"), headers={"x-requested-with": "fetch"})
    assert UserSession.objects.get(user=aiko).last_seen_at == seen

    passed(aiko, idle=15 * DAYS)
    asked = browser.get(reverse("account_setup_status"), headers={"x-requested-with": "fetch"})
    assert asked.status_code == 401
    assert "two weeks" in browser.get(reverse("home")).content.decode()


def test_opening_a_page_is_a_sign_of_life(aiko: User) -> None:
    browser = browser_of(aiko)
    passed(aiko, idle=13 * DAYS)
    browser.get(reverse("account_email"))

    assert timezone.now() - UserSession.objects.get(user=aiko).last_seen_at < MINUTES


def test_the_list_names_each_device_and_marks_this_one(aiko: User, ben: User) -> None:
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1"
    other = Client(headers={"user-agent": phone})
    sign_in(aiko, browser=other, address="198.51.100.7")
    browser_of(ben)
    page = browser_of(aiko).get(reverse("devices")).content.decode()

    assert "iPhone, Safari" in page
    assert "198.51.100.7" in page
    assert page.count("This device") == 1
    assert "Unknown device" in page


def test_one_device_is_signed_out_and_the_others_stay(aiko: User) -> None:
    lost, other, mine = (browser_of(aiko) for _ in range(3))
    row = UserSession.objects.get(session_key=lost.session.session_key)

    answer = mine.post(reverse("end_session", args=[row.pk]), follow=True)

    assert "That device is signed out." in answer.content.decode()
    assert [is_signed_in(browser) for browser in (lost, other, mine)] == [False, True, True]


def test_all_others_are_signed_out_at_once(aiko: User, ben: User) -> None:
    lost, other, mine, bens = browser_of(aiko), browser_of(aiko), browser_of(aiko), browser_of(ben)

    mine.post(reverse("end_other_sessions"))

    assert [is_signed_in(browser) for browser in (lost, other, mine, bens)] == [False, False, True, True]


def test_nobody_signs_out_somebody_elses_device_or_their_own_by_the_list(aiko: User, ben: User) -> None:
    bens, mine = browser_of(ben), browser_of(aiko)
    for owner in (bens, mine):
        row = UserSession.objects.get(session_key=owner.session.session_key)
        assert mine.post(reverse("end_session", args=[row.pk])).status_code == 404
    assert is_signed_in(bens)
    assert is_signed_in(mine)


def test_an_account_closed_in_salesforce_is_signed_out_with_a_sentence(aiko: User) -> None:
    browser = browser_of(aiko)
    CustomerLink.objects.filter(user=aiko).update(portal_status="Inactive")

    page = browser.get(reverse("dashboard"), follow=True).content.decode()

    assert "signed out because this account is closed" in page


@pytest.mark.parametrize("how", ["closed", "disabled"])
def test_who_may_not_sign_in_is_told_so_after_the_right_password_only(aiko: User, how: str) -> None:
    if how == "closed":
        CustomerLink.objects.filter(user=aiko).update(portal_status="Inactive")
    else:
        User.objects.filter(pk=aiko.pk).update(is_active=False)

    wrong, right = sign_in(aiko, password="not at all the password"), sign_in(aiko)

    assert "is not right" in wrong.content.decode()
    assert right["Location"] == reverse("account_inactive")
    assert "You cannot sign in to this account" in Client().get(right["Location"]).content.decode()
    assert not UserSession.objects.filter(user=aiko).exists()


def test_a_disabled_user_is_out_at_once(aiko: User) -> None:
    browser = browser_of(aiko)
    User.objects.filter(pk=aiko.pk).update(is_active=False)

    assert not is_signed_in(browser)


def test_a_preset_session_is_not_the_one_after_signing_in(aiko: User) -> None:
    browser = Client()
    browser.session.save()
    preset = browser.cookies["sessionid"].value
    sign_in(aiko, browser=browser)

    assert browser.cookies["sessionid"].value != preset
    thief = Client()
    thief.cookies["sessionid"] = preset
    assert not is_signed_in(thief)


def test_expired_sessions_are_deleted_and_living_ones_stay(aiko: User, ben: User, cs_carol: Staff) -> None:
    browser_of(ben)
    passed(ben, idle=15 * DAYS)
    browser_of(cs_carol.user)
    passed(cs_carol.user, idle=HOURS)
    mine = browser_of(aiko)
    passed(aiko, idle=HOURS)
    visitor = Client()
    visitor.session.save()
    Session.objects.filter(session_key=visitor.session.session_key).update(expire_date=timezone.now() - A_BIT)
    Session.objects.create(session_key="old", session_data="", expire_date=timezone.now() - A_BIT)

    sessions.delete_expired()

    assert is_signed_in(mine)
    assert set(UserSession.objects.values_list("user__email", flat=True)) == {aiko.email}
    assert Session.objects.filter(expire_date__lt=timezone.now()).count() == 0
