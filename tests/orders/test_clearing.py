"""Orders submitted while support still compared the customer number: asked again before Salesforce hears of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Address, CustomerLink, User
from integrations.errors import Rejected, Unavailable
from notifications.models import Email
from notifications.rendering import render
from orders import by_support, checkout, placing
from orders.by_support import Decision
from orders.models import Order
from orders.status import Status, status_of
from support.models import Case
from tests.orders.doubles import CARD, Salesforce, Whmcs, service
from tests.orders.steps import ACCEPTED, a_check, fill, lives, order_now, seen
from tests.people import make_customer, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
CLIENT = 4711


@pytest.fixture
def aiko(salesforce: Salesforce, whmcs: Whmcs) -> User:
    """Her number is still being compared."""
    user = make_customer("aiko@example.jp")
    CustomerLink.objects.filter(user=user).update(state="provisional", whmcs_client_id=None)
    return fresh(user)


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def confirm(user: User, **account: Any) -> User:
    """Support accepted: the link is real, and the Account says this."""
    told = {"state": "linked", "whmcs_client_id": CLIENT, **account}
    CustomerLink.objects.filter(user=user).update(**told)
    return fresh(user)


def next_round() -> dict[str, int]:
    """The sweep, when the time of every order has come."""
    Order.objects.filter(next_try_at__isnull=False).update(next_try_at=timezone.now() - timedelta(seconds=1))
    return placing.place_due()


def mails() -> list[str]:
    return list(Email.objects.exclude(template="order_received").order_by("pk").values_list("template", flat=True))


def page_of(user: User, order: Order) -> str:
    return str(signed_in(user).get(f"/orders/{order.number}/").content.decode())


def test_what_is_missing_keeps_the_order_here_until_it_is_there(
    aiko: User, salesforce: Salesforce, whmcs: Whmcs
) -> None:
    (order,) = order_now(aiko, "SIM-VD-3", sim_type="esim")
    Address.objects.all().delete()
    whmcs.methods = []
    aiko = confirm(aiko)
    assert next_round() == {"tried": 1, "placed": 0, "refused": 0}
    order = Order.objects.get()
    assert (order.local_state, sorted(order.on_hold)) == ("submitted", ["address", "identity", "payment"])
    assert "place_order" not in salesforce.calls
    page = page_of(aiko, order)
    for words in ("Waiting for you", "What this order waits for", "Add a payment method", "Send identity documents"):
        assert words in page
    assert f"next=%2Forders%2F{order.number}%2F" in page, "whoever goes to do it comes back to the order"
    home = signed_in(aiko).get(reverse("dashboard")).content.decode()
    assert f"Your order {order.number} waits" in home
    assert [mails(), placing.place_due()["tried"]] == [["order_on_hold"], 0], "not before its time"

    lives(aiko)
    assert "Missing" in page_of(aiko, order)
    whmcs.methods = [CARD]
    CustomerLink.objects.update(identity_status="Pending", has_payment_method=True)
    assert "Missing" not in page_of(aiko, order), "what is done meanwhile is said to be done"
    assert next_round()["placed"] == 1
    order = Order.objects.get()
    assert (order.on_hold, order.cleared_at is not None, order.tries) == ([], True, 1)
    assert [event.what for event in order.events.all()] == ["submitted", "on_hold", "cleared", "placed"]
    assert mails() == ["order_on_hold"]
    assert "What this order waits for" not in page_of(aiko, order)


@pytest.mark.parametrize(
    ("plans", "account", "held", "why", "words"),
    [
        (["INT-APT-1G"], {"internet_eligibility": "Apartment 1G"}, [101], "one_internet", "You already have home"),
        (["INT-HSE-1G"], {"internet_eligibility": "Apartment 1G"}, [], "eligibility", "not available at your address"),
        (["SIM-D-3"], {}, [205] * 5, "sims", "more than 5 SIMs"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    aiko: User,
    salesforce: Salesforce,
    whmcs: Whmcs,
    plans: list[str],
    account: Any,
    held: list[int],
    why: str,
    words: str,
) -> None:
    chosen = {"SIM": {"sim_type": "esim"}, "INT": {"router": "none"}}[plans[0][:3]]
    (order,) = order_now(aiko, *plans, **chosen)
    whmcs.held = [service(pid) for pid in held]
    aiko = confirm(aiko, **account)
    assert next_round() == {"tried": 1, "placed": 0, "refused": 1}
    order = Order.objects.get()
    assert (order.refusal, status_of(order)) == (why, Status.CANCELLED)
    assert "place_order" not in salesforce.calls
    page = page_of(aiko, order)
    assert words in page
    assert "Nothing was charged." in page
    mail = render(Email.objects.get(template="order_not_accepted"))
    assert words in mail.text
    assert words in mail.html
    assert order.number in Case.objects.get().subject
    assert next_round()["tried"] == 0


def test_what_support_is_at_is_no_to_do_of_the_customer(aiko: User, whmcs: Whmcs) -> None:
    (order,) = order_now(aiko, "INT-APT-1G", router="none")
    aiko = confirm(aiko, internet_eligibility_status="Pending")
    a_check(aiko, state="asked", answer="", offered=None)
    next_round()
    assert Order.objects.get().on_hold == ["eligibility"]
    home = signed_in(aiko).get(reverse("dashboard")).content.decode()
    assert f"Your order {order.number} waits" not in home


def test_an_address_that_nobody_checked_is_asked_for(aiko: User) -> None:
    (order,) = order_now(aiko, "INT-APT-1G", router="none")
    aiko = confirm(aiko)
    next_round()
    assert "Check my address" in page_of(aiko, order)
    CustomerLink.objects.update(internet_eligibility="Apartment 1G")
    assert next_round()["placed"] == 1


def test_what_is_taken_up_again_is_told_each_time_whatever_comes_of_it(aiko: User, whmcs: Whmcs) -> None:
    (order,) = order_now(aiko, "INT-HSE-1G", router="none")
    whmcs.methods = []
    aiko = confirm(aiko)
    next_round()
    CustomerLink.objects.update(internet_eligibility="Apartment 1G")
    for _ in range(2):
        assert next_round()["refused"] == 1
        by_support.place_again(order.pk, Decision("carol@example.jp", "the building was looked up again"))
    CustomerLink.objects.update(internet_eligibility="House 1G")
    for _ in range(2):
        assert next_round()["tried"] == 1
    assert Order.objects.get().on_hold == ["payment"]
    told = ["order_on_hold", "order_not_accepted", "order_taken_up", "order_not_accepted", "order_taken_up"]
    assert mails() == [*told, "order_on_hold"]
    assert Case.objects.filter(subject=f"Order {order.number} was not placed").count() == 2
    mail = render(Email.objects.filter(template="order_taken_up")[0])
    for part in (mail.text, mail.html):
        assert "we are placing it now, at the prices that you saw" in part


def test_of_two_home_internet_orders_the_first_is_placed(aiko: User) -> None:
    first, second = (order_now(aiko, "INT-APT-1G", router="none")[0] for _ in range(2))
    confirm(aiko, internet_eligibility="Apartment 1G")
    assert next_round() == {"tried": 2, "placed": 1, "refused": 1}
    states = {order.pk: order.local_state for order in Order.objects.all()}
    assert states == {first.pk: "placed", second.pk: "refused"}


def test_the_sims_of_one_submit_are_counted_one_after_the_other(aiko: User, whmcs: Whmcs) -> None:
    order_now(aiko, *["SIM-D-3"] * 3, sim_type="esim")
    whmcs.held = [service(205)] * 3
    confirm(aiko)
    assert next_round() == {"tried": 3, "placed": 2, "refused": 1}


def test_whmcs_down_is_neither_yes_nor_no(aiko: User, salesforce: Salesforce, whmcs: Whmcs) -> None:
    (order,) = order_now(aiko, "VPN-US")
    aiko = confirm(aiko)
    whmcs.error = Unavailable("whmcs", "GetPayMethods", "refused")
    next_round()
    assert (Order.objects.get().local_state, Order.objects.get().on_hold, mails()) == ("submitted", [], [])
    assert "We are registering it" in page_of(aiko, order)
    assert "place_order" not in salesforce.calls
    whmcs.error = None
    assert next_round()["placed"] == 1


def test_a_round_ends_when_whmcs_is_away(aiko: User, salesforce: Salesforce, whmcs: Whmcs) -> None:
    for sku in ("VPN-US", "VPN-UK"):
        order_now(aiko, sku)
    confirm(aiko)
    whmcs.error = Unavailable("whmcs", "GetPayMethods", "timeout")
    assert next_round()["tried"] == 1, "the next one would wait as long"
    whmcs.error = None
    assert next_round()["placed"] == 2


def test_a_no_of_whmcs_reaches_support(aiko: User, salesforce: Salesforce, whmcs: Whmcs) -> None:
    order_now(aiko, "VPN-US")
    confirm(aiko)
    whmcs.error = Rejected("whmcs", "GetPayMethods", "client_not_found")
    for _try in range(3):
        next_round()
    order = Order.objects.get()
    assert (order.local_state, "place_order" in salesforce.calls) == ("submitted", False)
    assert [case.subject for case in Case.objects.all()] == ["Orders cannot be placed: client_not_found"]
    assert order.events.filter(what="not_placed_yet").count() == 1, "the same is told once a day"


def test_a_customer_of_the_checkout_is_not_asked_twice(salesforce: Salesforce, whmcs: Whmcs) -> None:
    ben = make_customer("ben@example.jp")
    salesforce.fails["open_opportunities"] = Unavailable("salesforce", "query", "timeout")
    (order,) = order_now(ben, "VPN-US")
    assert order.cleared_at is not None
    whmcs.calls, whmcs.methods, salesforce.fails = [], [], {}
    assert next_round()["placed"] == 1
    assert whmcs.calls == []


def test_the_account_may_become_real_between_the_gate_and_the_store(
    aiko: User, monkeypatch: pytest.MonkeyPatch, whmcs: Whmcs
) -> None:
    """What the gate saw counts, not what is true when the order is stored."""
    whmcs.methods = []
    cart = fill(aiko, "VPN-US")
    shown = seen(aiko, cart)
    monkeypatch.setattr(checkout, "_ordered_before", lambda *_, **__: confirm(aiko) and None)
    checkout.submit(user=aiko, cart_id=cart.pk, seen=shown, accepted=ACCEPTED)
    assert (Order.objects.get().local_state, Order.objects.get().on_hold) == ("submitted", ["payment"])
