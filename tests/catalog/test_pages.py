"""The catalogue pages: both languages, without script, from the mirror alone."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CustomerLink, User
from catalog.models import Product
from catalog.sync import sync
from integrations import gateway
from orders.models import Order, OrderLine
from tests.catalog.goods import Shop
from tests.people import signed_in


@pytest.fixture(autouse=True)
def no_remote_calls(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks an outside system from here on fails the test."""

    def forbidden() -> Any:
        raise AssertionError("a catalogue page asked an outside system")

    monkeypatch.setattr(gateway, "salesforce", forbidden)
    monkeypatch.setattr(gateway, "whmcs", forbidden)


@pytest.fixture
def salesforce(no_remote_calls: None, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sync of the test asks the shop; pages still do not."""
    monkeypatch.setattr(gateway, "salesforce", lambda: shop)


def hold(user: User, sku: str, **changes: Any) -> None:
    """An order of this product in the user's name."""
    product = Product.objects.get(sku=sku)
    order = Order.objects.create(
        user=user,
        cart_hash=f"{user.pk}",
        portal_ref=f"held-{user.pk}",
        correlation_id="c",
        category=product.category,
        terms_version="1",
        terms_accepted_at=timezone.now(),
        **changes,
    )
    OrderLine.objects.create(
        order=order,
        position=0,
        sku=sku,
        name_en=product.name_en,
        item_class=product.item_class,
        billing_cycle=product.billing_cycle,
        unit_price=product.price or 0,
    )


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/", 2),
        ("/plans/", 2),
        ("/plans/internet/", 2),
        ("/plans/sim/", 2),
        ("/plans/vpn/", 2),
        ("/plans/vpn/VPN-US/", 2),
        ("/plans/vpn/VPN-US/?option-extra_devices=2", 2),
        ("/plans/search/?q=vpn", 2),
        ("/plans/search/", 1),
    ],
)
def test_a_page_costs_few_queries_however_many_products(
    visitor: Client, shop: Shop, path: str, queries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.get(path)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        response = visitor.get(path)
    assert response.status_code == 200
    assert len(asked) <= queries, [query["sql"] for query in asked]


def test_the_family_page_compares_plans(visitor: Client) -> None:
    page = visitor.get("/plans/internet/").content.decode()
    for words in ("Home Apartment 1G", "10\u00a0Gbps", "Flats and apartments", "¥4,730", "per month", "¥3,300 once"):
        assert words in page
    assert page.index("Home Apartment 1G") < page.index("Home Apartment 10G")


def test_japanese_names_and_prices(visitor: Client) -> None:
    page = visitor.get("/plans/vpn/VPN-US/", headers={"accept-language": "ja"}).content.decode()
    assert "VPN アメリカ" in page
    assert "550円" in page
    assert "アメリカのIPアドレスを" in page


def test_the_price_follows_the_choice_without_script(visitor: Client) -> None:
    answer = visitor.post("/cart/add/", {"sku": "VPN-US", "intent": "price", "option-extra_devices": "2"})
    assert answer.status_code == 200, "no address that tells what was chosen or typed"
    page = answer.content.decode()
    assert "¥770" in page
    assert 'action="/cart/add/"' in page
    assert 'value="2"' in page


@pytest.mark.parametrize("appended", ["utm_source=mail&utm_campaign=autumn", "fbclid=IwAR0", "line="])
def test_what_others_append_to_a_link_is_no_choice(visitor: Client, appended: str) -> None:
    plain, campaign = (
        visitor.get(f"/plans/internet/INT-APT-1G/{query}").content.decode() for query in ("", f"?{appended}")
    )
    assert "error-summary" not in campaign
    assert re.findall(r'price-amount">([^<]+)', campaign) == re.findall(r'price-amount">([^<]+)', plain) != []


def test_an_impossible_choice_in_the_address_is_said_beside_its_control(visitor: Client) -> None:
    page = visitor.get("/plans/vpn/VPN-US/?option-extra_devices=9").content.decode()
    assert page.count("Enter a number from 0 to 5.") == 2, "in the summary and beside the control"
    assert "¥550</dd>" not in page, "no price is shown for what cannot be ordered"


@pytest.mark.parametrize("path", ["/plans/hosting/", "/plans/vpn/GONE/", "/plans/sim/VPN-US/", "/plans/vpn/ACT-VPN/"])
def test_what_is_not_there_is_404(visitor: Client, path: str) -> None:
    assert visitor.get(path).status_code == 404


# --- plans that are no longer sold


def test_a_withdrawn_plan_says_so_and_leads_on(visitor: Client, shop: Shop, salesforce: None) -> None:
    shop.drop("VPN-UK")
    sync(full=False)
    answer = visitor.get("/plans/vpn/VPN-UK/")
    page = answer.content.decode()
    assert answer.status_code == 410
    assert "VPN United Kingdom is no longer sold" in page
    assert 'href="/plans/vpn/"' in page
    assert "Add to cart" not in page
    assert "VPN United Kingdom" not in visitor.get("/plans/vpn/").content.decode()
    refused = visitor.post("/cart/add/", {"sku": "VPN-UK"}, follow=True).content.decode()
    assert "no longer sold" in refused


def test_a_hidden_plan_looks_like_one_that_never_was(visitor: Client, shop: Shop, salesforce: None) -> None:
    shop.edit("VPN-UK", WHMCS_Product_Id__c="none")
    sync(full=False)
    hidden, never = visitor.get("/plans/vpn/VPN-UK/"), visitor.get("/plans/vpn/VPN-XX/")
    assert hidden.status_code == never.status_code == 404
    assert "This plan is not for sale" in hidden.content.decode()
    assert "VPN United Kingdom" not in hidden.content.decode()


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_who_holds_a_withdrawn_plan_keeps_its_page(
    aiko: User, ben: User, shop: Shop, salesforce: None, is_cancelled: bool
) -> None:
    hold(aiko, "VPN-UK", sf_status="Cancelled" if is_cancelled else "Activated")
    shop.drop("VPN-UK")
    sync(full=False)
    answer = signed_in(aiko).get("/plans/vpn/VPN-UK/")
    assert answer.status_code == (410 if is_cancelled else 200)
    assert ("You keep this plan" in answer.content.decode()) is not is_cancelled
    assert "Add to cart" not in answer.content.decode()
    assert signed_in(ben).get("/plans/vpn/VPN-UK/").status_code == 410


# --- search


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("vpn", ["VPN United States", "VPN United Kingdom"]),
        ("ＶＰＮ　united states", ["VPN United States"]),
        ("アメリカ", ["VPN United States"]),
        ("あめりか", ["VPN United States"]),
        ("光 10", ["Home House 10G", "Home Apartment 10G"]),
        ("SIM-VISITOR-20", ["Visitor eSIM 20 GB, 30 days"]),
        ("%", []),
        ("no such thing", []),
        ("x" * 5000, []),
    ],
)
def test_search_finds_names_and_what_people_call_things(visitor: Client, words: str, names: list[str]) -> None:
    page = visitor.get("/plans/search/", {"q": words}).content.decode()
    found = re.findall(r'class="cover" href="[^"]+">([^<]+)</a>', page)
    assert set(names) <= set(found)
    assert bool(found) is bool(names)
    assert ("No plan has these words" in page) is not bool(names)


