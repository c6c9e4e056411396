"""One open request per customer, however and from wherever it is asked."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from accounts.models import CustomerLink, User
from catalog.eligibility import asking, left
from catalog.models import EligibilityRequest
from tests.catalog.eligibility.conftest import MITA, SHIBAURA, asked, fresh
from tests.people import make_customer, make_user

pytestmark = pytest.mark.django_db
State = EligibilityRequest.State


def states() -> list[str]:
    return list(EligibilityRequest.objects.order_by("pk").values_list("state", flat=True))


def test_a_customers_request_is_on_its_way_at_once(aiko: User) -> None:
    request = asked(aiko)
    assert (request.state, request.street, request.room) == (State.SUBMITTED, "芝浦3-12-8", "1204")
    assert request.next_try_at is not None


@pytest.mark.parametrize(
    "said",
    [SHIBAURA, {**SHIBAURA, "street": "芝浦３−１２−８ ", "building": "グランメゾン 芝浦", "home": "house"}],
)
def test_who_asks_twice_gets_the_first(aiko: User, said: dict[str, object]) -> None:
    first = asked(aiko)
    again = asking.ask(user=aiko, said=said)
    assert (again.request, again.is_new) == (first, False)
    assert states() == [State.SUBMITTED]


def test_another_address_takes_the_place_of_the_first(aiko: User) -> None:
    first, second = asked(aiko), asked(aiko, MITA)
    assert second != first
    assert states() == [State.SUPERSEDED, State.SUBMITTED]
    assert asking.latest(aiko) == second


@pytest.mark.parametrize(
    "other",
    [{"street": "芝浦3-1-28"}, {"street": "芝浦31-2-8"}, {"street": "芝浦3-12", "building": "8"}],
)
def test_the_house_next_door_is_another_address(aiko: User, other: dict[str, object]) -> None:
    asked(aiko, {**SHIBAURA, "street": "芝浦3-12-8", "building": ""})
    assert asking.ask(user=aiko, said={**SHIBAURA, "street": "芝浦3-12-8", "building": "", **other}).is_new


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_make_one_request() -> None:
    aiko = make_customer()
    together = threading.Barrier(4)

    def ask(_: int) -> bool:
        together.wait()
        try:
            return asking.ask(user=aiko, said=SHIBAURA).is_new
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as tabs:
        assert sorted(tabs.map(ask, range(4))) == [False, False, False, True]
    assert states() == [State.SUBMITTED]


def test_the_database_itself_keeps_a_second_open_request_out(aiko: User) -> None:
    asked(aiko)
    with pytest.raises(IntegrityError):
        EligibilityRequest.objects.create(user=aiko, **MITA)


def test_an_answer_is_shown_again_for_a_while_and_then_asked_anew(aiko: User) -> None:
    first = asked(aiko)
    answered = {"state": State.ANSWERED, "offered": False}
    EligibilityRequest.objects.update(**answered, answered_at=timezone.now() - timedelta(days=80))
    assert asked(aiko) == first
    EligibilityRequest.objects.update(answered_at=timezone.now() - timedelta(days=91))
    assert asked(aiko) != first
    assert states() == [State.ANSWERED, State.SUBMITTED]


def test_a_day_allows_five_addresses(aiko: User) -> None:
    for number in range(asking.MOST_A_DAY):
        asked(aiko, {**SHIBAURA, "room": str(number)})
    assert not asking.ask(user=aiko, said={**SHIBAURA, "room": "4"}).is_new
    with pytest.raises(asking.TooManyAddresses):
        asked(aiko, MITA)
    EligibilityRequest.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=1))
    assert asked(aiko, MITA).state == State.SUBMITTED


def test_a_state_cannot_be_left_for_any_other(aiko: User) -> None:
    request = asked(aiko)
    with pytest.raises(asking.NotAllowed):
        asking.transition(request.pk, State.ANSWERED)
    assert fresh(request).state == State.SUBMITTED


# --- who is no customer yet


def test_a_newcomers_request_is_kept_until_the_link_is_real() -> None:
    newcomer = make_user("new@example.jp")
    request = asked(newcomer)
    assert request.state == State.KEPT
    assert asking.submit_kept() == 0

    link = CustomerLink.objects.create(
        user=newcomer, state=CustomerLink.State.PROVISIONAL, sf_account_id="001000000000001AAA", sf_account_no="1"
    )
    assert asking.submit_kept() == 0

    CustomerLink.objects.filter(pk=link.pk).update(state=CustomerLink.State.LINKED, whmcs_client_id=1)
    assert asking.submit_kept() == 1
    assert fresh(request).state == State.SUBMITTED


def test_a_visitor_has_one_request_too() -> None:
    first = asking.keep(said=SHIBAURA, earlier=None).request
    again = asking.keep(said=SHIBAURA, earlier=first.ref)
    assert (again.request, again.is_new) == (first, False)
    other = asking.keep(said=MITA, earlier=first.ref)
    assert other.is_new
    assert list(EligibilityRequest.objects.all()) == [other.request]


def test_what_a_visitor_asked_becomes_the_customers_once(aiko: User) -> None:
    kept = asking.keep(said=SHIBAURA, earlier=None).request
    claimed = asking.claim(user=aiko, ref=kept.ref)
    assert claimed == kept
    assert (claimed.user, claimed.state) == (aiko, State.SUBMITTED)
    assert asking.claim(user=make_customer(), ref=kept.ref) is None
    assert fresh(kept).user == aiko


def test_what_a_visitor_asked_gives_way_to_the_same_of_the_customer_and_replaces_another(aiko: User) -> None:
    own = asked(aiko)
    same = asking.keep(said=SHIBAURA, earlier=None).request
    assert asking.claim(user=aiko, ref=same.ref) == own
    other = asking.keep(said=MITA, earlier=None).request
    assert asking.claim(user=aiko, ref=other.ref) == other
    assert states() == [State.SUPERSEDED, State.SUBMITTED]


def test_signing_in_is_no_way_round_the_days_limit(aiko: User) -> None:
    for number in range(asking.MOST_A_DAY):
        last = asked(aiko, {**SHIBAURA, "room": str(number)})
    kept = asking.keep(said=MITA, earlier=None).request
    assert asking.claim(user=aiko, ref=kept.ref) == last
    assert not EligibilityRequest.objects.filter(ref=kept.ref).exists()


def test_addresses_of_visitors_who_never_came_back_are_deleted(aiko: User) -> None:
    mine = asked(aiko)
    old, young = (asking.keep(said=SHIBAURA, earlier=None).request for _ in range(2))
    EligibilityRequest.objects.filter(pk__in=[mine.pk, old.pk]).update(created_at=timezone.now() - timedelta(days=31))
    assert left.delete_left() == {"deleted": 1}
    assert set(EligibilityRequest.objects.all()) == {mine, young}
