"""The important matters: what they say for which cart, and that what was confirmed is kept word for word."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client
from django.utils.translation import override

from accounts.models import User
from catalog.pricing import PricedLine, price_line
from catalog.sync import sync
from orders import matters
from orders.models import Order
from tests.catalog.goods import products
from tests.orders.doubles import Salesforce, Whmcs
from tests.orders.steps import ACCEPTED, TERMS, VPN, lives, order_now, review_form
from tests.people import make_customer, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
EIGHT_DAYS = "within eight days of receiving the contract document"
BEST_EFFORT = "not guaranteed (best effort)"
ENGINEER = "An engineer may have to come"
WHO_YOU_ARE = "The law asks us to check who you are"
NO_EMERGENCY_CALLS = "cannot call 110, 118 or 119"
RENTED = "Rented equipment goes back"
PAID_ONCE = "A plan that is paid once ends by itself"
ALWAYS = {EIGHT_DAYS, "A-02-19842", "0120-555-014", "No plan has a fixed term", "include 10% consumption tax"}


def line(sku: str, **options: str) -> PricedLine:
    return price_line(products=products(), sku=sku, options=options)


def said(*lines: PricedLine) -> str:
    return str(matters.summary(lines))


@pytest.mark.parametrize(
    ("sku", "options", "also"),
    [
        ("VPN-US", {}, set()),
        ("INT-APT-1G", {"router": "wifi6"}, {BEST_EFFORT, ENGINEER, RENTED}),
        ("SIM-VD-3", {"sim_type": "esim"}, {BEST_EFFORT, WHO_YOU_ARE}),
        ("SIM-D-3", {"sim_type": "esim"}, {BEST_EFFORT, NO_EMERGENCY_CALLS}),
        ("SIM-VISITOR-20", {"sim_type": "esim"}, {BEST_EFFORT, NO_EMERGENCY_CALLS, PAID_ONCE}),
    ],
)
def test_each_kind_of_service_has_its_own_matters(
    salesforce: Salesforce, sku: str, options: dict[str, str], also: set[str]
) -> None:
    text = said(line(sku, **options))
    of_kinds = {BEST_EFFORT, ENGINEER, RENTED, WHO_YOU_ARE, NO_EMERGENCY_CALLS, PAID_ONCE}
    assert {words for words in of_kinds if words in text} == also
    assert all(words in text for words in ALWAYS)


def test_several_services_are_told_together_with_every_sum(salesforce: Salesforce) -> None:
    sections = matters.summary([line("INT-APT-1G", router="wifi6"), line("SIM-D-3", sim_type="esim")])
    assert [section["title"] for section in sections[:2]] == ["Home Apartment 1G", "Data 3 GB"]
    assert [(price["name"], price["amount"], price["cycle"]) for price in sections[0]["prices"]] == [
        ("Home Apartment 1G", 4730, "Monthly"),
        ("Wi-Fi 6 router rental", 550, "Monthly"),
        ("Internet activation", 3300, "One-time"),
    ]
    assert len({section["title"] for section in sections}) == len(sections)


def test_they_are_in_the_customers_language(salesforce: Salesforce) -> None:
    with override("ja"):
        sections = matters.summary([line("VPN-US")])
    assert "初期契約解除" in str(sections)
    assert EIGHT_DAYS not in str(sections)


def test_a_version_there_never_was_is_an_error(salesforce: Salesforce) -> None:
    with pytest.raises(KeyError):
        matters.summary([line("VPN-US")], version="1999-01-01")


def test_texts_that_do_not_exist_cannot_be_put_in_force(settings: Any) -> None:
    assert "portal.E002" not in {error.id for error in run_checks()}
    settings.TERMS_VERSION = "1999-01-01"
    assert "portal.E002" in {error.id for error in run_checks()}


# --- kept


@pytest.fixture
def customer(salesforce: Salesforce, whmcs: Whmcs) -> User:
    return lives(make_customer("aiko@example.jp")).user


def text(response: Any) -> str:
    return str(response.content.decode())


def test_what_was_shown_is_kept_with_the_order_and_read_later(customer: User, salesforce: Salesforce) -> None:
    browser = signed_in(customer)
    browser.post("/cart/add/", VPN | {"option-extra_devices": "2"})
    shown = text(browser.get("/checkout/review/"))
    browser.post("/checkout/review/", review_form(browser))
    salesforce.edit("VPN-US", price=Decimal("9900"), Name="VPN for sale at another price")
    sync()
    order = Order.objects.get()
    assert (order.agreement.language, order.terms_version) == ("en", ACCEPTED.matters)
    page = text(browser.get(f"/orders/{order.number}/agreement/"))
    for words in ("VPN United States", "¥550 per month", "¥220 per month", EIGHT_DAYS, "0120-555-014"):
        assert words in shown
        assert words in page
    assert "another price" not in page
    assert f'href="/terms/{TERMS}/"' in page


def test_it_is_kept_in_the_language_it_was_read_in(customer: User) -> None:
    browser = signed_in(customer)
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "ja"
    browser.post("/cart/add/", VPN)
    browser.post("/checkout/review/", review_form(browser))
    order = Order.objects.get()
    assert order.agreement.language == "ja"
    page = text(signed_in(customer).get(f"/orders/{order.number}/agreement/"))
    assert ' lang="ja"' in page
    assert "初期契約解除" in page


def test_what_changed_after_the_page_was_shown_is_shown_again(customer: User, salesforce: Salesforce) -> None:
    """The price is the same; the plan's facts are others, or the page is read in another language now."""
    browser = signed_in(customer)
    browser.post("/cart/add/", VPN)
    as_read = review_form(browser)
    salesforce.edit("VPN-US", Portal_Attributes_JSON__c=json.dumps(products()["VPN-US"].attributes | {"devices": 3}))
    sync()
    for changed in ({}, {"HTTP_ACCEPT_LANGUAGE": "ja"}):
        browser.defaults.update(changed)
        answer = browser.post("/checkout/review/", as_read)
        assert answer.status_code == 409
        assert not Order.objects.exists()
        as_read = review_form(browser)
    assert "いまの内容" in text(answer)
    assert " checked" not in text(answer), "what is new is confirmed anew"
    assert browser.post("/checkout/review/", as_read)["Location"].startswith("/orders/placed/")
    kept = Order.objects.get().agreement
    shown = text(browser.get(f"/orders/{Order.objects.get().number}/agreement/"))
    assert kept.language == "ja"
    assert all(sentence in shown for section in kept.matters for sentence in section["sentences"])


