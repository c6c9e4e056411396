"""What may stand together in one order: the table of limits, and the one country of a VPN."""

from typing import Any

import pytest

from catalog.models import Product
from catalog.pricing import LineRefused, price_line
from orders.rules import joins
from tests.catalog.goods import products
from tests.orders.doubles import Salesforce

NET, SIM, VPN, GONE = "Internet", "SIM", "VPN", ""


@pytest.mark.parametrize(
    ("category", "others", "refused"),
    [
        (NET, [], ""),
        (SIM, [], ""),
        (VPN, [], ""),
        (NET, [SIM, VPN, SIM], ""),
        (NET, [NET], "second_internet"),
        (NET, [VPN, NET, SIM], "second_internet"),
        (VPN, [NET], ""),
        (SIM, [SIM] * 4, ""),
        (SIM, [SIM] * 5, "too_many_sims"),
        (SIM, [SIM] * 4 + [VPN, NET], ""),
        (SIM, [SIM] * 9, "too_many_sims"),
        (VPN, [SIM] * 5, ""),
        (VPN, [VPN] * 9, ""),
        (VPN, [VPN] * 10, "cart_full"),
        (NET, [VPN] * 10, "cart_full"),
        (SIM, [NET] + [SIM] * 4 + [VPN] * 5, "cart_full"),
        (VPN, [GONE] * 10, "cart_full"),
        (NET, [GONE], ""),
    ],
)
def test_what_may_join_what(category: str, others: list[str], refused: str) -> None:
    assert refusal(category, others) == refused


def test_how_many_sims_is_a_setting(settings: Any) -> None:
    settings.SIM_LIMIT = 2
    assert [refusal(SIM, [SIM] * others) for others in (1, 2)] == ["", "too_many_sims"]
    with pytest.raises(LineRefused) as refused:
        joins(SIM, [SIM, SIM])
    assert "can have 2 SIMs" in str(refused.value.sentence)


def refusal(category: str, others: list[str]) -> str:
    try:
        joins(category, others)
    except LineRefused as refused:
        return refused.code
    return ""


def region_option(*, required: bool) -> dict[str, Any]:
    countries = [("us", "United States", "アメリカ"), ("uk", "United Kingdom", "イギリス")]
    choices = [
        {"value": value, "whmcs_choice_id": number, "label": {"en": en, "ja": ja}, "price": 0}
        for number, (value, en, ja) in enumerate(countries, 1)
    ]
    label = {"en": "Country", "ja": "国"}
    shape = {"key": "region", "whmcs_option_id": 9, "type": "choice", "label": label}
    return {**shape, "required": required, "choices": choices}


@pytest.mark.parametrize(
    ("attribute", "has_option", "chosen", "add_on", "refused"),
    [
        ("US", False, "", "", ""),
        ("US", False, "", "us", ""),
        ("US", False, "", "UK", "add_on_misfit"),
        ("", False, "", "", "region"),
        ("", True, "", "", "region"),  # though the JSON does not require it
        ("", True, "uk", "", ""),
        ("", True, "uk", "UK", ""),
        ("", True, "uk", "US", "add_on_misfit"),
        ("", True, "mars", "", "option"),
        ("US", True, "us", "", ""),
        ("US", True, "", "", ""),
        ("US", True, "uk", "", "region"),
    ],
)
def test_a_vpn_leads_to_one_country(
    salesforce: Salesforce, attribute: str, has_option: bool, chosen: str, add_on: str, refused: str
) -> None:
    found = products()
    found["VPN-US"].attributes = {"region": attribute} if attribute else {}
    found["VPN-US"].options = [region_option(required=False)] if has_option else []
    extra = found["ADD-MESH"]
    extra.category, extra.attributes = Product.Category.VPN, {"region": add_on}
    wanted = {"options": {"region": chosen} if chosen else {}, "add_ons": [extra.sku] if add_on else []}
    assert code_of(found, **wanted) == refused


def code_of(found: dict[str, Product], **wanted: Any) -> str:
    try:
        price_line(products=found, sku="VPN-US", **wanted)
    except LineRefused as refused:
        return refused.code
    return ""


def test_a_plan_of_another_family_needs_no_country(salesforce: Salesforce) -> None:
    found = products()
    assert price_line(products=found, sku="SIM-D-3", options={"sim_type": "esim"}).product.sku == "SIM-D-3"
