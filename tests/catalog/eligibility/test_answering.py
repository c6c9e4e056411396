"""Support's answer is noticed on the link and told once, in the customer's language."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerLink, User
from catalog.eligibility import answering, asking
from catalog.models import EligibilityRequest
from notifications.models import Email
from notifications.rendering import Rendered, render
from tests.catalog.eligibility.conftest import MITA, SHIBAURA, asked, fresh
from tests.catalog.goods import Shop
from tests.people import make_customer

pytestmark = pytest.mark.django_db
State = EligibilityRequest.State
ASKED_AT = datetime.fromisoformat("2026-11-20T10:00:00+09:00")


def being_checked(user: User, said: dict[str, Any] = SHIBAURA, at: datetime = ASKED_AT) -> EligibilityRequest:
    """A request that stands in Salesforce."""
    request = asked(user, said)
    asking.transition(request.pk, State.ASKED, requested_at=at)
    return fresh(request)


def refreshed(user: User, value: str, *, at: datetime | None = ASKED_AT, status: str = "Checked") -> None:
    """What the accounts refresh has written on the link."""
    CustomerLink.objects.filter(user=user).update(
        internet_eligibility=value, internet_eligibility_status=status, internet_eligibility_requested_at=at
    )


def told() -> Rendered:
    return render(Email.objects.get())


def test_the_plans_that_fit_are_told_once(shop: Shop, aiko: User) -> None:
    request = being_checked(aiko)
    refreshed(aiko, "Apartment 1G")

    assert answering.notice() == {"answered": 1}
    assert answering.notice() == {"answered": 0}

    stands, mail = fresh(request), told()
    assert (stands.state, stands.offered, stands.answer) == (State.ANSWERED, True, "Apartment 1G")
    assert mail.subject == "Fibre reaches your home"
    for part in (mail.text, mail.html):
        for words in ("Hello Aiko", "芝浦3-12-8", "Home Apartment 1G", "¥4,730 per month", str(request.ref)):
            assert words in part
        assert "Home House" not in part


@pytest.mark.parametrize("value", ["Not available", ""])
def test_that_nothing_fits_is_said_plainly_with_what_else_there_is(shop: Shop, aiko: User, value: str) -> None:
    request = being_checked(aiko)
    refreshed(aiko, value)
    answering.notice()
    assert (fresh(request).offered, told().subject) == (False, "Our fibre does not reach your address")
    for part in (told().text, told().html):
        assert "None of our fibre plans is available there" in part
        assert "SIM" in part


@pytest.mark.parametrize(
    ("value", "subject", "words"),
    [
        (
            "Apartment 1G",
            "光回線をご利用いただけます",
            ["ホーム マンション 1ギガ", "月額 4,730円", "お申し込みいただけます"],
        ),
        ("Not available", "ご入力の住所は光回線の提供エリア外でした", ["光回線のプランはございません", "SIM", "VPN"]),
    ],
)
def test_in_japanese(shop: Shop, value: str, subject: str, words: list[str]) -> None:
    hanako = make_customer(language="ja")
    being_checked(hanako)
    refreshed(hanako, value)
    answering.notice()
    mail = told()
    assert mail.subject == subject
    for each in ["〒108-0023 東京都港区芝浦3-12-8 グランメゾン芝浦 1204", *words]:
        assert each in mail.text
        assert each in mail.html


@pytest.mark.parametrize(
    "link",
    [
        {"at": None},
        {"at": ASKED_AT - timedelta(seconds=1)},  # the answer to an earlier check: the refresh has not been since
        {"status": "Pending"},
        {"status": ""},
    ],
)
def test_what_is_no_answer_to_this_check_is_not_taken_for_one(shop: Shop, aiko: User, link: dict[str, Any]) -> None:
    request = being_checked(aiko)
    refreshed(aiko, "Apartment 1G", **link)
    assert answering.notice() == {"answered": 0}
    assert fresh(request).state == State.ASKED
    assert not Email.objects.exists()


def test_a_replaced_request_is_not_answered(shop: Shop, aiko: User) -> None:
    first = being_checked(aiko)
    second = being_checked(aiko, MITA, at=ASKED_AT + timedelta(hours=1))
    refreshed(aiko, "Apartment 1G", at=ASKED_AT + timedelta(hours=1))
    assert answering.notice() == {"answered": 1}
    assert (fresh(first).state, fresh(second).state) == (State.SUPERSEDED, State.ANSWERED)


def test_a_provisional_links_account_answers_nobody(shop: Shop, aiko: User) -> None:
    being_checked(aiko)
    refreshed(aiko, "Apartment 1G")
    CustomerLink.objects.update(state=CustomerLink.State.PROVISIONAL, whmcs_client_id=None)
    assert answering.notice() == {"answered": 0}


def test_a_request_not_yet_noted_as_asked_waits_for_that(shop: Shop, aiko: User) -> None:
    asked(aiko)
    refreshed(aiko, "Apartment 1G", at=timezone.now())
    assert answering.notice() == {"answered": 0}


def test_a_round_asks_the_database_once_for_all_who_wait(shop: Shop) -> None:
    for _ in range(3):
        being_checked(make_customer())
    with CaptureQueriesContext(connection) as queries:
        answering.notice()
    assert len(queries) == 1


def test_the_link_in_the_mail_leads_to_the_page(shop: Shop, aiko: User, settings: Any) -> None:
    request = being_checked(aiko)
    refreshed(aiko, "Apartment 1G")
    answering.notice()
    assert f"{settings.SITE_URL}{reverse('eligibility_request', args=[request.ref])}" in told().text