def test_the_matters_are_confirmed_apart_from_the_terms(customer: User) -> None:
    browser = signed_in(customer)
    browser.post("/cart/add/", VPN)
    answer = browser.post("/checkout/review/", review_form(browser) | {"matters": ""})
    assert answer.status_code == 422
    assert 'href="#matters"' in text(answer)
    assert 'href="#terms"' not in text(answer)
    neither = browser.post("/checkout/review/", review_form(browser) | {"matters": "2020-01-01", "terms": ""})
    assert "There are 2 things to correct" in text(neither)
    assert not Order.objects.exists()


def test_each_order_of_a_submit_keeps_its_own(customer: User) -> None:
    sim, vpn = order_now(customer, "SIM-D-3", "VPN-US", sim_type="esim")
    assert NO_EMERGENCY_CALLS in str(sim.agreement.matters)
    assert NO_EMERGENCY_CALLS not in str(vpn.agreement.matters)


def test_an_order_without_one_and_a_strangers_have_no_page(customer: User, ben: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    assert signed_in(ben).get(f"/orders/{order.number}/agreement/").status_code == 404
    way = f'href="/orders/{order.number}/agreement/"'
    assert way in text(signed_in(customer).get(f"/orders/{order.number}/"))
    order.agreement.delete()
    assert way not in text(signed_in(customer).get(f"/orders/{order.number}/")), "no way to a page that is not there"
    assert signed_in(customer).get(f"/orders/{order.number}/agreement/").status_code == 404


def test_earlier_terms_stay_readable_and_others_do_not_exist(visitor: Client, settings: Any) -> None:
    assert "This is the earlier version" not in text(visitor.get(f"/terms/{TERMS}/"))
    for unknown in ("1999-01-01", "_earlier", "..%2F..%2Fbase", "x" * 3000):
        assert visitor.get(f"/terms/{unknown}/").status_code == 404
    settings.TERMS_VERSION = "2027-04-01"
    assert "This is the earlier version 2026-10-01" in text(visitor.get(f"/terms/{TERMS}/"))
