"""What a line costs, and which lines cannot be ordered. Every price is integer yen."""

from typing import Any

import pytest

from catalog.pricing import LineRefused, Totals, price_line
from tests.catalog.goods import Shop, products


@pytest.mark.parametrize(
    ("sku", "options", "add_ons", "totals"),
    [
        ("INT-APT-1G", {"router": "none"}, [], Totals(4730, 0, 3300)),
        ("INT-APT-1G", {"router": "wifi6"}, [], Totals(5280, 0, 3300)),
        ("INT-APT-1G", {"router": "wifi6"}, ["ADD-PHONE", "ADD-SETUP-EN"], Totals(5830, 0, 9900)),
        ("INT-APT-1G", {"router": "none"}, ["ADD-PHONE", "ADD-PHONE"], Totals(5280, 0, 3300)),
        ("SIM-VD-10", {"sim_type": "esim", "voicemail": "yes"}, ["ADD-CALL-5"], Totals(2860, 0, 1100)),
        ("SIM-VISITOR-20", {"sim_type": "esim"}, [], Totals(0, 0, 5060)),
        ("VPN-US", {"extra_devices": "5"}, [], Totals(1100, 0, 0)),
        ("VPN-US", {}, [], Totals(550, 0, 0)),
    ],
)
def test_monthly_and_one_time_apart(
    shop: Shop, sku: str, options: dict[str, Any], add_ons: list[str], totals: Totals
) -> None:
    assert price_line(products=products(), sku=sku, options=options, add_ons=add_ons).totals == totals


def test_the_activation_item_comes_by_rule(shop: Shop) -> None:
    line = price_line(products=products(), sku="VPN-US")
    assert [item.product.sku for item in line.items] == ["VPN-US", "ACT-VPN"]
    assert line.activation is not None
    assert line.activation.amount == 0


@pytest.mark.parametrize(
    ("wanted", "code", "field"),
    [
        ({"sku": "GONE"}, "not_sold", ""),
        ({"sku": ""}, "not_sold", ""),
        ({"sku": "ACT-VPN"}, "not_a_plan", ""),
        ({"sku": "ADD-PHONE"}, "not_a_plan", ""),
        ({"quantity": 0}, "quantity", "quantity"),
        ({"quantity": "-1"}, "quantity", "quantity"),
        ({"quantity": 1000}, "quantity", "quantity"),
        ({"quantity": "1e3"}, "quantity", "quantity"),
        ({"quantity": "9" * 5000}, "quantity", "quantity"),
        ({"quantity": ""}, "quantity", "quantity"),
        ({"quantity": "１"}, "quantity", "quantity"),
        ({"quantity": 2}, "quantity_one", "quantity"),
        ({"quantity": 2, "sku": "SIM-D-3", "options": {"sim_type": "esim"}}, "quantity_one", "quantity"),
        ({"options": {"extra_devices": "99"}}, "option", "option-extra_devices"),
        ({"options": {"unit_price": "1"}}, "option", "option-unit_price"),
        ({"add_ons": ["ADD-PHONE"]}, "add_on_misfit", "add_on"),
        ({"add_ons": ["ACT-VPN"]}, "add_on", "add_on"),
        ({"add_ons": ["VPN-UK"]}, "add_on", "add_on"),
        ({"add_ons": ["GONE"]}, "add_on", "add_on"),
    ],
)
def test_what_cannot_be_ordered_is_said_clearly(shop: Shop, wanted: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(LineRefused) as refused:
        price_line(products=products(), **{"sku": "VPN-US", **wanted})
    assert (refused.value.code, refused.value.field) == (code, field)
    assert str(refused.value.sentence).endswith(".")


def test_a_product_not_to_be_bought_is_refused(shop: Shop) -> None:
    found = products()
    found["VPN-US"].accessible = False
    with pytest.raises(LineRefused) as refused:
        price_line(products=found, sku="VPN-US")
    assert refused.value.code == "not_sold"


def test_a_plan_without_its_activation_item_is_refused(shop: Shop) -> None:
    found = products()
    del found["ACT-VPN"]
    with pytest.raises(LineRefused):
        price_line(products=found, sku="VPN-US")
