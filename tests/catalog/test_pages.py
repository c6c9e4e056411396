"""The catalogue pages: both languages, without script, from the mirror alone."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import CustomerLink, User
from catalog.sync import sync
from integrations import gateway
from tests.catalog.goods import Shop
from tests.people import signed_in


@pytest.fixture(autouse=True)
def no_remote_calls(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks an outside system from here on fails the test."""

    def forbidden() -> Any:
        raise AssertionError("a catalogue page asked an outside system")

    monkeypatch.setattr(gateway, "salesforce", forbidden)
    monkeypatch.setattr(gateway, "whmcs", forbidden)


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/", 1),
        ("/plans/", 2),
        ("/plans/internet/", 2),
        ("/plans/sim/", 2),
        ("/plans/vpn/", 2),
        ("/plans/vpn/VPN-US/", 2),
        ("/plans/vpn/VPN-US/?option-extra_devices=2", 1),
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
    assert answer.status_code == 302
    page = visitor.get(answer["Location"]).content.decode()
    assert "¥770" in page
    assert 'value="2"' in page


def test_an_impossible_choice_in_the_address_is_said_beside_its_control(visitor: Client) -> None:
    page = visitor.get("/plans/vpn/VPN-US/?option-extra_devices=9").content.decode()
    assert page.count("Enter a number from 0 to 5.") == 2, "in the summary and beside the control"
    assert "¥550</dd>" not in page, "no price is shown for what cannot be ordered"


@pytest.mark.parametrize("path", ["/plans/hosting/", "/plans/vpn/GONE/", "/plans/sim/VPN-US/", "/plans/vpn/ACT-VPN/"])
def test_what_is_not_there_is_404(visitor: Client, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_a_visitors_browser_may_keep_the_page_until_something_changes(
    visitor: Client, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.get("/plans/vpn/")  # the first visit sets the form cookie
    tag = visitor.get("/plans/vpn/")["ETag"]
    assert visitor.get("/plans/vpn/", headers={"if-none-match": tag}).status_code == 304
    assert visitor.get("/plans/vpn/", headers={"if-none-match": tag, "accept-language": "ja"}).status_code == 200
    monkeypatch.setattr(gateway, "salesforce", lambda: shop)
    shop.edit("VPN-US", price=Decimal("660"))
    sync()
    assert visitor.get("/plans/vpn/", headers={"if-none-match": tag}).status_code == 200


def test_a_customers_page_is_never_kept(aiko: User) -> None:
    response = signed_in(aiko).get("/plans/vpn/")
    assert not response.has_header("ETag")
    assert "no-store" in response["Cache-Control"]


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
