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
