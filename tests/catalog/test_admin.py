"""What customer support reads about the catalogue."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from catalog.models import CatalogSync, Product, WhmcsProduct
from catalog.sync import sync
from integrations.errors import Unavailable
from portal.metrics.collector import collector
from tests.catalog.goods import PID, Shop, products
from tests.people import Staff, signed_in

PRODUCTS, RUNS = "/admin/catalog/product/", "/admin/catalog/catalogsync/"


@pytest.fixture
def carol(cs_carol: Staff) -> Client:
    return signed_in(cs_carol.user)


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_broken_product_stands_there_with_every_reason(shop: Shop, carol: Client) -> None:
    shop.edit("VPN-US", WHMCS_Product_Id__c="none", Portal_ConfigOptions_JSON__c="[{")
    sync()
    listed = page(carol, f"{PRODUCTS}?customers=hidden")
    assert "VPN-US" in listed
    assert "none is not a WHMCS product id; Portal_ConfigOptions_JSON__c: is not JSON" in listed
    assert "VPN-UK" not in listed


def test_a_stale_catalogue_is_said_above_the_lists(shop: Shop, carol: Client) -> None:
    assert "more than an hour ago" not in page(carol, PRODUCTS)
    CatalogSync.objects.update(finished_at=timezone.now() - timedelta(hours=1, seconds=1))
    shop.error = Unavailable("salesforce", "catalogue", "timeout")
    with pytest.raises(Unavailable):
        sync()
    for path in (PRODUCTS, RUNS):
        told = page(carol, path)
        assert "more than an hour ago. The shop stays open" in told
        assert "The last attempt said: salesforce catalogue: timeout" in told


def test_a_read_of_whmcs_does_not_make_the_catalogue_fresh(shop: Shop, carol: Client) -> None:
    CatalogSync.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    CatalogSync.objects.create(kind="billing", ok=True, started_at=timezone.now(), finished_at=timezone.now())
    assert "more than an hour ago" in page(carol, PRODUCTS)


def test_the_shop_stays_open_on_a_stale_catalogue(shop: Shop, visitor: Client) -> None:
    CatalogSync.objects.update(finished_at=timezone.now() - timedelta(days=2))
    assert "VPN United States" in page(visitor, "/plans/vpn/")


def test_prices_that_differ_in_whmcs_are_found_by_one_filter(shop: Shop, carol: Client) -> None:
    for pid, price in ((PID["VPN-US"], 551), (PID["VPN-UK"], 550)):
        WhmcsProduct.objects.create(pid=pid, name="VPN", monthly=Decimal(price), seen_at=timezone.now())
    listed = page(carol, f"{PRODUCTS}?whmcs=differs")
    assert "551: differs" in listed
    assert "VPN-UK" not in listed
    assert "the same" in page(carol, PRODUCTS)


def test_the_product_s_page_tells_when_which_price_was_valid(shop: Shop, carol: Client) -> None:
    shop.edit("VPN-US", price=Decimal("660"))
    sync()
    told = page(carol, f"{PRODUCTS}{products()['VPN-US'].pk}/change/")
    assert told.index("<td>¥660</td>") < told.index("<td>¥550</td>")


WHO_ASKS = re.compile(r'"(django_session|usersessions_usersession|mfa_authenticator)"')  # of any page of staff


def cost(client: Client, path: str) -> int:
    """Queries of a page beside those that find out who is asking."""
    with CaptureQueriesContext(connection) as asked:
        page(client, path)
    return sum(1 for query in asked if not WHO_ASKS.search(query["sql"]))


@pytest.mark.parametrize("path", [PRODUCTS, f"{PRODUCTS}?whmcs=differs", f"{PRODUCTS}?customers=sold", RUNS])
def test_the_lists_cost_the_same_queries_however_many_rows(shop: Shop, carol: Client, path: str) -> None:
    Product.objects.exclude(sku="VPN-US").update(withdrawn_at=timezone.now())
    WhmcsProduct.objects.create(pid=PID["VPN-US"], name="VPN", monthly=1, seen_at=timezone.now())
    page(carol, path)
    few = cost(carol, path)
    Product.objects.update(withdrawn_at=None)
    for sku in {*PID} - {"VPN-US"}:
        WhmcsProduct.objects.create(pid=PID[sku], name=sku, monthly=1, seen_at=timezone.now())
    for _ in range(5):
        CatalogSync.objects.create(kind="full", ok=True, started_at=timezone.now(), finished_at=timezone.now())
    assert cost(carol, path) == few <= 8


def test_a_failed_run_costs_one_query_more(shop: Shop, carol: Client) -> None:
    CatalogSync.objects.create(kind="full", ok=False, started_at=timezone.now(), error="unavailable")
    page(carol, PRODUCTS)
    assert cost(carol, PRODUCTS) <= 8


@pytest.mark.parametrize("path", [PRODUCTS, RUNS, "/admin/catalog/whmcsproduct/"])
def test_nobody_changes_the_mirror_by_hand(shop: Shop, carol: Client, path: str) -> None:
    assert carol.get(f"{path}add/").status_code == 403
    product = Product.objects.first()
    assert product
    assert carol.post(f"{PRODUCTS}{product.pk}/change/", {"price": 1}).status_code == 403


def samples(client: Client) -> dict[str, Any]:
    collector.forget()
    families = text_string_to_metric_families(client.get("/metrics").content.decode())
    return {f"{each.name}{sorted(each.labels.items())}": each.value for family in families for each in family.samples}


def test_metrics_tell_age_hidden_products_and_prices(shop: Shop, client: Client) -> None:
    shop.edit("VPN-US", WHMCS_Product_Id__c="none")
    sync()
    WhmcsProduct.objects.create(pid=PID["VPN-UK"], name="VPN", monthly=1, seen_at=timezone.now())
    told = samples(client)
    run = CatalogSync.objects.first()
    assert run
    assert run.finished_at
    assert told["portal_catalog_synced_timestamp_seconds[]"] == pytest.approx(run.finished_at.timestamp())
    assert told["portal_catalog_products[('state', 'broken')]"] == 1
    assert told["portal_catalog_products[('state', 'offered')]"] == len(shop.records) - 1
    assert told["portal_catalog_price_differences[]"] == 1
