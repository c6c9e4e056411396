"""What holds for every cart: sums, the hash, and forms that anybody may have written."""

from dataclasses import astuple
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from catalog.models import Product
from catalog.options import Option, parse
from catalog.pricing import COLUMN, PricedLine, price_line, sum_lines, total
from orders import cart as carts
from orders import checkout, queries
from orders.models import Cart, CartLine, Order, OrderLine
from orders.rules import MOST_LINES
from sandbox import catalogue
from tests.orders.doubles import Salesforce, Whmcs
from tests.orders.steps import TERMS, fill, lives
from tests.people import make_customer, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
SHOP = catalogue.load().products
PLANS = [each for each in SHOP if each.item_class == "Service"]
ADD_ONS = {
    category: [each.sku for each in SHOP if (each.category, each.item_class) == (category, "Add-on")]
    for category in {each.category for each in SHOP}
}
in_one_database = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def value_of(option: Option) -> st.SearchStrategy[Any]:
    if option.type == "choice":
        return st.sampled_from([choice.value for choice in option.choices])
    if option.type == "yes_no":
        return st.sampled_from(["yes", "no", ""])
    return st.integers(option.minimum, option.maximum).map(str)


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, Any]:
    """A line that can be ordered: a plan with some of what goes with it."""
    plan = draw(st.sampled_from(PLANS))
    options = {option.key: draw(value_of(option)) for option in parse([each.raw for each in plan.options])}
    add_ons = draw(st.lists(st.sampled_from(ADD_ONS[plan.category]), max_size=3)) if ADD_ONS[plan.category] else []
    return {"sku": plan.sku, "options": options, "add_ons": add_ons}


def found() -> dict[str, Product]:
    return {product.sku: product for product in Product.objects.all()}


def lines_of(some: list[dict[str, Any]]) -> list[PricedLine]:
    return [price_line(products=found(), **wish) for wish in some]


@in_one_database
@given(st.lists(wishes(), max_size=5))
def test_a_total_is_the_sum_of_its_lines_in_whole_yen(salesforce: Salesforce, some: list[dict[str, Any]]) -> None:
    lines = lines_of(some)
    whole = total(line.totals for line in lines)
    assert all(isinstance(amount, int) and amount >= 0 for amount in astuple(whole))
    for cycle, column in COLUMN.items():
        shown = sum_lines(lines, cycle)
        items = [item for line in lines for item in line.items if item.product.billing_cycle == cycle]
        assert getattr(whole, column) == sum(part.amount for part in shown)
        assert getattr(whole, column) == sum(item.quantity * item.unit_price for item in items)


LINES = st.builds(
    OrderLine,
    billing_cycle=st.sampled_from(["Monthly", "Annually", "One-time", "Quarterly", ""]),
    quantity=st.integers(0, 99),
    unit_price=st.integers(-100_000, 100_000),
)


@given(st.lists(LINES, max_size=8))
def test_what_an_order_costs_is_the_sum_of_what_its_page_lists(lines: list[OrderLine]) -> None:
    """Whatever support wrote into it in Salesforce."""
    for cycle, column in COLUMN.items():
        listed = queries.sum_lines(lines, cycle, {})
        assert getattr(queries.totals(lines), column) == sum(part.amount for part in listed)
    assert sum(len(queries.sum_lines(lines, cycle, {})) for cycle in COLUMN) == len(lines)


@in_one_database
@given(wishes())
def test_a_line_is_its_plan_its_options_its_activation_and_its_add_ons(
    salesforce: Salesforce, wish: dict[str, Any]
) -> None:
    by_sku = {each.sku: each for each in SHOP}
    plan = by_sku[wish["sku"]]
    (line,) = lines_of([wish])
    expected = [plan.sku, *([plan.activation_sku] if plan.activation_sku else []), *sorted(set(wish["add_ons"]))]
    assert [item.product.sku for item in line.items] == expected
    options = sum(chosen.price for chosen in line.service.chosen)
    assert sum(item.amount for item in line.items) == sum(by_sku[sku].price for sku in expected) + options


@in_one_database
@given(st.data(), st.lists(wishes(), min_size=1, max_size=4))
def test_the_hash_is_that_of_the_content_in_whatever_order(
    salesforce: Salesforce, data: st.DataObject, some: list[dict[str, Any]]
) -> None:
    user, cart = User(pk=1), Cart()
    shuffled = data.draw(st.permutations(some))
    assert hashed(user, cart, some) == hashed(user, cart, list(shuffled))
    other = data.draw(st.lists(wishes(), min_size=1, max_size=4))
    assert (hashed(user, cart, some) == hashed(user, cart, other)) is (content(some) == content(other))


