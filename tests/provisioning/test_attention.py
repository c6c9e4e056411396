"""Tasks that time or an identity check brings about, and that close by themselves."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import CustomerLink
from orders.models import Order
from provisioning import attention, sweepers, tasks
from provisioning.models import Attempt, Task
from tests.people import make_customer
from tests.provisioning.conftest import arrive_and_run
from tests.provisioning.doubles import CLIENT, ORDER, SalesforceDouble, WhmcsDouble, item, no_answer, order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sim_of_somebody_unverified(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> Attempt:
    customer = make_customer(sf_account_id="001000000000001AAA", whmcs_client_id=CLIENT)
    Order.objects.create(
        user=customer,
        cart_hash="h",
        portal_ref=str(uuid.uuid4()),
        local_state=Order.Local.PLACED,
        sf_order_id=ORDER,
        terms_accepted_at=timezone.now(),
    )
    salesforce.orders[ORDER] = order(items=(item(category="SIM"),), identity_status="Pending")
    attempt = arrive_and_run()
    assert attempt.error_code == "identity_pending"
    return attempt


def identity(status: str) -> None:
    """What the refresh of Accounts writes."""
    CustomerLink.objects.update(identity_status=status)


def open_tasks() -> list[str]:
    return list(Task.objects.filter(state="open").values_list("kind", flat=True))


def test_an_order_is_ready_to_retry_once_its_customer_is_verified(sim_of_somebody_unverified: Attempt) -> None:
    identity("Pending")
    assert attention.ask_people() == 0
    identity("Verified")
    assert [attention.ask_people() for _each in range(2)] == [1, 0]
    task = Task.objects.get()
    assert (task.kind, task.order_id, task.attempt) == ("ready_to_retry", ORDER, sim_of_somebody_unverified)


def test_it_is_off_the_list_as_soon_as_somebody_asked_again(
    sim_of_somebody_unverified: Attempt, salesforce: SalesforceDouble
) -> None:
    identity("Verified")
    attention.ask_people()
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], identity_status="Verified")
    salesforce.request_provisioning(ORDER)
    arrive_and_run(2)
    attention.ask_people()
    assert open_tasks() == []


def test_a_cancelled_order_is_not_on_the_list(sim_of_somebody_unverified: Attempt) -> None:
    identity("Verified")
    Order.objects.update(sf_status="Cancelled")
    assert attention.ask_people() == 0


def test_a_failure_of_another_kind_is_not_on_the_list(
    sim_of_somebody_unverified: Attempt, salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.request_provisioning(ORDER)
    salesforce.orders[ORDER] = order(items=(item(category="SIM"),), identity_status="Verified", last_idem_key="")
    whmcs.methods = []
    arrive_and_run(2)
    identity("Verified")
    assert attention.ask_people() == 0


def test_an_outcome_that_stays_unknown_is_told_once_and_closes_when_it_is_known(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None], settings: Any
) -> None:
    whmcs.trouble("add_order", no_answer())
    attempt = arrive_and_run()
    assert attention.ask_people() == 0
    Attempt.objects.update(started_at=timezone.now() - timedelta(seconds=4 * settings.QUARANTINE_S + 1))
    assert [attention.ask_people() for _each in range(2)] == [1, 0]
    assert (open_tasks(), Task.objects.get().attempt_id) == (["still_unknown"], attempt.pk)
    assert "outcome_unknown" in tasks.tell(Task.objects.get()).what_happened
    pass_quarantine()
    sweepers.resolve_unknown()
    attention.ask_people()
    assert (open_tasks(), Task.objects.get().closed_by) == ([], "portal")
