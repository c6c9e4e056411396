"""The catalogue over the wire: what a change in Salesforce costs to notice, and that it is noticed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from django.conf import settings

from catalog import billing
from catalog.models import Product, WhmcsProduct
from catalog.sync import sync
from portal import clients
from tests.org import rows
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Change = Callable[..., None]


@pytest.fixture
def change(sandbox: Sandbox) -> Iterator[Change]:
    """Saves fields of a record in Salesforce; what was there before stands there again after the test."""
    before: list[tuple[str, str, dict[str, Any]]] = []

    def save(sobject: str, record_id: str, fields: dict[str, Any]) -> None:
        token = clients.token_source().token()
        url = f"{token.instance_url}/services/data/v{settings.SF_API_VERSION}/sobjects/{sobject}/{record_id}"
        headers = {"Authorization": f"Bearer {token.access_token}"}
        requests.patch(url, json=fields, headers=headers, verify=sandbox.urls["ca"], timeout=15).raise_for_status()

    def saved(sobject: str, record_id: str, **fields: Any) -> None:
        (row,) = rows(sandbox, f"SELECT {', '.join(fields)} FROM {sobject} WHERE Id = '{record_id}'")
        before.append((sobject, record_id, {name: row[name] for name in fields}))
        save(sobject, record_id, fields)

    yield saved
    for sobject, record_id, fields in reversed(before):
        save(sobject, record_id, fields)


@pytest.fixture
def calls(sandbox: Sandbox) -> Callable[[], list[str]]:
    """The operations Salesforce got since the last time one asked, sign-ins aside."""
    seen = [max((int(row["number"]) for row in sandbox.ledger()), default=0)]

    def asked() -> list[str]:
        found = sandbox.ledger(system="salesforce", after=seen[0])
        seen[0] = max([seen[0], *(int(row["number"]) for row in found)])
        return [row["operation"] for row in found if row["operation"] != "token"]

    return asked


def product(sku: str) -> Product:
    return Product.objects.get(sku=sku)


def test_changes_of_products_and_of_prices_are_noticed_in_two_queries(
    sandbox: Sandbox, change: Change, calls: Callable[[], list[str]]
) -> None:
    sync()
    assert calls() == ["query"]
    sync(full=False)
    assert calls() == ["query", "query"]
    change("PricebookEntry", product("VPN-US").sf_pricebook_entry_id, UnitPrice=660)
    change("Product2", product("VPN-UK").sf_product_id, Description="Another text")
    calls()
    report = sync(full=False)
    assert calls() == ["query", "query"]
    assert report.changed == {"VPN-UK": ["description_en", "search_text"], "VPN-US": ["price"]}
    assert product("VPN-US").price == 660


@pytest.mark.parametrize("fields", [{"IsActive": False}, {"Portal_Catalog__c": False}])
def test_a_product_taken_off_the_catalogue_is_withdrawn(change: Change, fields: dict[str, Any]) -> None:
    sync()
    change("Product2", product("VPN-UK").sf_product_id, **fields)
    assert sync(full=False).withdrawn == ["VPN-UK"]
    assert product("VPN-UK").withdrawn_at


def test_an_entry_that_ended_leaves_the_product_without_a_price(change: Change) -> None:
    sync()
    change("PricebookEntry", product("VPN-UK").sf_pricebook_entry_id, IsActive=False)
    assert sync(full=False).broken == {"VPN-UK": ["price: no active JPY entry in the pricebook"]}


def test_whmcs_sells_the_shop_s_products_with_mark_fields_for_the_same_prices(sandbox: Sandbox) -> None:
    sync()
    assert billing.read() == {"changed": 0}
    assert not billing.priced_differently(Product.objects.all()).exists()
    assert set(Product.objects.values_list("whmcs_product_id", flat=True)) <= set(
        WhmcsProduct.objects.filter(mark_field_id__isnull=False).values_list("pid", flat=True)
    )
