"""Provisioning against the sandbox over TLS: WHMCS' ledger and Salesforce are the judges, not our own tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import cache

from integrations import gateway
from provisioning import mapping, whmcs_products
from provisioning.models import Attempt
from sandbox.demo import verdict
from tests.provisioning.shop import Shop
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sandbox")]
BUDGET = {
    "whmcs": ["GetPayMethods", "GetClientsProducts", "AddOrder", "GetOrders", "AcceptOrder", "GetClientsProducts"],
    "salesforce": ["query", "composite"],
}
WHMCS_ACTIONS = {*BUDGET["whmcs"], "GetProducts", "UpdateClientProduct", "ModuleCreate", "CancelOrder"}


@pytest.fixture
def shop(sandbox: Sandbox) -> Shop:
    cache.clear()
    return Shop(sandbox)


def configure(shop: Shop, **settings: Any) -> None:
    shop.sandbox.control("/control/whmcs/settings", settings)


def test_an_approved_order_is_provisioned_and_both_systems_agree(shop: Shop) -> None:
    shop.add_card()
    shop.desk("approve")
    attempt = shop.deliver()
    assert (attempt.state, attempt.error_text) == ("PROVISIONED", "")
    held = shop.whmcs()
    (order,) = held["orders"]
    assert order["status"] == "Active"
    assert {each["status"] for each in held["services"]} <= {"Active", "Completed"}
    change = shop.order()
    assert (change.status, change.activation_status, change.whmcs_order_id) == ("Activated", "Provisioned", order["id"])
    items = gateway.salesforce().order_for_provisioning(shop.order_id)
    assert items is not None
    assert sorted(item.whmcs_service_id for item in items.items) == sorted(str(each["id"]) for each in held["services"])


def test_the_same_event_five_times_makes_one_order_by_the_ledger(shop: Shop) -> None:
    shop.add_card()
    shop.desk("approve")
    shop.deliver(copies=5)
    assert (shop.added(), len(shop.whmcs()["orders"])) == (1, 1)
    assert Attempt.objects.filter(order_id=shop.order_id).count() == 1


def test_one_order_stays_within_its_budget_of_calls(shop: Shop) -> None:
    shop.add_card()
    shop.desk("approve")
    whmcs_products.has_module(101)  # all products are known for an hour, by all processes
    before = shop.sandbox.last_ledger_id()
    shop.deliver()
    mine = [row for row in shop.sandbox.ledger(after=before) if row["correlation_id"] == f"wire-{shop.order_id}"]
    assert [row["operation"] for row in mine if row["operation"] in WHMCS_ACTIONS] == BUDGET["whmcs"]
    assert [row["operation"] for row in mine if row["operation"] in {"query", "composite"}] == BUDGET["salesforce"]


def test_an_order_that_is_not_activating_is_skipped(shop: Shop) -> None:
    shop.add_card()
    shop.desk("approve")
    event = shop.event()
    shop.desk("fail")
    assert event == shop.event()
    attempt = shop.deliver()
    assert (attempt.state, attempt.error_code) == ("SKIPPED", "not_activating")
    assert (shop.added(), shop.order().activation_status) == (0, "Failed")


def test_a_missing_card_fails_and_a_new_request_succeeds_once_there_is_one(shop: Shop) -> None:
    shop.desk("approve")
    shop.deliver()
    change = shop.order()
    assert change.activation_status == "Failed"
    assert change.activation_error.startswith("payment_method_missing: ")
    shop.add_card()
    shop.desk("activate")
    assert shop.deliver().state == "PROVISIONED"
    assert (shop.order().activation_status, shop.order().activation_error) == ("Provisioned", "")
    assert shop.added() == 1


def test_a_refusal_of_add_order_is_told_and_a_new_request_succeeds(shop: Shop) -> None:
    shop.add_card()
    shop.desk("approve")
    configure(shop, add_order_error_once="Unable to add order")
    shop.deliver()
    assert shop.order().activation_error.startswith("whmcs_error: AddOrder")
    shop.desk("activate")
    assert shop.deliver().state == "PROVISIONED"
    assert len(shop.whmcs()["orders"]) == 1


def test_a_module_that_fails_once_leads_to_no_second_add_order(shop: Shop) -> None:
    shop.add_card()
    shop.desk("approve")
    configure(shop, module_failure={"pid": 101, "times": "once", "text": "The line is not ready"})
    shop.deliver()
    assert shop.order().activation_error.startswith("whmcs_error: WHMCS order ")
    shop.desk("activate")
    assert shop.deliver().state == "PROVISIONED"
    (order,) = shop.whmcs()["orders"]
    assert (shop.added(), order["status"], shop.order().whmcs_order_id) == (1, "Active", order["id"])


@contextmanager
def product_without_whmcs_id(shop: Shop, sku: str) -> Iterator[None]:
    """Somebody in Salesforce empties the field; it is as it was afterwards."""
    products = verdict.salesforce(shop.sandbox.urls)
    query = f"SELECT Id, WHMCS_Product_Id__c FROM Product2 WHERE StockKeepingUnit = '{sku}'"
    (row,) = products.query(query)["records"]
    products.Product2.update(row["Id"], {"WHMCS_Product_Id__c": None})
    try:
        yield
    finally:
        products.Product2.update(row["Id"], {"WHMCS_Product_Id__c": row["WHMCS_Product_Id__c"]})


def test_a_product_without_whmcs_id_fails_by_name_and_succeeds_once_it_is_mended(shop: Shop) -> None:
    shop.add_card()
    with product_without_whmcs_id(shop, "INT-APT-1G"):
        shop.desk("approve")
        assert shop.deliver().state == "FAILED"
        change = shop.order()
        assert change.activation_status == "Failed"
        assert change.activation_error.startswith("product_unmapped: item 802")
        assert "(INT-APT-1G) has no WHMCS product id" in change.activation_error
        assert shop.added() == 0
    shop.desk("activate")
    assert shop.deliver().state == "PROVISIONED"
    assert (shop.order().activation_status, shop.order().activation_error) == ("Provisioned", "")
    assert shop.added() == 1


@pytest.mark.parametrize("cascades", [True, False])
def test_of_two_orders_with_the_mark_one_is_left_with_one_invoice(shop: Shop, cascades: bool) -> None:
    """Cancelling an order may or may not cancel what it holds (whmcs-wire §3.3)."""
    configure(shop, cancel_order_cascades=cascades)
    try:
        shop.add_card()
        shop.desk("approve")
        order = gateway.salesforce().order_for_provisioning(shop.order_id)
        assert order is not None
        for _twice in range(2):
            gateway.whmcs().add_order(mapping.request_of(order.id, shop.client_id, mapping.lines_of(order)))
        assert shop.deliver().state == "PROVISIONED"
        held = shop.whmcs()
        assert sorted(each["status"] for each in held["orders"]) == ["Active", "Cancelled"]
        assert sorted(each["status"] for each in held["invoices"]) == ["Cancelled", "Unpaid"]
        assert sorted(each["status"] == "Cancelled" for each in held["services"]) == [False, False, True, True]
    finally:
        configure(shop, cancel_order_cascades=True)


@pytest.mark.parametrize("stores_notes", [True, False])
def test_services_without_a_module_become_active_with_and_without_notes(shop: Shop, stores_notes: bool) -> None:
    configure(shop, stores_notes=stores_notes, moduleless_stays_pending=True)
    try:
        shop.add_card()
        shop.desk("approve")
        assert shop.deliver().state == "PROVISIONED"
        assert {each["status"] for each in shop.whmcs()["services"]} == {"Active"}
    finally:
        configure(shop, stores_notes=True, moduleless_stays_pending=False)
