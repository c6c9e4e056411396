"""The mirror: what a sync changes, what it hides and why, what it refuses."""

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from catalog import jobs
from catalog.models import CatalogSync, Product
from catalog.queries import families, shelf, sound
from catalog.sync import WouldEmpty, sync
from integrations.errors import Unavailable
from tests.catalog.goods import Shop, changed, products


def test_the_whole_shop_is_for_sale(shop: Shop) -> None:
    assert sound().count() == len(shop.records)
    plan = products()["INT-APT-1G"]
    assert (plan.name_ja, plan.price, plan.whmcs_product_id) == ("ホーム マンション 1ギガ", 4730, 101)
    assert plan.eligibility_values == ["Apartment 1G", "Apartment 10G"]
    assert CatalogSync.objects.get().report["broken"] == {}


def test_a_second_run_changes_nothing(shop: Shop) -> None:
    before = list(Product.objects.order_by("pk").values())
    report = sync()
    assert not report.changes_something
    assert report.unchanged == len(shop.records)
    after = list(Product.objects.order_by("pk").values())
    assert [row | {"synced_at": 0} for row in after] == [row | {"synced_at": 0} for row in before]


def test_changes_withdrawals_and_additions_are_told(shop: Shop) -> None:
    new = changed(shop.records[0], StockKeepingUnit="INT-NEW")
    shop.edit("VPN-US", price=Decimal("660"))
    shop.drop("VPN-UK")
    shop.records.append(type(new)("01tTEST99999999AAA", new.fields, "01uTEST99999999AAA", new.unit_price))
    report = sync()
    assert (report.added, report.changed, report.withdrawn) == (["INT-NEW"], {"VPN-US": ["price"]}, ["VPN-UK"])
    assert products()["VPN-US"].price == 660
    assert [plan.sku for plan in shelf("VPN").plans] == ["VPN-US"]
    shop.records = type(shop)().records
    assert "VPN-UK" in sync().changed, "a product that comes back is for sale again"
    assert [plan.sku for plan in shelf("VPN").plans] == ["VPN-US", "VPN-UK"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"price": Decimal("550.5")}, "whole number of yen"),
        ({"price": Decimal("-1")}, "whole number of yen"),
        ({"WHMCS_Product_Id__c": "abc"}, "WHMCS product id"),
        ({"WHMCS_Product_Id__c": None}, "WHMCS product id"),
        ({"WHMCS_Product_Id__c": "0"}, "WHMCS product id"),
        ({"WHMCS_Product_Id__c": "99999999999"}, "WHMCS product id"),
        ({"Portal_ConfigOptions_JSON__c": "[{"}, "is not JSON"),
        ({"Portal_ConfigOptions_JSON__c": '[{"key": "a"}]'}, "Portal_ConfigOptions_JSON__c"),
        ({"Portal_Attributes_JSON__c": "[]"}, "JSON object"),
        ({"Portal_Activation_SKU__c": "ACT-GONE"}, "ACT-GONE is not a sound activation item"),
        ({"Portal_Activation_SKU__c": "ACT-SIM"}, "ACT-SIM is the activation item of SIM"),
        ({"Product2Categories1__c": "Hosting"}, "Hosting is not one of"),
        ({"Billing_Cycle__c": "Weekly"}, "Weekly is not one of"),
        ({"Item_Class__c": None}, "empty is not one of"),
        ({"Portal_Identity__c": "Fax"}, "Fax is not one of"),
        ({"Name": " "}, "Name: is empty"),
    ],
)
def test_a_broken_product_is_hidden_with_its_reason(shop: Shop, fields: dict[str, Any], reason: str) -> None:
    shop.edit("VPN-US", **fields)
    report = sync()
    assert reason in "; ".join(report.broken["VPN-US"])
    assert reason in "; ".join(products()["VPN-US"].broken)
    assert [plan.sku for plan in shelf("VPN").plans] == ["VPN-UK"]


def test_without_a_yen_price_a_product_is_hidden(shop: Shop) -> None:
    shop.records = [
        type(each)(each.id, each.fields, "", None) if each.fields["StockKeepingUnit"] == "VPN-US" else each
        for each in shop.records
    ]
    assert sync().broken["VPN-US"] == ["price: no active JPY entry in the pricebook"]


def test_two_products_with_one_sku_are_both_hidden_and_mend_again(shop: Shop) -> None:
    shop.edit("VPN-UK", StockKeepingUnit="VPN-US")
    report = sync()
    assert "belongs to 2 products" in report.broken["VPN-US"][0]
    assert shelf("VPN").plans == ()
    shop.records = type(shop)().records
    sync()
    assert len(shelf("VPN").plans) == 2


