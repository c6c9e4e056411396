"""Salesforce fails while an order is placed: the order is kept, the customer told, and it is placed once, later."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from notifications.models import Email
from orders import jobs
from orders.models import Cart, Order
from tests.faults import Faults, Rule
from tests.orders.steps import fill, review_form
from tests.orders.test_wire import customer
from tests.org import rows
from tests.people import Staff, signed_in
from tests.sandbox_process import Sandbox

__all__ = ["customer"]
pytestmark = pytest.mark.django_db(transaction=True)
WAYS: dict[str, Callable[[Faults], Rule]] = {
    "nobody listens": lambda faults: faults.close_port("salesforce"),
    "connections break": lambda faults: faults.refuse("salesforce", always=True),
    "maintenance page": lambda faults: faults.html("salesforce", always=True),
    "limit of the day": lambda faults: faults.salesforce_limit(always=True),
    "the request is lost": lambda faults: faults.lose_request("salesforce", "composite"),
    "a page after the work was done": lambda faults: faults.html("salesforce", "composite", at="after"),
    "the opportunity is locked": lambda faults: faults.part_fails("opportunity"),
    "the order is locked": lambda faults: faults.part_fails("order"),
    "an item is locked": lambda faults: faults.part_fails("items"),
    "the last part fails": lambda faults: faults.part_fails("read"),
    "half an answer": lambda faults: faults.answer("salesforce", "truncate", "composite"),
}


def text(response: Any) -> str:
    return str(response.content.decode())


def press_order(browser: Client, user: User) -> str:
    """From a filled cart to the page that the customer reads then."""
    fill(user, "VPN-US")
    return text(browser.post("/checkout/review/", review_form(browser), follow=True))


def in_salesforce(sandbox: Sandbox, order: Order) -> tuple[list[str], int]:
    """What stands there for this order: ids of Orders, number of Opportunities."""
    found = rows(sandbox, f"SELECT Id FROM Order WHERE Portal_Ref__c = '{order.portal_ref}'")
    made = rows(sandbox, f"SELECT Id FROM Opportunity WHERE AccountId = '{account_of(order)}'")
    return [row["Id"] for row in found], len(made)


def account_of(order: Order) -> str:
    assert order.user
    return str(order.user.link.sf_account_id)


@pytest.mark.parametrize("way", WAYS)
def test_the_order_is_kept_told_and_placed_once(customer: User, sandbox: Sandbox, faults: Faults, way: str) -> None:
    browser = signed_in(customer)
    fault = WAYS[way](faults)
    page = press_order(browser, customer)
    order = Order.objects.get()
    assert order.number in page
    assert Email.objects.filter(template="order_received").count() == 1
    assert Cart.objects.get().closed_at is not None
    if order.local_state == Order.Local.SUBMITTED:
        assert "This takes longer than usual. We keep trying by ourselves: nothing is lost" in page
        assert order.events.filter(what="not_placed_yet").exists()
    faults.clear()
    Order.objects.update(next_try_at=None)

    jobs.place_submitted()

    order.refresh_from_db()
    assert order.local_state == Order.Local.PLACED, fault
    assert in_salesforce(sandbox, order) == ([order.sf_order_id], 1)
    assert "A person is checking your order" in text(browser.get(f"/orders/{order.number}/"))
    assert Email.objects.filter(template="order_received").count() == 1


def test_a_lost_answer_is_found_while_the_customer_waits(customer: User, sandbox: Sandbox, faults: Faults) -> None:
    lost = faults.lose_answer("salesforce", "composite")
    page = press_order(signed_in(customer), customer)
    order = Order.objects.get()
    assert lost.acted == 1
    assert "A person is checking your order" in page
    assert in_salesforce(sandbox, order) == ([order.sf_order_id], 1)
    assert [event.what for event in order.events.all()] == ["submitted", "placed"]


def test_staff_see_what_happened_to_it(customer: User, faults: Faults, cs_carol: Staff) -> None:
    faults.salesforce_limit(always=True)
    press_order(signed_in(customer), customer)
    faults.clear()
    Order.objects.update(next_try_at=None)
    jobs.place_submitted()
    order = Order.objects.get()
    page = text(signed_in(cs_carol.user).get(f"/admin/orders/order/{order.pk}/change/"))
    for words in ("submitted", "not_placed_yet", "sf_limit", "placed", order.sf_order_id or "", order.number):
        assert words in page
