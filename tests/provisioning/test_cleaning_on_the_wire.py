"""The clean-up against the sandbox: WHMCS' own state and its ledger say what was cancelled and what was not."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from integrations import gateway
from journal.models import RemoteCall
from provisioning import cleaning, mapping
from provisioning.models import Inspection, Task
from sandbox.demo import verdict
from tests.provisioning.shop import Shop
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sandbox")]
WRITES = {"CancelOrder", "UpdateInvoice", "UpdateClientProduct"}


@pytest.fixture
def shop(sandbox: Sandbox) -> Shop:
    cache.clear()
    return Shop(sandbox)


def configure(shop: Shop, **settings: Any) -> None:
    shop.sandbox.control("/control/whmcs/settings", settings)


def clean_up() -> dict[str, int]:
    Inspection.objects.update(due_at=timezone.now() - timedelta(hours=1))
    return {action: count for action, count in cleaning.clean_up().items() if count}


def cancel(shop: Shop) -> None:
    verdict.salesforce(shop.sandbox.urls).Order.update(shop.order_id, {"Status": "Cancelled"})


def written(shop: Shop, after: int) -> list[str]:
    return [row["operation"] for row in shop.sandbox.ledger(system="whmcs", after=after) if row["operation"] in WRITES]


@pytest.mark.parametrize("cascades", [True, False])
def test_what_an_order_left_pending_goes_when_the_order_is_cancelled(shop: Shop, cascades: bool) -> None:
    configure(shop, cancel_order_cascades=cascades)
    try:
        shop.add_card()
        shop.desk("approve")
        configure(shop, module_failure={"pid": 101, "times": "once", "text": "The line is not ready"})
        assert shop.deliver().state == "FAILED"
        cancel(shop)
        assert clean_up() == {"cancellations_seen": 1, "looked": 1, "orders_cancelled": 1}
    finally:
        configure(shop, cancel_order_cascades=True)
    held = shop.whmcs()
    for kind in ("orders", "services", "invoices"):
        assert {each["status"] for each in held[kind]} == {"Cancelled"}, kind


def test_a_service_that_works_is_a_persons_and_whmcs_is_left_alone(shop: Shop) -> None:
    shop.add_card()
    shop.desk("approve")
    assert shop.deliver().state == "PROVISIONED"
    cancel(shop)
    before = shop.sandbox.last_ledger_id()
    assert clean_up() == {"cancellations_seen": 1, "left_to_a_person": 1}
    assert written(shop, before) == []
    assert (Task.objects.get().kind, Task.objects.get().order_id) == ("live_service", shop.order_id)


def test_an_order_that_landed_late_goes_and_one_invoice_is_left(shop: Shop) -> None:
    shop.add_card()
    shop.desk("approve")
    assert shop.deliver().state == "PROVISIONED"
    order = gateway.salesforce().order_for_provisioning(shop.order_id)
    assert order is not None
    gateway.whmcs().add_order(mapping.request_of(order.id, shop.client_id, mapping.lines_of(order)))
    RemoteCall.objects.filter(operation="whmcs.AddOrder").update(error_code="timeout")  # it got no answer of its own
    assert clean_up() == {"late_calls_noted": 1}
    assert clean_up() == {"looked": 1, "orders_cancelled": 1}
    held = shop.whmcs()
    assert sorted(each["status"] for each in held["orders"]) == ["Active", "Cancelled"]
    assert sorted(each["status"] for each in held["invoices"]) == ["Cancelled", "Unpaid"]
