"""WHMCS is asked how customers pay when nobody looks (product.md §3): who, when, how often."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from accounts import asking_whmcs, jobs
from accounts.asking_whmcs import ask_due
from accounts.models import CustomerLink, User
from integrations.errors import Misconfigured, Rejected, Unavailable
from integrations.failpoints import Died, arm
from integrations.whmcs.schemas import PayMethod
from journal.models import Round
from tests.accounts.conftest import new_journey, person, run
from tests.accounts.doubles import Salesforce, Whmcs
from tests.people import make_customer, signed_in

pytestmark = pytest.mark.django_db
CARD = PayMethod(1, "RemoteCreditCard", "Visa", "4242", "12/30", expired=False)
ENDING = PayMethod(3, "RemoteCreditCard", "Visa", "1111", "12/26", expired=False, expiring=True)
STEP = "Add a payment method"


def link_of(user: User) -> CustomerLink:
    return CustomerLink.objects.get(user=user)


def later(user: User, **passed: timedelta) -> None:
    """Time passes: what the row says lies that much further back."""
    fields = {name: Now() - how_long for name, how_long in passed.items()}
    CustomerLink.objects.filter(user=user).update(**fields)


def overview(user: User) -> str:
    return signed_in(user).get(reverse("dashboard")).content.decode()


def test_who_never_opened_the_payment_page_is_told_all_the_same(aiko: User, ben: User, whmcs: Whmcs) -> None:
    whmcs.cards[ben.link.whmcs_client_id or 0] = [CARD]
    assert STEP not in overview(aiko)

    assert ask_due() == {"asked": 2, "refused": 0}

    assert STEP in overview(aiko)
    assert STEP not in overview(ben)
    assert ask_due() == {"asked": 0, "refused": 0}  # nobody again before a month is over


def test_a_card_added_on_whmcs_page_ends_the_banner_without_opening_ours(aiko: User, whmcs: Whmcs) -> None:
    ask_due()
    signed_in(aiko).post(reverse("payment_sso"))
    assert ask_due()["asked"] == 1
    assert STEP in overview(aiko)  # still typing

    whmcs.cards[aiko.link.whmcs_client_id or 0] = [CARD]
    assert ask_due()["asked"] == 1
    assert STEP not in overview(aiko)

    later(aiko, payment_page_opened_at=timedelta(minutes=61))
    assert [ask_due()["asked"] for _ in range(2)] == [1, 0]


def test_a_card_that_runs_out_is_noticed_though_nobody_looks(aiko: User, whmcs: Whmcs) -> None:
    whmcs.cards[aiko.link.whmcs_client_id or 0] = [CARD]
    ask_due()
    whmcs.cards[aiko.link.whmcs_client_id or 0] = [ENDING]
    assert (ask_due()["asked"], link_of(aiko).card_warning) == (0, "")

    later(aiko, payment_ask_at=timedelta(0))  # the month is over

    assert (ask_due()["asked"], link_of(aiko).card_warning) == (1, "expiring")
    assert "Your card expires soon" in overview(aiko)


def test_a_round_asks_a_limited_number_and_who_left_for_whmcs_first(whmcs: Whmcs) -> None:
    users = [make_customer() for _ in range(4)]
    signed_in(users[3]).post(reverse("payment_sso"))
    whmcs.calls.clear()

    assert ask_due(limit=2)["asked"] == 2

    assert whmcs.calls == ["pay_methods"] * 2
    assert link_of(users[3]).has_payment_method is False
    assert [link_of(user).has_payment_method for user in users[:3]].count(None) == 2


def test_strangers_claims_and_closed_accounts_are_not_asked_about(aiko: User, ben: User, whmcs: Whmcs) -> None:
    CustomerLink.objects.filter(user=aiko).update(state="provisional", whmcs_client_id=None)
    CustomerLink.objects.filter(user=ben).update(portal_status="Inactive")
    assert ask_due() == {"asked": 0, "refused": 0}
    assert whmcs.calls == []


def test_a_client_that_whmcs_does_not_know_keeps_nobody_waiting(aiko: User, ben: User, whmcs: Whmcs) -> None:
    whmcs.before["pay_methods"] = Rejected("whmcs", "GetPayMethods", "not_found")
    assert ask_due() == {"asked": 1, "refused": 1}
    assert sorted([str(link_of(each).has_payment_method) for each in (aiko, ben)]) == ["False", "None"]
    assert ask_due() == {"asked": 0, "refused": 0}


def test_a_round_ends_in_time_however_slowly_billing_answers(
    whmcs: Whmcs, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        make_customer()
    clock = itertools.count(step=asking_whmcs.A_ROUND_S // 2)  # at the start, then before each look
    monkeypatch.setattr(asking_whmcs, "monotonic", lambda: next(clock))
    allowed: list[float] = []

    @contextmanager
    def within(seconds: float) -> Iterator[None]:
        allowed.append(seconds)
        yield

    monkeypatch.setattr(asking_whmcs, "ended_within", within)

    assert ask_due() == {"asked": 1, "refused": 0}

    assert allowed == [settings.PAGE_DEADLINE_S]


def test_a_wrong_key_fails_the_round(aiko: User, whmcs: Whmcs) -> None:
    whmcs.before["pay_methods"] = Misconfigured("whmcs", "GetPayMethods", "auth")
    with pytest.raises(Misconfigured):
        ask_due()


@pytest.mark.django_db(transaction=True)
def test_billing_away_ends_the_round_and_the_next_begins_with_somebody_else(whmcs: Whmcs) -> None:
    users = [make_customer(), make_customer()]
    whmcs.before["pay_methods"] = Unavailable("whmcs", "GetPayMethods", "unreachable")
    jobs.ask_for_payment_methods()
    assert whmcs.calls == ["pay_methods"]
    ended = Round.objects.get(name="accounts.ask_for_payment_methods")
    assert (ended.actions, ended.succeeded_at is None) == ({"asked": 0, "refused": 0}, False)

    Round.objects.update(started_at=Now() - timedelta(seconds=120))
    jobs.ask_for_payment_methods()

    assert Round.objects.get().actions == {"asked": 1, "refused": 0}
    assert sorted(str(link_of(each).has_payment_method) for each in users) == ["False", "None"]
    later(users[0], payment_ask_at=timedelta(0))
    later(users[1], payment_ask_at=timedelta(0))
    assert ask_due()["asked"] == 2


def test_a_new_client_has_no_card_whatever_came_between(salesforce: Salesforce, whmcs: Whmcs) -> None:
    """A worker that died between AddClient and the link forgets nothing; nor need WHMCS be asked."""
    journey = new_journey()
    with arm("journey.link:before=raise"), pytest.raises(Died):
        run(journey)

    journey = run(journey)

    assert link_of(person(journey)).has_payment_method is False
    assert ask_due()["asked"] == 0
    assert "pay_methods" not in whmcs.calls
