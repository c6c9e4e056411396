"""An order that is still here is taken back: it keeps its customer from nothing any more, and it is never sent."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerLink, SignupJourney, User
from audit.models import AuditEntry
from integrations.errors import Unavailable
from notifications.models import Email
from notifications.rendering import render
from orders import by_support, gate, placing, withdrawing
from orders.by_support import Decision, NotPossible
from orders.cancelling import TooLate
from orders.cart import look
from orders.models import Order
from orders.status import Status, status_of
from portal.personal_data import erasing
from tests.orders.doubles import Salesforce, Whmcs
from tests.orders.steps import fill, order_now
from tests.people import make_customer, make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/orders/order/"
PLANS: list[tuple[str, dict[str, str]]] = [
    ("INT-APT-1G", {"router": "none"}),
    ("SIM-VD-3", {"sim_type": "esim"}),
    ("VPN-US", {}),
    ("SIM-VD-3", {"sim_type": "esim"}),
    ("INT-APT-1G", {"router": "none"}),
]
BECAUSE = Decision("carol@example.jp", "the account is closed")


@pytest.fixture
def aiko(salesforce: Salesforce, whmcs: Whmcs) -> User:
    """Her number is still being compared, and she has no payment method."""
    whmcs.methods = []
    user = make_customer("aiko@example.jp")
    CustomerLink.objects.filter(user=user).update(state="provisional", whmcs_client_id=None)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def carol(aiko: User) -> Client:
    return signed_in(make_staff().user)


def confirm(user: User, **columns: Any) -> User:
    """Support accepted her number: from here on her orders are looked at."""
    told = {"state": "linked", "whmcs_client_id": 4711, "internet_eligibility": "Apartment 1G", **columns}
    CustomerLink.objects.filter(user=user).update(**told)
    return User.objects.get(pk=user.pk)


def next_round() -> dict[str, int]:
    Order.objects.update(next_try_at=None, lease_until=None)
    return placing.place_due()


def page_of(user: User, order: Order) -> str:
    return str(signed_in(user).get(f"/orders/{order.number}/").content.decode())


def decide(carol: Client, action: str, order: Order) -> str:
    form = {"action": action, "_selected_action": [order.pk], "confirmed": "yes", "reason": BECAUSE.reason}
    return str(carol.post(LIST, form, follow=True).content.decode())


def other_internet_is_ruled_out(user: User) -> bool:
    plans = look(fill(user, "INT-APT-1G", router="none")).priced
    tasks = gate.tasks(gate.situation(user=user, lines=plans), plans)
    return "one_internet" in {task.key for task in tasks if task.why == "ruled_out"}


def test_its_customer_takes_back_what_waits_and_is_free_again(
    aiko: User, salesforce: Salesforce, whmcs: Whmcs, carol: Client
) -> None:
    (order,) = order_now(aiko, "INT-APT-1G", router="none")
    assert f"/orders/{order.number}/cancel/" in page_of(aiko, order), "while the number is compared"
    aiko = confirm(aiko)
    next_round()
    assert Order.objects.get().on_hold == ["payment"]
    assert f"/orders/{order.number}/cancel/" in page_of(aiko, order), "while it waits for the customer"
    assert other_internet_is_ruled_out(aiko)

    browser = signed_in(aiko)
    asked = browser.get(f"/orders/{order.number}/cancel/").content.decode()
    assert "Cancel this order?" in asked
    assert "If customer support approves it" not in asked, "nobody can approve it yet"
    assert Order.objects.get().local_state == "submitted", "asking changes nothing"
    for _ in range(2):  # a double click
        assert browser.post(f"/orders/{order.number}/cancel/")["Location"] == f"/orders/{order.number}/"

    ended = Order.objects.get()
    assert (ended.local_state, ended.refusal, ended.on_hold) == ("refused", "withdrawn", [])
    assert status_of(ended) is Status.CANCELLED
    assert ended.events.get(what="refused").actor == "customer"
    page = page_of(aiko, order)
    for words in ("Cancelled", "You withdrew this order. Nothing was charged."):
        assert words in page
    assert "Not accepted" not in page
    assert f"/orders/{order.number}/cancel/" not in page
    assert "as you asked" in render(Email.objects.get(template="order_cancelled")).text
    assert not other_internet_is_ruled_out(aiko)
    whmcs.calls = []
    assert (next_round()["tried"], whmcs.calls) == (0, []), "nobody asks for it any more"
    assert "It has to be ordered again." in decide(carol, "place_again", order)
    assert Order.objects.get().local_state == "refused"


def test_an_order_that_is_taken_back_while_it_is_looked_at_is_never_sent(
    aiko: User, salesforce: Salesforce, whmcs: Whmcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    (order,) = order_now(aiko, "VPN-US")
    aiko = confirm(aiko)
    answer = whmcs.pay_methods

    def taken_back_meanwhile(client_id: int) -> Any:
        withdrawing.ask(aiko, order.number)
        return answer(client_id)

    monkeypatch.setattr(whmcs, "pay_methods", taken_back_meanwhile)
    whmcs.methods, salesforce.calls = Whmcs().methods, []
    assert next_round() == {"tried": 1, "placed": 0, "refused": 1}
    assert "place_order" not in salesforce.calls
    assert [event.what for event in order.events.all()] == ["submitted", "refused"]


def test_an_order_that_may_go_is_not_taken_back(aiko: User, salesforce: Salesforce, whmcs: Whmcs) -> None:
    (order,) = order_now(aiko, "VPN-US")
    aiko = confirm(aiko)
    tried: list[str] = []

    def while_it_is_sent() -> None:
        if salesforce.calls[-1] != "place_order":
            return
        with pytest.raises(TooLate):
            withdrawing.ask(aiko, order.number)
        with pytest.raises(NotPossible, match="at this very moment"):
            withdrawing.withdraw(withdrawing.look(order.pk), BECAUSE)
        tried.append("both")

    whmcs.methods, salesforce.pause = Whmcs().methods, while_it_is_sent
    assert next_round()["placed"] == 1
    assert tried == ["both"]


def test_an_order_that_is_placed_again_is_looked_for_before_it_is_taken_back(
    aiko: User, salesforce: Salesforce, whmcs: Whmcs
) -> None:
    """It may stand in Salesforce from an earlier try whose answer was lost."""
    whmcs.methods = Whmcs().methods
    (order,) = order_now(confirm(aiko), "VPN-US")
    assert order.portal_ref in salesforce.placed
    Order.objects.update(local_state="refused", sf_order_id=None)
    by_support.place_again(order.pk, BECAUSE)
    aiko, cancel = User.objects.get(pk=aiko.pk), f"/orders/{order.number}/cancel/"
    browser = signed_in(aiko)
    assert "cannot be cancelled here" in browser.post(cancel, follow=True).content.decode()
    salesforce.fails["order_by_ref"] = Unavailable("salesforce", "order_by_ref", "timeout")
    assert "nothing was changed" in browser.post(cancel, follow=True).content.decode()
    assert Order.objects.get().local_state == "submitted"
    salesforce.fails, salesforce.placed = {}, {}
    browser.post(cancel)
    assert Order.objects.get().refusal == "withdrawn"


def test_nobody_takes_back_an_order_of_somebody_else(aiko: User) -> None:
    (order,) = order_now(aiko, "VPN-US")
    ben = make_customer("ben@example.jp")
    assert signed_in(ben).post(f"/orders/{order.number}/cancel/").status_code == 404
    with pytest.raises(Order.DoesNotExist):
        withdrawing.ask(ben, order.number)
    assert Order.objects.get().local_state == "submitted"


# --- an account that is closed


@pytest.mark.parametrize("how", ["closed", "disabled"])
def test_nothing_is_placed_for_an_account_that_is_closed_and_support_ends_it(
    aiko: User, salesforce: Salesforce, whmcs: Whmcs, carol: Client, how: str
) -> None:
    (order,) = order_now(aiko, "VPN-US")
    aiko = confirm(aiko, portal_status="Inactive" if how == "closed" else "Active")
    User.objects.filter(pk=aiko.pk).update(is_active=how == "closed")
    whmcs.methods, whmcs.calls, salesforce.calls = Whmcs().methods, [], []
    assert next_round()["tried"] == 0
    assert placing.place(order.pk).local_state == "submitted", "not one by one either"
    assert [*whmcs.calls, *salesforce.calls] == []
    assert not Order.objects.on_their_way().exists(), "and nobody is alerted that it stays"
    assert order.number in carol.get(LIST, {"waits_for": "support"}).content.decode()
    CustomerLink.objects.update(portal_status="Inactive")
    with pytest.raises(erasing.NotYet, match="An order is under way"):
        erasing.erase(aiko, reason="asked for it")

    decide(carol, "withdraw", order)
    ended = Order.objects.get()
    assert (ended.local_state, ended.refusal) == ("refused", "taken_back")
    event = ended.events.get(what="refused")
    assert (event.actor, event.detail["reason"]) == ("carol@example.jp", BECAUSE.reason)
    assert AuditEntry.objects.get(action="order.withdraw").subject == f"order:{order.number}"
    assert "If you did not expect this" in render(Email.objects.get(template="order_cancelled")).text
    Email.objects.update(state=Email.State.SENT)
    assert erasing.erase(aiko, reason="asked for it")["orders_without_customer"] == 1


def test_support_takes_back_what_may_have_been_sent_only_when_it_is_not_there(
    aiko: User, salesforce: Salesforce, whmcs: Whmcs, carol: Client
) -> None:
    whmcs.methods = Whmcs().methods
    salesforce.fails["place_order"] = Unavailable("salesforce", "place_order", "timeout")
    (order,) = order_now(confirm(aiko), "VPN-US")
    assert order.cleared_at is not None
    assert "/cancel/" not in page_of(aiko, order), "its customer waits until it is in review"
    Order.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert "is being placed at this very moment" in decide(carol, "withdraw", order)
    Order.objects.update(lease_until=None)
    salesforce.fails = {"order_by_ref": Unavailable("salesforce", "order_by_ref", "timeout")}
    assert "timeout" in decide(carol, "withdraw", order), "who cannot look does not end it"
    assert Order.objects.get().local_state == "submitted"
    salesforce.fails = {}
    decide(carol, "withdraw", order)
    assert (Order.objects.get().local_state, salesforce.placed) == ("refused", {})
    assert "Customer support cancelled this order." in page_of(aiko, order)
    assert "not in Salesforce yet is taken back" in decide(carol, "withdraw", order), "once"

    (sent,) = order_now(aiko, "VPN-US")
    Order.objects.filter(pk=sent.pk).update(local_state="submitted", lease_until=None)  # its answer was lost
    assert "This order stands in Salesforce." in decide(carol, "withdraw", sent)


# --- an order whose customer has no account (any more)


def test_an_order_without_an_account_says_what_it_waits_for(aiko: User, salesforce: Salesforce, carol: Client) -> None:
    (order,) = order_now(aiko, "VPN-US")
    Order.objects.update(created_at=timezone.now() - timedelta(hours=2))
    CustomerLink.objects.filter(user=aiko).delete()  # support rejected the number she claimed
    journey = SignupJourney.objects.update_or_create(user=aiko, defaults={"state": "waiting_cs"})[0]
    aiko = User.objects.get(pk=aiko.pk)
    page = page_of(aiko, order)
    for words in ("What this order waits for", "Your customer account", "Our team is looking at your sign-up by hand"):
        assert words in page
    assert "We keep trying by ourselves: nothing is lost" not in page
    SignupJourney.objects.filter(pk=journey.pk).update(state="number_unmatched")
    page = page_of(aiko, order)
    assert "Waiting for you" in page
    assert f"{reverse('account_setup')}?next=%2Forders%2F{order.number}%2F" in page
    for whose, is_listed in {"salesforce": False, "customer": False, "support": True}.items():
        assert (order.number in carol.get(LIST, {"waits_for": whose}).content.decode()) == is_listed, whose
    assert "Your customer account" in carol.get(f"{LIST}{order.pk}/change/").content.decode()


# --- what a list of them costs


@pytest.mark.parametrize("is_customer", [True, False])
def test_several_orders_on_hold_cost_no_more_queries_than_two(aiko: User, is_customer: bool) -> None:
    shown = [order_now(aiko, sku, **chosen)[0].pk for sku, chosen in PLANS]
    confirm(aiko)
    if not is_customer:
        CustomerLink.objects.all().delete()
    browser = signed_in(User.objects.get(pk=aiko.pk))
    browser.get("/orders/")

    def cost(waiting: list[int]) -> int:
        Order.objects.update(local_state="refused")
        Order.objects.filter(pk__in=waiting).update(local_state="submitted", on_hold=["payment"])
        with CaptureQueriesContext(connection) as asked:
            page = browser.get("/orders/").content.decode()
        assert page.count("Waiting for you" if is_customer else "Waiting") == len(waiting)
        return len(asked)

    assert cost(shown) == cost(shown[:2])
