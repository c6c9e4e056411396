"""The process dies at every point of placing an order; Salesforce says how many orders came of it."""

import pytest
from django.utils import timezone

from accounts.models import User
from integrations import failpoints
from integrations.failpoints import Died, arm
from orders import placing
from orders.models import Order
from tests.orders.steps import order_now
from tests.orders.test_wire import customer
from tests.org import rows
from tests.sandbox_process import Sandbox

__all__ = ["customer"]
pytestmark = pytest.mark.django_db(transaction=True)
WAY = [
    "order.claim",
    "salesforce.open_opportunities",
    "order.take_opportunity",
    "salesforce.place_order",
    "order.record",
]
POINTS = [f"{name}:{moment}" for name in WAY for moment in ("before", "after")]


def of_placing(points: list[str]) -> list[str]:
    """Without what comes before: the gate asks WHMCS, and a token may be fetched."""
    return points[points.index("order.claim:before") :]


def test_these_are_the_points_of_placing(customer: User) -> None:
    with failpoints.traced() as passed:
        order_now(customer, "VPN-US")
    assert of_placing(passed) == POINTS


@pytest.mark.parametrize("point", POINTS)
def test_an_order_whose_placing_died_anywhere_is_placed_once(customer: User, sandbox: Sandbox, point: str) -> None:
    with arm(f"{point}=raise"), pytest.raises(Died):
        order_now(customer, "VPN-US")
    Order.objects.update(lease_until=timezone.now())

    placing.place_due()

    order = Order.objects.get()
    placed = rows(sandbox, f"SELECT Id FROM Order WHERE Portal_Ref__c = '{order.portal_ref}'")
    opportunities = rows(sandbox, f"SELECT Id FROM Opportunity WHERE Portal_Ref__c LIKE '{order.portal_ref}%'")
    assert order.local_state == Order.Local.PLACED
    assert [each["Id"] for each in placed] == [order.sf_order_id]
    assert len(opportunities) == 1


@pytest.mark.parametrize("point", POINTS)
def test_of_several_orders_each_is_placed_once_wherever_it_died(customer: User, sandbox: Sandbox, point: str) -> None:
    """The process dies at the second of three; the rest is the sweep's."""
    with arm(f"{point}=raise@2"), pytest.raises(Died):
        order_now(customer, "VPN-US", "SIM-D-3", "VPN-UK", sim_type="esim")
    Order.objects.update(lease_until=timezone.now())

    placing.place_due()

    account = customer.link.sf_account_id
    orders = rows(sandbox, f"SELECT Id, OpportunityId, Portal_Ref__c FROM Order WHERE AccountId = '{account}'")
    assert {order.sf_order_id for order in Order.objects.all()} == {each["Id"] for each in orders}
    assert len(orders) == len({each["OpportunityId"] for each in orders}) == 3
    assert len(rows(sandbox, f"SELECT Id FROM Opportunity WHERE AccountId = '{account}'")) == 3
    items = rows(sandbox, f"SELECT Id FROM OrderItem WHERE Order.AccountId = '{account}'")
    known = {line.sf_order_item_id for order in Order.objects.all() for line in order.lines.all()}
    assert known == {each["Id"] for each in items}


def test_a_second_process_that_comes_while_the_first_is_frozen_adopts_its_order(
    customer: User, sandbox: Sandbox
) -> None:
    """The lease ends while Salesforce has the Order and the first has not written so down; both go on."""

    def the_second() -> None:
        Order.objects.update(lease_until=timezone.now())
        placing.place_due()

    with arm("salesforce.place_order:after=call", the_second):
        (order,) = order_now(customer, "VPN-US")
    assert order.local_state == Order.Local.PLACED
    assert [event.what for event in order.events.all()] == ["submitted", "placed"]
    assert len(rows(sandbox, f"SELECT Id FROM Order WHERE Portal_Ref__c = '{order.portal_ref}'")) == 1


def test_two_processes_that_send_the_same_order_make_one(customer: User, sandbox: Sandbox) -> None:
    """The second looked before the first had sent, so Salesforce answers DUPLICATE_VALUE, and it adopts."""

    def the_second() -> None:
        Order.objects.update(lease_until=timezone.now())
        placing.place_due()

    with arm("salesforce.place_order:before=call", the_second):
        (order,) = order_now(customer, "VPN-US")
    assert order.local_state == Order.Local.PLACED
    account = customer.link.sf_account_id
    for kind in ("Order", "Opportunity"):
        assert len(rows(sandbox, f"SELECT Id FROM {kind} WHERE AccountId = '{account}'")) == 1, kind
