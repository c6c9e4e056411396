"""Whatever is chosen, what a line costs is the sum of what is shown, in whole yen with tax."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.models import Product
from catalog.pricing import COLUMN, price_line, sum_lines, total
from catalog.records import draft
from tests.catalog.goods import records

SHOP = {each.sku: Product(sf_product_id=each.sf_product_id, **each.columns) for each in map(draft, records())}
PLANS = [product for product in SHOP.values() if product.item_class == Product.ItemClass.SERVICE]


def values(option: dict[str, Any]) -> st.SearchStrategy[str]:
    if option["type"] == "choice":
        return st.sampled_from([choice["value"] for choice in option["choices"]])
    if option["type"] == "quantity":
        return st.integers(option["minimum"], option["maximum"]).map(str)
    return st.sampled_from(["yes", "no", ""])


@st.composite
def lines(draw: st.DrawFn) -> dict[str, Any]:
    plan = draw(st.sampled_from(PLANS))
    fitting = [
        each.sku
        for each in SHOP.values()
        if each.category == plan.category and each.item_class == Product.ItemClass.ADD_ON
    ]
    return {
        "sku": plan.sku,
        "options": {option["key"]: draw(values(option)) for option in plan.options},
        "add_ons": draw(st.lists(st.sampled_from(fitting), max_size=3)) if fitting else [],
    }


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # slow machines are no fault of ours
@given(st.lists(lines(), min_size=1, max_size=4))
def test_totals_are_the_sums_of_the_lines_that_are_shown(wanted: list[dict[str, Any]]) -> None:
    priced = [price_line(products=SHOP, **each) for each in wanted]
    whole = total(line.totals for line in priced).as_json()
    for cycle, column in COLUMN.items():
        shown = sum_lines(priced, cycle)
        assert whole[column] == sum(part.amount for part in shown)
        assert all(type(part.amount) is int and part.amount >= 0 for part in shown)
    items = [item for line in priced for item in line.items]
    assert sum(whole.values()) == sum(item.unit_price * item.quantity for item in items), "what Salesforce is told"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # slow machines are no fault of ours
@given(lines())
def test_a_price_never_depends_on_what_was_not_chosen(wanted: dict[str, Any]) -> None:
    plan = SHOP[wanted["sku"]]
    line = price_line(products=SHOP, **wanted)
    extras = sum(each.price for each in line.service.chosen)
    assert line.service.unit_price == (plan.price or 0) + extras
    assert len(line.items) == 1 + bool(plan.activation_sku) + len(set(wanted["add_ons"]))