@in_one_database
@given(wishes())
def test_the_hash_is_another_for_another_customer_cart_text_or_price(
    salesforce: Salesforce, wish: dict[str, Any]
) -> None:
    user, cart = User(pk=1), Cart()
    products = found()
    products[wish["sku"]].price = (products[wish["sku"]].price or 0) + 1
    lines = [price_line(products=products, **wish)]
    dearer = checkout.digest(user=user, cart=cart, lines=lines, terms_version=TERMS, told="")
    every = {
        hashed(user, cart, [wish]),
        hashed(User(pk=2), cart, [wish]),
        hashed(user, Cart(), [wish]),
        hashed(user, cart, [wish, wish]),
        hashed(user, cart, [wish], version="2027-04-01"),
        hashed(user, cart, [wish], told="other matters"),
        dearer,
    }
    assert len(every) == 7


def hashed(user: User, cart: Cart, some: list[dict[str, Any]], version: str = TERMS, told: str = "") -> str:
    return checkout.digest(user=user, cart=cart, lines=lines_of(some), terms_version=version, told=told)


def content(some: list[dict[str, Any]]) -> list[Any]:
    """What a cart holds, said in another way than the hash says it."""
    chosen = [
        (line.product.sku, {each.option.key: each.value for each in line.service.chosen}, line.add_on_skus)
        for line in lines_of(some)
    ]
    return sorted(chosen, key=str)


# --- forms that anybody may have written

KEYS = st.sampled_from(
    [
        "sku",
        "quantity",
        "intent",
        "add_on",
        "line",
        "cart",
        "seen",
        "again",
        "terms",
        "matters",
        "price",
        "unit_price",
        "total",
        "price_seen",
        "user",
        "option-router",
        "option-sim_type",
        "option-extra_devices",
        "option-",
        "option-région",
        "option-router ",
        "next",
        "csrfmiddlewaretoken",
    ]
)
SAID = st.one_of(
    st.sampled_from(
        [
            *(each.sku for each in SHOP),
            "",
            "0",
            "1",
            "-1",
            "1e9",
            "9" * 400,
            "yes",
            "remove",
            "price",
            "none",
            "wifi6",
            "esim",
            "null",
            "[]",
            "{}",
            "\x00",
            "\ud7ff",
            "１",
            "VPN-US ",
            "' OR 1=1 --",
            "../..",
            TERMS,
        ]
    ),
    st.text(max_size=40),
)
FORMS = st.dictionaries(st.one_of(KEYS, st.text(max_size=12)), st.one_of(SAID, st.lists(SAID, max_size=4)), max_size=8)
ANSWERS = {200, 302, 400, 404, 409, 422}


@pytest.fixture
def browser(salesforce: Salesforce, whmcs: Whmcs) -> Client:
    """Aiko's, with a plan in the cart."""
    aiko = lives(make_customer("aiko@example.jp")).user
    fill(aiko, "VPN-US")
    return signed_in(aiko)


def same_prices() -> None:
    """Every line costs what its content costs, whatever was sent."""
    for cart in Cart.objects.filter(closed_at=None):
        for line in carts.look(cart).lines:
            assert line.priced
            assert line.was is None
            assert line.line.price_seen == line.priced.totals.as_json()


@in_one_database
@given(form=FORMS, where=st.sampled_from(["/cart/add/", "/cart/lines/{}/", "/checkout/review/"]))
def test_no_form_is_an_error_of_ours_or_changes_a_price(browser: Client, form: dict[str, Any], where: str) -> None:
    line = CartLine.objects.first()
    answer = browser.post(where.format(line.pk if line else 1), form)
    assert answer.status_code in ANSWERS
    assert CartLine.objects.filter(cart__closed_at=None).count() <= MOST_LINES
    same_prices()
    assert not Order.objects.exists(), "nobody guesses a cart's hash"


@in_one_database
@given(query=FORMS, where=st.sampled_from(["/cart/", "/checkout/", "/checkout/review/", "/plans/vpn/VPN-US/"]))
def test_no_address_is_an_error_of_ours(browser: Client, query: dict[str, Any], where: str) -> None:
    assert browser.get(where, query).status_code in ANSWERS
    same_prices()
