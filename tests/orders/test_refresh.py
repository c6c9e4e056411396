"""The mirror of Salesforce's orders: by change, in any order, as often as somebody watches."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import CustomerLink, SignupJourney, User
from integrations.errors import Unavailable
from notifications.models import Email
from orders import jobs, placing, watched
from orders.models import AccountRead, Order, RefreshCursor
from orders.refresh import OVERLAP, refresh, refresh_order
from orders.status import Status, status_of
from support.models import Case
from tests.orders.doubles import Salesforce, Whmcs, change
from tests.orders.steps import order_now
from tests.people import make_customer, signed_in
from tests.provisioning.doubles import activation, item

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def order(salesforce: Salesforce, whmcs: Whmcs) -> Order:
    return order_now(make_customer(), "VPN-US")[0]


def everybody_is_known() -> None:
    """As after a round that read the orders of all new customers."""
    for link in CustomerLink.objects.all():
        AccountRead.objects.create(link=link, sf_account_id=link.sf_account_id)


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
    seen = Order.objects.get()
    events = seen.events.count()
    again = after(salesforce, approved)
    assert (again.events.count(), again.updated_at) == (events, seen.updated_at)
    later = after(salesforce, replace(approved, modstamp=approved.modstamp + timedelta(minutes=1)))
    assert later.sf_modstamp == approved.modstamp + timedelta(minutes=1)
    assert later.updated_at == seen.updated_at, "a save that changed nothing we show is no news"


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
    everybody_is_known()
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
    everybody_is_known()
    salesforce.calls = []
    jobs.refresh()
    assert salesforce.calls == ["order_changes"]


# --- what support does in Salesforce without the portal


ACCOUNT = "001THEIRS000001AAA"
MADE = "801MADE00000001AAA"


@pytest.fixture
def aiko(salesforce: Salesforce, whmcs: Whmcs) -> User:
    return make_customer("aiko@example.jp", sf_account_id=ACCOUNT)


def made(**other: Any) -> Any:
    goods = (item(id="802MADE00000001AAA"), activation(id="802MADE00000002AAA"))
    return change(MADE, **{"account": ACCOUNT, "items": goods, **other})


def page_of(user: User, path: str) -> str:
    return str(signed_in(user).get(path).content.decode())


def test_an_order_that_support_made_for_a_customer_appears_with_its_items(aiko: User, salesforce: Salesforce) -> None:
    seen = after(salesforce, made())
    assert (seen.user, seen.sf_order_number, seen.category) == (aiko, "00000100", "Internet")
    assert seen.created_at == datetime(2026, 11, 19, 3, 0, tzinfo=UTC)
    assert [(line.sku, line.unit_price) for line in seen.lines.all()] == [("INT-APT-1G", 4730), ("ACT-INTERNET", 3300)]
    assert seen.number in page_of(aiko, "/orders/")
    page = page_of(aiko, f"/orders/{seen.number}/")
    assert "In review" in page
    assert "¥4,730" in page
    assert "00000100" in page
    assert "Customer support placed it for you." in page
    assert "Cancel this order" not in page
    assert [event.what for event in seen.events.all()] == ["made_in_salesforce", "salesforce"]


def test_it_is_followed_like_any_other(aiko: User, salesforce: Salesforce) -> None:
    after(salesforce, made())
    seen = after(salesforce, made(status="Activated", activation="Provisioned", minute=3))
    assert (status_of(seen), seen.lines.count()) == (Status.PROVISIONED, 2)


@pytest.mark.parametrize(
    "other",
    [{"account": "001SOMEBODY0001AAA"}, {"ref": "another:portal"}, {"status": "Draft"}],
    ids=["nobody's account", "another portal's", "a draft"],
)
def test_what_is_no_customers_order_does_not_appear(aiko: User, salesforce: Salesforce, other: Any) -> None:
    salesforce.changes = [made(**other)]
    refresh()
    assert not Order.objects.exists()


def test_a_provisional_customer_sees_nothing_of_the_account(aiko: User, salesforce: Salesforce) -> None:
    CustomerLink.objects.update(state="provisional", whmcs_client_id=None)
    salesforce.changes = [made()]
    refresh()
    assert "No orders yet" in page_of(aiko, "/orders/")


def test_whoever_is_not_linked_any_more_does_not_see_them_any_more(aiko: User, salesforce: Salesforce) -> None:
    seen = after(salesforce, made())
    CustomerLink.objects.update(sf_account_id="001ANOTHER00001AAA")
    assert signed_in(aiko).get(f"/orders/{seen.number}/").status_code == 404
    assert seen.number not in page_of(aiko, "/orders/")
    ben = make_customer("ben@example.jp", sf_account_id=ACCOUNT)
    refresh()
    assert seen.number in page_of(ben, "/orders/")
    assert signed_in(aiko).get(f"/orders/{seen.number}/").status_code == 404


def test_a_new_customers_old_orders_are_read_once(aiko: User, salesforce: Salesforce) -> None:
    RefreshCursor.objects.create(name="orders", modstamp=datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
    salesforce.changes, salesforce.calls = [made()], []
    refresh()
    assert Order.objects.get().sf_order_id == MADE
    assert salesforce.calls == ["order_changes", "orders_of_accounts"]
    refresh()
    assert salesforce.calls == ["order_changes", "orders_of_accounts", "order_changes"]


def test_they_are_read_only_when_salesforce_counts_the_account(aiko: User, salesforce: Salesforce) -> None:
    """Otherwise a change between reading them and the write-back would never be told."""
    SignupJourney.objects.update(step=SignupJourney.Step.WRITE_BACK, state=SignupJourney.State.RUNNING)
    salesforce.calls = []
    refresh()
    assert salesforce.calls == ["order_changes"]


def test_items_that_support_changed_are_shown_and_logged(order: Order, salesforce: Salesforce) -> None:
    goods = (item(id="802NEW000000001AAA", sku="VPN-UK", name="VPN Kingdom", category="VPN", unit_price=770),)
    seen = after(salesforce, change(order.sf_order_id or "", minute=5, items=goods))
    assert [(line.sku, line.unit_price) for line in seen.lines.all()] == [("VPN-UK", 770)]
    event = seen.events.get(what="items_changed")
    assert event.detail == {"before": ["1 × VPN-US à 550", "1 × ACT-VPN à 0"], "now": ["1 × VPN-UK à 770"]}
    assert seen.user is not None
    page = page_of(seen.user, f"/orders/{seen.number}/")
    assert "Customer support changed this order on" in page
    assert "¥770" in page
    assert after(salesforce, change(order.sf_order_id or "", minute=5, items=goods)).events.count() == 3


def test_a_discount_of_support_is_an_item_below_zero(aiko: User, salesforce: Salesforce) -> None:
    goods = (item(id="802MADE00000001AAA"), item(id="802MADE00000002AAA", sku="DISCOUNT", unit_price=-1000))
    seen = after(salesforce, made(items=(*goods, activation(id="802MADE00000003AAA"))))
    assert sorted(line.unit_price for line in seen.lines.all()) == [-1000, 3300, 4730]
    page = page_of(aiko, f"/orders/{seen.number}/")
    assert "−¥1,000" in page
    assert "¥3,730" in page, "what it costs a month is the sum"


UNFIT: dict[str, Any] = {
    "class": (item(item_class="S" * 30),),
    "cycle": (item(billing_cycle="M" * 30),),
    "quantity": (item(quantity=40_000),),
    "below zero pieces": (item(quantity=-1),),
    "name": (item(sku="UNKNOWN", name="N" * 300),),
    "a NUL": (item(sku="a\x00b"),),
    "unreadable": None,
}


@pytest.mark.parametrize("goods", UNFIT.values(), ids=UNFIT)
def test_items_that_cannot_be_kept_hold_up_neither_their_order_nor_others(
    order: Order, salesforce: Salesforce, goods: Any
) -> None:
    sf_id = order.sf_order_id or ""
    seen = after(salesforce, change(sf_id, status="Approved", activation="Activating", minute=5, items=goods))
    assert (status_of(seen), seen.lines.count()) == (Status.ACTIVATING, 2)
    seen = after(salesforce, change(sf_id, status="Cancelled", minute=6, items=goods))
    assert (status_of(seen), seen.lines.count()) == (Status.CANCELLED, 2)
    assert seen.events.filter(what="items_unusable").count() == 1
    assert Case.objects.get().subject == f"The items of order {order.number} cannot be shown"


def test_a_status_nobody_ever_heard_of_is_kept(order: Order, salesforce: Salesforce) -> None:
    seen = after(salesforce, change(order.sf_order_id or "", status="W" * 255, minute=5))
    assert (seen.sf_status, status_of(seen)) == ("W" * 255, Status.PENDING_REVIEW)


def test_an_order_follows_the_service_that_support_writes_into_it(aiko: User, salesforce: Salesforce) -> None:
    """First the Order, its products a minute later; then another service."""
    seen = after(salesforce, made(items=()))
    assert seen.category == ""
    seen = after(salesforce, made(minute=1))
    assert seen.category == "Internet"
    vpn = item(id="802MADE00000009AAA", sku="VPN-UK", category="VPN")
    seen = after(salesforce, made(minute=2, items=(activation(), vpn)))
    assert seen.category == "VPN"
    assert "We set up your VPN account." in page_of(aiko, f"/orders/{seen.number}/")
    assert after(salesforce, made(minute=3, items=(activation(),))).category == "VPN", "without a service it stays"


def test_what_was_provisioned_stays_whatever_is_edited_later(order: Order, salesforce: Salesforce) -> None:
    Order.objects.update(progress="Provisioned")
    goods = (item(id="802NEW000000001AAA", sku="VPN-UK", unit_price=770),)
    seen = after(salesforce, change(order.sf_order_id or "", minute=5, items=goods))
    assert [line.sku for line in seen.lines.all()] == ["VPN-US", "ACT-VPN"]


def test_the_customer_is_told_once_that_support_cancelled(order: Order, salesforce: Salesforce) -> None:
    after(salesforce, change(order.sf_order_id or "", status="Cancelled", minute=5))
    after(salesforce, change(order.sf_order_id or "", status="Cancelled", minute=6))
    (mail,) = Email.objects.filter(template="order_cancelled")
    assert mail.context["asked"] is False
    assert mail.context["order"]["number"] == order.number


def test_nobody_is_told_about_what_was_cancelled_long_ago(aiko: User, salesforce: Salesforce) -> None:
    seen = after(salesforce, made(status="Cancelled"))
    assert status_of(seen) is Status.CANCELLED
    assert not Email.objects.filter(template="order_cancelled").exists()
