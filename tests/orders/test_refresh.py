"""The mirror of Salesforce's orders: by change, in any order, as often as somebody watches."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import Unavailable
from orders import jobs, placing, watched
from orders.models import Order, RefreshCursor
from orders.refresh import OVERLAP, refresh, refresh_order
from orders.status import Status, status_of
from tests.orders.doubles import Salesforce, Whmcs, change
from tests.orders.steps import order_now
from tests.people import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def order(salesforce: Salesforce, whmcs: Whmcs) -> Order:
    return order_now(make_customer(), "VPN-US")[0]


def after(salesforce: Salesforce, *changes: Any) -> Order:
    salesforce.changes = list(changes)
    refresh()
    return Order.objects.get()


def test_the_review_is_followed_with_times(order: Order, salesforce: Salesforce) -> None:
    sf_id = order.sf_order_id or ""
    seen = after(salesforce, change(sf_id, status="Approved", activation="Activating", minute=5))
    assert (status_of(seen), seen.approved_at) == (Status.ACTIVATING, datetime(2026, 11, 20, 10, 5, tzinfo=UTC))
    seen = after(salesforce, change(sf_id, status="Approved", activation="Failed", minute=6, error="no_payment: none"))
    assert (status_of(seen), seen.sf_activation_error) == (Status.FAILED, "no_payment: none")
    seen = after(salesforce, change(sf_id, status="Activated", activation="Provisioned", minute=7, whmcs_order_id=12))
    assert (status_of(seen), seen.whmcs_order_id) == (Status.PROVISIONED, 12)
    assert seen.provisioned_at == datetime(2026, 11, 20, 10, 7, tzinfo=UTC)
    assert seen.approved_at == datetime(2026, 11, 20, 10, 5, tzinfo=UTC)
    assert [event.what for event in seen.events.all()][2:] == [
        "salesforce",
        "salesforce",
        "activation_error",
        "salesforce",
    ] or [event.what for event in seen.events.all()][2:] == [
        "salesforce",
        "activation_error",
        "salesforce",
        "salesforce",
    ]


def test_a_cancelled_order_has_its_time(order: Order, salesforce: Salesforce) -> None:
    seen = after(salesforce, change(order.sf_order_id or "", status="Cancelled", minute=9))
    assert (status_of(seen), seen.cancelled_at) == (Status.CANCELLED, datetime(2026, 11, 20, 10, 9, tzinfo=UTC))


def test_an_older_answer_never_overwrites_a_newer_one(order: Order, salesforce: Salesforce) -> None:
    sf_id = order.sf_order_id or ""
    after(salesforce, change(sf_id, status="Approved", activation="Activating", minute=5))
    seen = after(salesforce, change(sf_id, minute=4))
    assert seen.sf_status == "Approved"


def test_two_saves_in_one_second_are_both_seen(order: Order, salesforce: Salesforce) -> None:
    sf_id = order.sf_order_id or ""
    after(salesforce, change(sf_id, minute=5))
    seen = after(salesforce, change(sf_id, status="Approved", activation="Activating", minute=5))
    assert status_of(seen) is Status.ACTIVATING


def test_the_same_change_twice_is_one_event(order: Order, salesforce: Salesforce) -> None:
    approved = change(order.sf_order_id or "", status="Approved", activation="Activating", minute=5)
    after(salesforce, approved)
    events = Order.objects.get().events.count()
    assert after(salesforce, approved).events.count() == events


def test_the_cursor_moves_on_and_looks_back_a_little(order: Order, salesforce: Salesforce) -> None:
    after(salesforce)
    assert not RefreshCursor.objects.exists()
    after(salesforce, change(order.sf_order_id or "", minute=5))
    refresh()
    assert salesforce.asked_since[-1:] == [datetime(2026, 11, 20, 10, 5, tzinfo=UTC) - OVERLAP]
    assert timedelta(seconds=60) == OVERLAP


def test_an_outage_moves_nothing(order: Order, salesforce: Salesforce) -> None:
    salesforce.fails["order_changes"] = Unavailable("salesforce", "order_changes", "timeout")
    with pytest.raises(Unavailable):
        refresh()
    assert not RefreshCursor.objects.exists()


def test_an_order_whose_answer_was_lost_is_recognised_by_its_reference(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.fails["place_order"] = Unavailable("salesforce", "place_order", "timeout")
    (order,) = order_now(make_customer(), "VPN-US")
    seen = after(salesforce, change("801TEST00000009AAA", ref=order.portal_ref, minute=5))
    assert (seen.local_state, seen.sf_order_id, seen.sf_order_number) == ("placed", "801TEST00000009AAA", "00000100")
    assert placing.place_due()["tried"] == 0


def test_orders_that_are_not_ours_are_passed_over(order: Order, salesforce: Salesforce) -> None:
    assert after(salesforce, change("801OTHER0000000AAA", ref="somebody:else", minute=5)) == order
    assert Order.objects.get().sf_modstamp is None


def test_staff_refresh_one_order(order: Order, salesforce: Salesforce) -> None:
    salesforce.changes = [change(order.sf_order_id or "", status="Approved", minute=5)]
    assert refresh_order(order, actor="carol@example.jp") is True
    event = order.events.last()
    assert event is not None
    assert (event.what, event.actor) == ("salesforce", "carol@example.jp")
    assert refresh_order(order, actor="carol@example.jp") is False


def test_rounds_are_rare_unless_somebody_watches(order: Order, salesforce: Salesforce, settings: Any) -> None:
    settings.WATCHED_REFRESH_S, settings.REFRESH_S = 0.0, 300
    salesforce.calls = []
    jobs.refresh()
    jobs.refresh()
    assert salesforce.calls == ["order_changes"]
    watched.note(order.pk)
    jobs.refresh()
    assert salesforce.calls == ["order_changes"] * 2


def test_many_watchers_cost_one_query_a_round(salesforce: Salesforce, whmcs: Whmcs, settings: Any) -> None:
    aiko = make_customer()
    for order in [order_now(aiko, "VPN-US")[0] for _ in range(5)]:
        watched.note(order.pk)
    salesforce.calls = []
    jobs.refresh()
    assert salesforce.calls == ["order_changes"]
