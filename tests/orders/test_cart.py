"""The cart: what goes in, what is refused with a clear sentence, and that a refusal changes nothing."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from accounts.models import User
from catalog.pricing import Totals
from catalog.sync import sync
from orders import cart as carts
from orders.models import Cart, CartLine
from orders.rules import MOST_LINES
from tests.orders.doubles import Salesforce
from tests.orders.steps import INTERNET, SIM, VOICE, VPN, fill
from tests.people import signed_in

pytestmark = pytest.mark.usefixtures("salesforce")


def text(response: Any) -> str:
    return str(response.content.decode())


def test_a_visitor_fills_a_cart(visitor: Client) -> None:
    assert visitor.post("/cart/add/", INTERNET | {"add_on": ["ADD-PHONE", "ADD-SETUP-EN"]})["Location"] == "/cart/"
    line = CartLine.objects.get()
    assert (line.options, line.add_ons) == ({"router": "wifi6"}, ["ADD-PHONE", "ADD-SETUP-EN"])
    page = text(visitor.get("/cart/"))
    for words in ("Home Apartment 1G", "¥5,830", "¥9,900", "Wi-Fi 6 router rental", "Home phone"):
        assert words in page


def test_what_stands_in_the_post_is_never_a_price(visitor: Client) -> None:
    visitor.post("/cart/add/", VPN | {"price": "1", "unit_price": "1", "price_seen": "{}", "total": "0"})
    assert CartLine.objects.get().price_seen == {"monthly": 550, "yearly": 0, "one_time": 0}


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({"sku": "GONE"}, "This plan is no longer sold."),
        ({}, "This plan is no longer sold."),
        ({"sku": "ACT-VPN"}, "only be ordered together with a plan"),
        (VPN | {"quantity": "0"}, "This number cannot be ordered."),
        (VPN | {"quantity": "1000"}, "This number cannot be ordered."),
        (VPN | {"quantity": "-5"}, "This number cannot be ordered."),
        (VPN | {"quantity": "2"}, "Each line of your order holds one service."),
        (INTERNET | {"quantity": "2"}, "Each line of your order holds one service."),
        (SIM | {"quantity": "2"}, "Each line of your order holds one service."),
        (INTERNET | {"option-router": "gold"}, "This choice is not offered."),
        ({"sku": "INT-APT-1G"}, "Choose one of the options."),
        (VPN | {"option-extra_devices": "77"}, "Enter a number from 0 to 5."),
        (VPN | {"option-discount": "100"}, "This plan has no such option."),
        (VPN | {"add_on": ["ADD-PHONE"]}, "does not go with this plan"),
        (VPN | {"add_on": ["NONSENSE"]}, "no longer sold"),
    ],
)
def test_bad_input_is_explained_and_changes_nothing(visitor: Client, posted: dict[str, Any], sentence: str) -> None:
    visitor.post("/cart/add/", SIM)
    response = visitor.post("/cart/add/", posted, follow=True)
    assert response.status_code in {200, 422}
    assert sentence in text(response)
    assert [line.sku for line in CartLine.objects.all()] == ["SIM-D-3"]


def test_typed_values_stay_after_a_refusal(visitor: Client) -> None:
    response = visitor.post("/cart/add/", VPN | {"option-extra_devices": "77"})
    assert response.status_code == 422
    assert 'value="77"' in text(response)
    assert "<title>Error: " in text(response)


def test_a_withdrawn_plan_cannot_be_added(visitor: Client, salesforce: Salesforce) -> None:
    salesforce.drop("VPN-US")
    sync()
    assert "no longer sold" in text(visitor.post("/cart/add/", VPN, follow=True))
    assert not CartLine.objects.exists()


def test_a_plan_that_may_not_be_bought_cannot_be_added(visitor: Client, salesforce: Salesforce) -> None:
    salesforce.edit("VPN-US", Portal_Accessible__c=False)
    sync()
    assert "no longer sold" in text(visitor.post("/cart/add/", VPN, follow=True))
    assert not CartLine.objects.exists()


def test_one_home_internet_plan_fits_in_a_cart(visitor: Client) -> None:
    visitor.post("/cart/add/", INTERNET)
    response = visitor.post("/cart/add/", {"sku": "INT-HSE-1G", "option-router": "none"})
    assert response.status_code == 422
    assert "already has a home internet plan" in text(response)
    assert CartLine.objects.count() == 1


def test_two_sims_are_two_lines_and_so_many_are_enough(visitor: Client, settings: Any) -> None:
    settings.SIM_LIMIT = 2
    for _ in range(2):
        assert visitor.post("/cart/add/", SIM).status_code == 302
    assert "A customer can have 2 SIMs" in text(visitor.post("/cart/add/", SIM))
    assert visitor.post("/cart/add/", VPN).status_code == 302
    assert CartLine.objects.count() == 3


def test_a_cart_has_an_end(visitor: Client) -> None:
    for _ in range(MOST_LINES):
        assert visitor.post("/cart/add/", VPN).status_code == 302
    assert "Place it first" in text(visitor.post("/cart/add/", VPN))
    assert CartLine.objects.count() == MOST_LINES


def test_changing_a_line(visitor: Client) -> None:
    visitor.post("/cart/add/", INTERNET)
    line = CartLine.objects.get()
    assert f'href="/cart/lines/{line.pk}/">Change' in text(visitor.get("/cart/"))
    chosen = text(visitor.get(f"/cart/lines/{line.pk}/"))
    assert re.search(r'value="wifi6"[^>]* checked', chosen)
    assert f'action="/cart/lines/{line.pk}/"' in chosen
    dearer = visitor.post(f"/cart/lines/{line.pk}/", {"sku": "INT-APT-1G", "option-router": "none", "intent": "price"})
    assert "¥4,730" in text(dearer)
    assert f'action="/cart/lines/{line.pk}/"' in text(dearer), "what is saved next is still the line"
    assert CartLine.objects.get().options == {"router": "wifi6"}
    visitor.post(f"/cart/lines/{line.pk}/", {"sku": "INT-APT-1G", "option-router": "none", "add_on": ["ADD-MESH"]})
    line.refresh_from_db()
    assert (line.options, line.add_ons, line.price_seen["monthly"]) == ({"router": "none"}, ["ADD-MESH"], 5720)
    refused = visitor.post(f"/cart/lines/{line.pk}/", {"sku": "INT-APT-1G", "option-router": "gold"})
    assert refused.status_code == 422
    line.refresh_from_db()
    assert line.options == {"router": "none"}


def test_a_line_changes_its_options_never_its_plan(visitor: Client) -> None:
    visitor.post("/cart/add/", INTERNET)
    line = CartLine.objects.get()
    visitor.post(f"/cart/lines/{line.pk}/", {"sku": "VPN-US", "option-router": "none"})
    line.refresh_from_db()
    assert line.sku == "INT-APT-1G"


def test_removing_a_line_and_the_empty_cart(visitor: Client) -> None:
    visitor.post("/cart/add/", VPN)
    visitor.post(f"/cart/lines/{CartLine.objects.get().pk}/", {"intent": "remove"})
    assert not CartLine.objects.exists()
    assert "Your cart is empty" in text(visitor.get("/cart/"))


def test_a_strangers_line_is_not_there(visitor: Client, aiko: User, ben: User) -> None:
    hers = fill(aiko, "VPN-US").lines.get()
    for client in (visitor, signed_in(ben)):
        client.post("/cart/add/", SIM)
        client.post(f"/cart/lines/{hers.pk}/", {"intent": "remove"})
        client.post(f"/cart/lines/{hers.pk}/", {"sku": "VPN-US", "option-extra_devices": "5"})
        assert client.get(f"/cart/lines/{hers.pk}/").status_code == 404
    hers.refresh_from_db()
    assert hers.options == {}


def test_nothing_changes_by_get(visitor: Client) -> None:
    visitor.post("/cart/add/", VPN)
    line = CartLine.objects.get()
    assert visitor.get("/cart/add/?sku=VPN-US").status_code == 405
    assert visitor.get(f"/cart/lines/{line.pk}/?intent=remove").status_code == 200
    assert CartLine.objects.count() == 1


@pytest.mark.parametrize(
    ("totals", "shown"),
    [
        (Totals(monthly=990, yearly=6600, one_time=1100), ["¥990", "¥6,600", "¥1,100"]),
        (Totals(yearly=6600), ["¥6,600"]),
        (Totals(one_time=3300), ["¥3,300"]),
        (Totals(), ["¥0"]),
    ],
)
def test_a_line_shows_all_that_it_costs_and_free_is_zero_yen(totals: Totals, shown: list[str]) -> None:
    line = render_to_string("orders/_line_price.html", {"totals": totals, "cycle": "Monthly"})
    assert re.findall(r"¥[\d,]+", line) == shown


def test_a_new_price_is_said_with_the_old_one(visitor: Client, salesforce: Salesforce) -> None:
    visitor.post("/cart/add/", VPN)
    salesforce.edit("VPN-US", price=Decimal("660"))
    sync()
    page = text(visitor.get("/cart/"))
    assert "A price changed since you added it" in page
    assert "VPN United States: it was ¥550 per month and is now ¥660 per month." in page


def test_a_plan_that_vanished_is_explained_and_blocks(visitor: Client, salesforce: Salesforce) -> None:
    visitor.post("/cart/add/", VPN)
    visitor.post("/cart/add/", SIM)
    salesforce.drop("VPN-US")
    sync()
    page = text(visitor.get("/cart/"))
    assert "VPN United States cannot be ordered" in page
    assert "This plan is no longer sold." in page
    assert "Change or remove what cannot be ordered to go on." in page
    assert re.search(r'href="/plans/vpn/">See other plans', page)
    assert CartLine.objects.count() == 2


def test_an_option_or_an_add_on_that_vanished_is_chosen_again(visitor: Client, salesforce: Salesforce) -> None:
    visitor.post("/cart/add/", VPN | {"option-extra_devices": "2"})
    visitor.post("/cart/add/", INTERNET | {"add_on": ["ADD-PHONE"]})
    salesforce.edit("VPN-US", Portal_ConfigOptions_JSON__c=None)
    salesforce.drop("ADD-PHONE")
    sync()
    page = text(visitor.get("/cart/"))
    assert "This plan has no such option." in page
    assert "One of the add-ons is no longer sold." in page
    for line in CartLine.objects.all():
        path = f"/cart/lines/{line.pk}/"
        assert re.search(rf'href="{re.escape(path)}">Choose again', page)
        assert visitor.get(path).status_code == 200
    vpn = CartLine.objects.get(sku="VPN-US")
    visitor.post(f"/cart/lines/{vpn.pk}/", VPN)
    assert "This plan has no such option." not in text(visitor.get("/cart/"))


@pytest.mark.parametrize(
    "broken",
    [
        {"Portal_ConfigOptions_JSON__c": "{not json"},
        {"Portal_ConfigOptions_JSON__c": '[{"key": 1}]'},
        {"Product2Categories1__c": "Nonsense"},
        {"WHMCS_Product_Id__c": ""},
        {"price": Decimal("550.5")},
    ],
)
def test_a_plan_that_broke_in_salesforce_is_explained_and_blocks(
    visitor: Client, salesforce: Salesforce, broken: dict[str, Any]
) -> None:
    visitor.post("/cart/add/", VPN)
    salesforce.edit("VPN-US", **broken)
    sync()
    page = visitor.get("/cart/")
    assert page.status_code == 200
    assert "VPN United States cannot be ordered" in text(page)
    assert "See other plans" in text(page)
    assert "no longer sold" in text(visitor.post("/cart/add/", VPN, follow=True))


def test_two_home_internet_lines_are_one_too_many_whenever_that_comes_out(
    visitor: Client, aiko: User, salesforce: Salesforce
) -> None:
    """A plan that stood in the wrong family was added beside another; then somebody mended it."""
    salesforce.edit("INT-HSE-1G", Product2Categories1__c="Nonsense")
    sync()
    cart = fill(aiko, "INT-APT-1G", router="none")
    CartLine.objects.create(cart=cart, sku="INT-HSE-1G", options={"router": "none"})
    salesforce.edit("INT-HSE-1G", Product2Categories1__c="Internet")
    sync()
    browser = signed_in(aiko)
    page = text(browser.get("/cart/"))
    assert "Home House 1G is one too many" in page
    assert "there can be one. Remove it" in page
    assert "Home Apartment 1G is one too many" not in page
    assert browser.get("/checkout/")["Location"] == "/cart/"
    browser.post(f"/cart/lines/{CartLine.objects.get(sku='INT-HSE-1G').pk}/", {"intent": "remove"})
    page = text(browser.get("/cart/"))
    assert "one too many" not in page
    assert 'href="/checkout/"' in page


def test_a_plan_nobody_remembers_is_explained_too(visitor: Client) -> None:
    visitor.post("/cart/add/", VPN)
    CartLine.objects.update(sku="OF-ANOTHER-TIME")
    assert re.search(r'href="/plans/">See other plans', text(visitor.get("/cart/")))


def test_the_visitors_cart_becomes_the_customers_at_sign_in(visitor: Client, aiko: User) -> None:
    visitor.post("/cart/add/", VPN)
    visitor.force_login(aiko, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "VPN United States" in text(visitor.get("/cart/"))
    assert Cart.objects.get().user == aiko
    assert "cart" not in visitor.session


def test_both_carts_are_kept_nothing_is_doubled_and_the_new_internet_plan_wins(visitor: Client, aiko: User) -> None:
    fill(aiko, "VPN-US")
    fill(aiko, "INT-HSE-1G", router="none")
    for line in (VPN, SIM, INTERNET):
        visitor.post("/cart/add/", line)
    visitor.force_login(aiko, backend="allauth.account.auth_backends.AuthenticationBackend")
    for _ in range(2):
        visitor.get("/cart/")
    assert sorted(CartLine.objects.values_list("sku", flat=True)) == ["INT-APT-1G", "SIM-D-3", "VPN-US"]
    assert Cart.objects.get().user == aiko


def test_what_the_merge_replaced_or_left_out_is_told_once(visitor: Client, aiko: User, settings: Any) -> None:
    """One SIM is there already in the same words, one more fits, and the third does not."""
    fill(aiko, "INT-HSE-1G", router="none")
    fill(aiko, "SIM-D-3", sim_type="physical")
    for line in (INTERNET, SIM, SIM | {"option-sim_type": "physical"}, VOICE):
        visitor.post("/cart/add/", line)
    settings.SIM_LIMIT = 2
    visitor.force_login(aiko, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = text(visitor.get("/cart/"))
    assert "Home House 1G was in your cart before." in page
    assert "Voice + Data 10 GB did not fit in your cart." in page
    assert sorted(CartLine.objects.values_list("sku", flat=True)) == ["INT-APT-1G", "SIM-D-3", "SIM-D-3"]
    assert Cart.objects.get().user == aiko
    assert "did not fit" not in text(visitor.get("/cart/"))


def test_a_refused_line_does_not_undo_the_merge(visitor: Client, aiko: User) -> None:
    """The first thing after signing in is a second home internet plan."""
    visitor.post("/cart/add/", INTERNET)
    visitor.force_login(aiko, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert visitor.post("/cart/add/", {"sku": "INT-HSE-1G", "option-router": "none"}).status_code == 422
    assert [line.sku for line in Cart.objects.get(user=aiko).lines.all()] == ["INT-APT-1G"]


def test_the_merge_keeps_to_the_most_lines(visitor: Client, aiko: User) -> None:
    fill(aiko, *["VPN-US"] * 8)
    for devices in range(1, 4):
        visitor.post("/cart/add/", VPN | {"option-extra_devices": str(devices)})
    visitor.force_login(aiko, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert text(visitor.get("/cart/")).count("VPN United States did not fit in your cart.") == 1
    assert CartLine.objects.filter(cart__user=aiko).count() == MOST_LINES


def test_a_full_cart_keeps_one_internet_plan_whatever_comes_first(visitor: Client, aiko: User) -> None:
    """Hers makes room for the visitor's, which then gets that room and not the VPN that was added before it."""
    fill(aiko, *["VPN-US"] * (MOST_LINES - 1))
    fill(aiko, "INT-HSE-1G", router="none")
    for line in (VPN | {"option-extra_devices": "1"}, INTERNET):
        visitor.post("/cart/add/", line)
    visitor.force_login(aiko, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = text(visitor.get("/cart/"))
    assert "Home House 1G was in your cart before." in page
    assert "VPN United States did not fit in your cart." in page
    skus = list(CartLine.objects.values_list("sku", flat=True))
    assert [sku for sku in skus if sku.startswith("INT")] == ["INT-APT-1G"]
    assert len(skus) == MOST_LINES


def test_the_header_counts_both_carts_until_they_are_one(visitor: Client, aiko: User) -> None:
    fill(aiko, "VPN-US")
    visitor.post("/cart/add/", SIM)
    visitor.force_login(aiko, backend="allauth.account.auth_backends.AuthenticationBackend")
    request = RequestFactory().get("/")
    request.session, request.user = visitor.session, aiko
    assert carts.size(request) == 2
    visitor.get("/cart/")
    request.session = visitor.session
    assert carts.size(request) == 2


def test_a_forged_cart_in_the_session_gives_nobodys_cart(visitor: Client, aiko: User) -> None:
    hers = fill(aiko, "VPN-US")
    session = visitor.session
    session["cart"] = str(hers.pk)
    session.save()
    assert "Your cart is empty" in text(visitor.get("/cart/"))
    visitor.post("/cart/add/", SIM)
    assert [line.sku for line in hers.lines.all()] == ["VPN-US"]


@pytest.mark.parametrize("lines", [1, 5])
def test_the_cart_page_costs_the_same_for_many_lines(
    visitor: Client, lines: int, django_assert_max_num_queries: Any
) -> None:
    for _ in range(lines):
        visitor.post("/cart/add/", SIM)
    with django_assert_max_num_queries(6):
        visitor.get("/cart/")
