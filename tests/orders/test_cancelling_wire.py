"""Cancelling on the wire: Salesforce says what became of the order, whatever happens around the call."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from integrations import failpoints
from integrations.failpoints import Died, arm
from notifications.models import Email
from orders import cancelling
from orders.models import Cancellation, Order
from orders.refresh import refresh
from orders.status import Status, status_of
from support.models import Case
from tests.faults import Faults
from tests.orders.steps import order_now
from tests.orders.test_wire import calls, customer, press
from tests.org import rows, save
from tests.sandbox_process import Sandbox

__all__ = ["customer"]
pytestmark = pytest.mark.django_db(transaction=True)
WAY = ["cancel.claim", "salesforce.order_in_review", "salesforce.cancel_order", "cancel.record"]
POINTS = [f"{name}:{moment}" for name in WAY for moment in ("before", "after")]
FIELDS = "Status, Activation_Status__c, Opportunity.StageName"


@pytest.fixture
def order(customer: User) -> Order:
    return order_now(customer, "VPN-US")[0]


def asked(customer: User, order: Order) -> int:
    return int(cancelling.ask(customer, order.number).pk)


def there(sandbox: Sandbox, order: Order) -> tuple[str, str, str]:
    (row,) = rows(sandbox, f"SELECT {FIELDS} FROM Order WHERE Id = '{order.sf_order_id}'")
    return row["Status"], row["Activation_Status__c"], row["Opportunity"]["StageName"]


def elsewhere(wish: int) -> str:
    """In a thread of its own."""
    try:
        return cancelling.carry_out(wish)
    finally:
        connection.close()


def mails() -> int:
    return Email.objects.filter(template="order_cancelled").count()


def test_one_look_and_one_composite_cancel_it(customer: User, order: Order, sandbox: Sandbox) -> None:
    wish, before = asked(customer, order), sandbox.last_ledger_id()
    assert cancelling.carry_out(wish) == "done"
    assert calls(sandbox, before) == [("salesforce", "query"), ("salesforce", "composite")]
    assert there(sandbox, order) == ("Cancelled", "Pending Review", "Void")
    seen = Order.objects.get()
    assert (status_of(seen), mails()) == (Status.CANCELLED, 1)
    assert seen.cancelled_at == seen.sf_modstamp
    refresh()
    assert mails() == 1


def test_an_approval_before_the_composite_wins(customer: User, order: Order, sandbox: Sandbox) -> None:
    wish = asked(customer, order)
    with arm("salesforce.cancel_order:before=call", lambda: press(sandbox, order, "approve")):
        assert cancelling.carry_out(wish) == "too_late"
    assert there(sandbox, order) == ("Approved", "Activating", "Post Processing")
    assert (status_of(Order.objects.get()), mails()) == (Status.ACTIVATING, 0)


def test_the_rule_of_the_org_closes_the_gap_between_guard_and_write(
    customer: User, order: Order, sandbox: Sandbox, faults: Faults
) -> None:
    """The approval was saved after the guard's query: the org refuses the write, and the approval counts."""
    wish = asked(customer, order)
    faults.part_fails("order", "FIELD_CUSTOM_VALIDATION_EXCEPTION", key=order.sf_order_id or "")
    with (
        faults.hold("salesforce", "composite", at="after", contains=order.sf_order_id or "") as held,
        ThreadPoolExecutor(1) as pool,
    ):
        state = pool.submit(elsewhere, wish)
        held.arrived()
        press(sandbox, order, "approve")
        held.release()
        assert state.result(timeout=30) == "too_late"
    assert there(sandbox, order) == ("Approved", "Activating", "Post Processing")
    assert (status_of(Order.objects.get()), mails(), Case.objects.count()) == (Status.ACTIVATING, 0, 0)


def test_an_opportunity_that_another_order_has_stays(customer: User, order: Order, sandbox: Sandbox) -> None:
    """Support put a second Order on it: the portal's own is cancelled, and the Opportunity goes on for the other."""
    sister = save(
        sandbox,
        "Order",
        {
            "AccountId": customer.link.sf_account_id,
            "OpportunityId": order.sf_opportunity_id,
            "EffectiveDate": "2026-11-20",
            "Status": "Draft",
        },
    )
    assert cancelling.carry_out(asked(customer, order)) == "done"
    assert there(sandbox, order) == ("Cancelled", "Pending Review", "Post Processing")
    assert not Case.objects.exists(), "nothing was refused"
    (other,) = order_now(customer, "VPN-UK")
    save(sandbox, "Order", {"OpportunityId": other.sf_opportunity_id}, sister)
    save(sandbox, "Order", {"Status": "Cancelled"}, sister)
    assert cancelling.carry_out(asked(customer, other)) == "done"
    assert there(sandbox, other)[2] == "Void", "a cancelled one keeps nothing open"


def test_what_was_cancelled_first_is_never_worked_on(customer: User, order: Order, sandbox: Sandbox) -> None:
    before = sandbox.last_ledger_id()
    assert cancelling.carry_out(asked(customer, order)) == "done"
    press(sandbox, order, "cancel")  # support's page was open all the while
    refresh()
    assert there(sandbox, order)[0] == "Cancelled"
    assert (status_of(Order.objects.get()), mails()) == (Status.CANCELLED, 1)
    assert not [row for row in sandbox.ledger(after=before) if row["system"] == "whmcs"]


def test_a_lost_answer_is_looked_for_and_cancels_once(customer: User, order: Order, sandbox: Sandbox) -> None:
    wish = asked(customer, order)
    with arm("salesforce.cancel_order:after=raise"), pytest.raises(Died):
        cancelling.carry_out(wish)
    assert there(sandbox, order)[0] == "Cancelled"
    assert status_of(Order.objects.get()) is Status.PENDING_REVIEW, "no success that is not written down"
    Cancellation.objects.update(lease_until=timezone.now())
    before = sandbox.last_ledger_id()
    assert cancelling.carry_out_due()["cancelled"] == 1
    assert calls(sandbox, before) == [("salesforce", "query")]


def test_these_are_the_points_of_cancelling(customer: User, order: Order) -> None:
    wish = asked(customer, order)
    with failpoints.traced() as passed:
        cancelling.carry_out(wish)
    assert [point for point in passed if not point.startswith("salesforce.token")] == POINTS


@pytest.mark.parametrize("point", POINTS)
def test_wherever_it_dies_the_order_is_cancelled_once(
    customer: User, order: Order, sandbox: Sandbox, point: str
) -> None:
    wish = asked(customer, order)
    with arm(f"{point}=raise"), pytest.raises(Died):
        cancelling.carry_out(wish)
    Cancellation.objects.update(lease_until=timezone.now())
    cancelling.carry_out_due()
    refresh()
    seen = Order.objects.get()
    assert there(sandbox, order) == ("Cancelled", "Pending Review", "Void")
    assert (status_of(seen), Cancellation.objects.get().state, mails()) == (Status.CANCELLED, "done", 1)
    assert [event.what for event in seen.events.all()].count("cancel_done") == 1
