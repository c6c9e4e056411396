"""Whatever stands in a record: it becomes a reason or a column that can be stored, never an error."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from catalog import mirror
from catalog.models import CatalogSync, Product
from catalog.records import FIELDS, draft
from integrations.salesforce.schemas import ProductRecord
from tests.catalog.goods import records

SOUND = next(each for each in records() if each.fields["StockKeepingUnit"] == "VPN-US")
DEEP = 100_000
REGION: dict[str, Any] = {
    "key": "region",
    "type": "choice",
    "whmcs_option_id": 71,
    "label": {"en": "Country", "ja": "国"},
    "choices": [
        {"value": "us", "whmcs_choice_id": 711, "label": {"en": "United States", "ja": "アメリカ"}, "price": 0}
    ],
}


def faults_of(name: str, value: Any) -> str:
    return "; ".join(
        draft(ProductRecord(SOUND.id, {**SOUND.fields, name: value}, SOUND.pricebook_entry_id, SOUND.unit_price)).faults
    )


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("Portal_ConfigOptions_JSON__c", "[" * DEEP, "is not JSON"),
        ("Portal_ConfigOptions_JSON__c", "[" * 12 + "]" * 12, "nested deeper"),
        ("Portal_ConfigOptions_JSON__c", "[" + " " * 131_072 + "1", "longer than 131072"),
        ("Portal_Attributes_JSON__c", '{"speed_mbps": 1, "speed_mbps": 2}', "names 'speed_mbps' twice"),
        ("Portal_Attributes_JSON__c", '{"a": {"b": 1, "b": 2}}', "names 'b' twice"),
        ("Portal_Attributes_JSON__c", '{"a": NaN}', "NaN is no value of JSON"),
        ("Portal_Attributes_JSON__c", '{"a": 1e999}', "too large"),
        ("Portal_Attributes_JSON__c", '{"a": ' + "9" * 5000 + "}", "is not JSON"),
        ("Portal_Attributes_JSON__c", '{"a": ' + "9" * 40 + "}", "too large"),
        ("Portal_Attributes_JSON__c", '{"a": "\\u0000"}', "cannot be stored"),
        ("Portal_Attributes_JSON__c", '{"\\ud800": 1}', "cannot be stored"),
        ("Name", "\0", "cannot be stored"),
        ("Name", "n" * 256, "longer than 255"),
        ("StockKeepingUnit", "s" * 181, "longer than 180"),
        ("Portal_Display_Order__c", Decimal("Infinity"), "is not a number"),
        ("Portal_Display_Order__c", "first", "is not a number"),
        ("Portal_Display_Order__c", 1e30, "too large"),
        ("WHMCS_Product_Id__c", "1" * 5000, "is not a WHMCS product id"),
    ],
)
def test_what_could_not_be_stored_is_named(name: str, value: Any, reason: str) -> None:
    assert reason in faults_of(name, value)


@pytest.mark.parametrize(
    ("attributes", "options", "kind", "reason"),
    [
        ({"region": "US"}, [], {}, ""),
        ({}, [REGION], {}, ""),
        ({}, [], {}, "a VPN plan names its country"),
        ({"region": ""}, [REGION | {"key": "server"}], {}, "a VPN plan names its country"),
        ({}, [], {"Item_Class__c": "Add-on"}, ""),
        ({}, [], {"Product2Categories1__c": "SIM"}, ""),
    ],
)
def test_a_vpn_plan_that_names_no_country_is_broken(
    attributes: dict[str, str], options: list[Any], kind: dict[str, str], reason: str
) -> None:
    said = {"Portal_Attributes_JSON__c": json.dumps(attributes), "Portal_ConfigOptions_JSON__c": json.dumps(options)}
    record = ProductRecord(SOUND.id, {**SOUND.fields, **said, **kind}, SOUND.pricebook_entry_id, SOUND.unit_price)
    told = "; ".join(draft(record).faults)
    assert reason in told
    assert bool(told) == bool(reason)


@pytest.mark.parametrize("price", ["NaN", Decimal("1e30"), "dear", Decimal("0.01"), -1, [], {}])
def test_a_price_that_is_none_is_named(price: Any) -> None:
    told = draft(ProductRecord(SOUND.id, SOUND.fields, SOUND.pricebook_entry_id, price))
    assert told.columns["price"] is None
    assert "price:" in "; ".join(told.faults)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
option = st.fixed_dictionaries(
    {},
    optional={
        "key": st.sampled_from(["a", "b", "A b"]) | json_values,
        "type": st.sampled_from(["choice", "yes_no", "quantity", "text"]) | json_values,
        "whmcs_option_id": st.integers() | json_values,
        "label": st.just({"en": "x", "ja": "x"}) | json_values,
        "hint": st.just({"en": "x", "ja": "x"}) | json_values,
        "when": st.just({"option": "a", "values": ["yes"]}) | json_values,
        "pattern": st.text(max_size=20) | json_values,
        "choices": json_values,
    },
)
written = (json_values | st.lists(option, max_size=4)).map(json.dumps)
anything = st.none() | st.text() | written | st.floats() | st.integers() | st.booleans() | st.decimals() | json_values
cut = st.builds(lambda text, at: text[:at], written, st.integers(0, 200))
fields = st.fixed_dictionaries(
    {},
    optional={
        **{name: anything for name, _read, _fallback in FIELDS.values()},
        "Portal_ConfigOptions_JSON__c": written | cut | st.text(),
        "Portal_Attributes_JSON__c": written | cut | st.text(),
    },
)


class Fuzz(TestCase):
    """Records by chance, beside the sound shop, through the whole writing of the mirror."""

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(given_fields=fields, price=anything)
    def test_no_record_whatsoever_stops_a_sync(self, given_fields: dict[str, Any], price: Any) -> None:
        odd = ProductRecord("01tODD000000001AAA", {**SOUND.fields, **given_fields}, "01uODD000000001AAA", price)
        drafts = [draft(each) for each in (*records(), odd)]
        report = mirror.write(drafts, gone=None, by=CatalogSync.Kind.FULL)
        stored = Product.objects.get(sf_product_id=odd.id)
        assert stored.broken == drafts[-1].broken
        assert report.added or report.unchanged
        assert stored.price is not None or stored.broken