def test_skus_may_be_swapped_in_one_run(shop: Shop) -> None:
    uk, us = (
        next(each for each in shop.records if each.fields["StockKeepingUnit"] == sku) for sku in ("VPN-UK", "VPN-US")
    )
    shop.edit("VPN-UK", StockKeepingUnit="SWAP")
    shop.edit("VPN-US", StockKeepingUnit="VPN-UK")
    shop.edit("SWAP", StockKeepingUnit="VPN-US")
    assert sync().broken == {}
    by_id = {product.sf_product_id: product.sku for product in Product.objects.all()}
    assert (by_id[uk.id], by_id[us.id]) == ("VPN-US", "VPN-UK")


def test_a_broken_activation_item_hides_the_plans_that_need_it(shop: Shop) -> None:
    shop.edit("ACT-VPN", price=Decimal("0.5"))
    assert set(sync().broken) == {"ACT-VPN", "VPN-US", "VPN-UK"}


def test_an_activation_item_is_charged_once_so_a_monthly_one_hides_its_plans(shop: Shop) -> None:
    shop.edit("ACT-VPN", Billing_Cycle__c="Monthly")
    assert set(sync().broken) == {"ACT-VPN", "VPN-US", "VPN-UK"}
    assert products()["ACT-VPN"].broken == ["Billing_Cycle__c: an activation item is One-time"]


def test_a_sku_that_no_address_can_have_is_told_to_staff_and_the_family_page_stays_up(shop: Shop) -> None:
    shop.edit("VPN-US", StockKeepingUnit="VPN/US")
    (reasons,) = sync().broken.values()
    assert reasons == ['StockKeepingUnit: holds a "/", which no page\'s address can have']
    page = Client().get("/plans/vpn/")
    assert (page.status_code, b"VPN-UK" in page.content) == (200, True)


def test_add_ons_and_fees_alone_are_an_empty_shop(shop: Shop) -> None:
    plans = {product.sku for product in products().values() if product.item_class == Product.ItemClass.SERVICE}
    for sku in plans:
        shop.edit(sku, WHMCS_Product_Id__c="")
    with pytest.raises(WouldEmpty):
        sync()
    assert [plan.sku for plan in shelf("VPN").plans] == ["VPN-US", "VPN-UK"]


def test_an_empty_answer_never_empties_the_shop(shop: Shop) -> None:
    shop.records = []
    with pytest.raises(WouldEmpty):
        sync()
    assert sound().count() == len(products())
    run = CatalogSync.objects.first()
    assert run is not None
    assert (run.ok, "0 products" in run.error) == (False, True)


def test_a_wholly_broken_answer_never_empties_the_shop(shop: Shop) -> None:
    shop.records = [changed(each, WHMCS_Product_Id__c="") for each in shop.records]
    with pytest.raises(WouldEmpty):
        sync()
    assert sound().exists()


def test_emptying_is_possible_when_meant(shop: Shop) -> None:
    shop.records = []
    out = StringIO()
    call_command("sync_catalog", "--allow-empty", stdout=out)
    assert not sound().exists()
    assert "withdrawn  VPN-US" in out.getvalue()
    assert all(family.price is None for family in families())


def test_the_command_says_what_it_did_and_why_it_did_not(shop: Shop) -> None:
    shop.edit("VPN-US", price=Decimal("0.1"))
    out = StringIO()
    call_command("sync_catalog", stdout=out)
    assert "hidden     VPN-US: price: 0.1 is not a whole number of yen" in out.getvalue()
    shop.records = []
    with pytest.raises(CommandError, match="--allow-empty"):
        call_command("sync_catalog", "--full")
    shop.error = Unavailable("salesforce", "catalogue", "timeout")
    with pytest.raises(CommandError, match="could not be read"):
        call_command("sync_catalog")


def test_an_outage_leaves_the_shop_as_it_is(shop: Shop) -> None:
    shop.error = Unavailable("salesforce", "catalogue", "timeout")
    with pytest.raises(Unavailable):
        sync()
    assert sound().count() == len(shop.records)
    assert CatalogSync.objects.filter(ok=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_job_does_not_run_twice_in_a_row(shop: Shop) -> None:
    jobs.sync()
    jobs.sync()
    assert CatalogSync.objects.count() == 2, "the fixture's run and one of the two jobs"
