"""Versions of products: one for each change and none without, and the prices they tell."""

from decimal import Decimal

from catalog.models import Product
from catalog.prices import validities
from catalog.sync import sync
from tests.catalog.goods import Shop, products


def prices(sku: str) -> list[int | None]:
    return [each.price for each in validities(products()[sku])]


def test_every_product_begins_with_one_version_and_runs_without_changes_add_none(shop: Shop) -> None:
    sync()
    sync(full=False)
    assert Product.history.count() == len(shop.records)


def test_a_change_of_price_ends_one_validity_and_begins_another(shop: Shop) -> None:
    shop.edit("VPN-US", price=Decimal("660"))
    sync(full=False)
    shop.edit("VPN-US", price=Decimal("605"))
    sync()
    newest, middle, first = validities(products()["VPN-US"])
    assert [newest.price, middle.price, first.price] == [605, 660, 550]
    assert (newest.until, middle.until, first.until) == (None, newest.since, middle.since)
    assert (newest.by, middle.by, first.by) == ("full", "changes", "full")
    assert Product.history.count() == len(shop.records) + 2, "nothing else got a version"


def test_other_changes_do_not_end_a_price(shop: Shop) -> None:
    shop.edit("VPN-US", Name="VPN America")
    sync()
    assert prices("VPN-US") == [550]
    assert products()["VPN-US"].history.count() == 2


def test_a_price_is_valid_while_product_and_entry_are_active(shop: Shop) -> None:
    all_of_it = shop.records
    shop.drop("VPN-US")
    sync(full=False)
    shop.records = all_of_it
    sync()
    shop.records = [
        type(each)(each.id, each.fields, "", None) if each.fields["StockKeepingUnit"] == "VPN-US" else each
        for each in shop.records
    ]
    sync()
    assert prices("VPN-US") == [None, 550, None, 550]
