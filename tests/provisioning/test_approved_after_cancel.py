"""Support works on an order that its customer has cancelled: what is done, and what the customer is told.

Salesforce is the truth: an order that a person approves there is provisioned (decisions.md 20), whatever it was before.
"""

import pytest

from notifications.models import Email
from orders.mirroring import mirror_change
from orders.models import Order
from orders.status import Status, status_of
from tests.orders.doubles import change
from tests.provisioning.conftest import arrive_and_run, shown_error
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, order
from tests.provisioning.test_mails import customer, portal_order, templates

__all__ = ["customer", "portal_order"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cancelled(portal_order: Order) -> Order:
    """In review, then cancelled; its customer has it in writing."""
    for minute, status in enumerate(("Pending Review", "Cancelled")):
        mirror_change(change(ORDER, status=status, minute=minute), actor="customer")
    assert templates() == ["order_cancelled"]
    return portal_order


def seen(order: Order) -> Status:
    return status_of(Order.objects.get(pk=order.pk))


def test_a_request_for_a_cancelled_order_is_refused_and_its_customer_hears_nothing_more(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, cancelled: Order
) -> None:
    salesforce.orders[ORDER] = order(status="Cancelled")
    arrive_and_run()
    assert (shown_error(salesforce), whmcs.calls) == ("order_not_approved", [])
    assert (seen(cancelled), templates()) == (Status.CANCELLED, ["order_cancelled"])


def test_an_approval_over_the_cancellation_counts_and_its_customer_is_told(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, cancelled: Order
) -> None:
    """The order's log marks the move as one that the org's rules do not know, so that staff see it."""
    mirror_change(change(ORDER, status="Approved", activation="Activating", minute=2), actor="salesforce")
    assert seen(cancelled) is Status.ACTIVATING
    moves = cancelled.events.filter(what="salesforce").order_by("pk")
    assert [event.detail.get("unexpected", False) for event in moves] == [False, False, True]

    assert arrive_and_run().state == "PROVISIONED"
    assert (seen(cancelled), whmcs.count("add_order")) == (Status.PROVISIONED, 1)
    assert templates() == ["order_cancelled", "order_revived", "order_provisioned"]


def test_an_approval_that_the_portal_has_not_read_yet_counts_just_so(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, cancelled: Order
) -> None:
    assert arrive_and_run().state == "PROVISIONED"
    assert seen(cancelled) is Status.PROVISIONED
    assert Email.objects.latest("id").template == "order_provisioned"