def test_search_answers_in_the_language_of_the_page(visitor: Client) -> None:
    page = visitor.get("/plans/search/", {"q": "vpn"}, headers={"accept-language": "ja"}).content.decode()
    assert "「vpn」の検索結果：2件" in page
    assert "VPN アメリカ" in page


def test_search_shows_an_add_on_where_it_is_chosen_and_hides_what_is_hidden(
    visitor: Client, shop: Shop, salesforce: None
) -> None:
    found = visitor.get("/plans/search/", {"q": "ADD-PHONE"}).content.decode()
    assert 'href="/plans/internet/#add-ons"' in found
    shop.edit("ADD-PHONE", WHMCS_Product_Id__c="none")
    shop.drop("VPN-UK")
    sync(full=False)
    assert "No plan has these words" in visitor.get("/plans/search/", {"q": "ADD-PHONE"}).content.decode()
    assert "No plan has these words" in visitor.get("/plans/search/", {"q": "VPN-UK"}).content.decode()


def test_what_was_searched_for_is_escaped(visitor: Client) -> None:
    page = visitor.get("/plans/search/", {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 2


# --- options that depend on others


DEPENDENT = [
    {
        "key": "static",
        "type": "yes_no",
        "whmcs_option_id": 41,
        "label": {"en": "Own address", "ja": "固定IP"},
        "choices": [
            {"value": "yes", "whmcs_choice_id": 1, "label": {"en": "Own address", "ja": "固定IP"}, "price": 330}
        ],
    },
    {
        "key": "host",
        "type": "text",
        "required": True,
        "when": {"option": "static", "values": ["yes"]},
        "label": {"en": "Host name", "ja": "ホスト名"},
        "hint": {"en": "Two to eight letters.", "ja": "英字2〜8文字。"},
        "pattern": "[a-z]{2,8}",
        "price": 110,
    },
]


@pytest.fixture
def dependent(shop: Shop, salesforce: None) -> None:
    shop.edit("VPN-US", Portal_ConfigOptions_JSON__c=json.dumps(DEPENDENT))
    assert sync(full=False).broken == {}


def follow(visitor: Client, **posted: str) -> str:
    """ "Update price" without script."""
    answer = visitor.post("/cart/add/", {"sku": "VPN-US", "intent": "price", **posted})
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_option_appears_with_the_choice_it_depends_on(visitor: Client, dependent: None) -> None:
    hidden = 'id="depends-host" data-depends hidden'
    assert hidden in visitor.get("/plans/vpn/VPN-US/").content.decode()
    page = follow(visitor, **{"option-static": "yes"})
    assert hidden not in page
    assert 'id="depends-host"' in page
    assert "Two to eight letters." in page
    assert "¥990" in follow(visitor, **{"option-static": "yes", "option-host": "tokyo"}), "550 + 330 + 110"


def test_what_depends_on_a_choice_not_made_is_neither_asked_nor_charged(visitor: Client, dependent: None) -> None:
    page = follow(visitor, **{"option-host": "NOT LIKE IT"})
    assert "Two to eight letters.</span>" not in page
    assert "¥550</dd>" in page
    assert visitor.post("/cart/add/", {"sku": "VPN-US", "option-host": "NOT LIKE IT"})["Location"] == "/cart/"


def test_without_script_the_missing_answer_is_asked_for_beside_its_control(visitor: Client, dependent: None) -> None:
    answer = visitor.post("/cart/add/", {"sku": "VPN-US", "option-static": "yes", "option-host": "T"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count("Type it like this: Two to eight letters.") == 2, "in the summary and beside the control"
    assert 'value="T"' in page


@pytest.mark.parametrize(
    ("needed", "said", "value"),
    [
        ({**DEPENDENT[0], "required": True}, "Fill in what is asked for to see the price.", ""),
        ({**DEPENDENT[1], "when": None}, "Fill in what is asked for to see the price.", ""),
        (
            {**DEPENDENT[0], "type": "quantity", "required": True, "minimum": 2, "maximum": 4},
            "¥1,210</dd>",
            'value="2"',
        ),
    ],
)
def test_a_plan_whose_options_must_be_filled_in_has_a_page(
    visitor: Client, shop: Shop, salesforce: None, needed: dict[str, Any], said: str, value: str
) -> None:
    shop.edit("VPN-US", Portal_ConfigOptions_JSON__c=json.dumps([needed]))
    assert sync(full=False).broken == {}
    page = visitor.get("/plans/vpn/VPN-US/").content.decode()
    assert said in page
    assert value in page


def test_the_plans_that_fit_the_customers_address_are_marked(aiko: User) -> None:
    CustomerLink.objects.filter(user=aiko).update(internet_eligibility="House 1G")
    page = signed_in(aiko).get("/plans/internet/").content.decode()
    assert page.count("Fits your address") == 1
    assert "Not available at your address" in signed_in(aiko).get("/plans/internet/INT-APT-1G/").content.decode()


def test_a_provisional_links_address_counts_as_absent(aiko: User) -> None:
    CustomerLink.objects.filter(user=aiko).update(
        internet_eligibility="House 1G", state="provisional", whmcs_client_id=None
    )
    assert "Fits your address" not in signed_in(aiko).get("/plans/internet/").content.decode()


def test_names_are_escaped(visitor: Client, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "salesforce", lambda: shop)
    shop.edit("VPN-US", Name="<script>alert(1)</script>")
    sync()
    for path in ("/plans/vpn/", "/plans/vpn/VPN-US/"):
        page = visitor.get(path).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("path", ["/plans/", "/plans/internet/", "/plans/sim/", "/plans/vpn/", "/plans/sim/SIM-VD-10/"])
def test_nothing_the_content_policy_refuses(visitor: Client, path: str) -> None:
    page = visitor.get(path).content.decode()
    assert " style=" not in page
    assert " onclick=" not in page
