"""Pages that a visitor's browser keeps: how long, and whose they are."""

import os
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from catalog import caching
from catalog.sync import sync
from tests.catalog.goods import Shop
from tests.people import signed_in

pytestmark = pytest.mark.usefixtures("shop")
KEPT = ["/", "/plans/", "/plans/vpn/", "/plans/vpn/VPN-US/", "/plans/search/?q=vpn"]


@pytest.mark.parametrize("path", KEPT)
def test_a_visitors_browser_may_keep_the_page_until_something_changes(visitor: Client, shop: Shop, path: str) -> None:
    visitor.get(path)  # the first visit sets the form cookie
    first = visitor.get(path)
    tag = first["ETag"]
    assert first["Cache-Control"] == "private, no-cache", "kept by the browser alone, and asked for again each time"
    with CaptureQueriesContext(connection) as asked:
        again = visitor.get(path, headers={"if-none-match": tag})
    assert (again.status_code, again.content, len(asked)) == (304, b"", 1)
    assert {"Cookie", "Accept-Language"} <= set(again["Vary"].split(", ")) & set(first["Vary"].split(", "))
    assert again["Cache-Control"] == first["Cache-Control"]
    assert visitor.get(path, headers={"if-none-match": tag, "accept-language": "ja"}).status_code == 200
    shop.edit("VPN-US", price=Decimal("660"))
    sync(full=False)
    assert visitor.get(path, headers={"if-none-match": tag}).status_code == 200


def test_a_kept_page_s_form_works_and_another_browser_s_tag_does_not_fit() -> None:
    mine, other = Client(enforce_csrf_checks=True), Client()
    mine.get("/plans/vpn/VPN-US/")
    page = mine.get("/plans/vpn/VPN-US/")
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())[0]
    assert mine.get("/plans/vpn/VPN-US/", headers={"if-none-match": page["ETag"]}).status_code == 304
    posted = {"sku": "VPN-US", "csrfmiddlewaretoken": token}
    assert mine.post("/cart/add/", posted)["Location"] == "/cart/"
    other.get("/plans/vpn/VPN-US/")
    assert other.get("/plans/vpn/VPN-US/", headers={"if-none-match": page["ETag"]}).status_code == 200


@pytest.mark.parametrize("path", KEPT)
def test_a_visitors_page_holds_nothing_of_one_person(path: str) -> None:
    pages = []
    for browser in (Client(), Client()):
        browser.get(path)
        page = browser.get(path).content.decode()
        pages.append(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page))
    assert pages[0] == pages[1]


@pytest.fixture
def start() -> Iterator[Callable[[], None]]:
    """Makes the process look at its files again, as a new one would."""
    yield caching._build.cache_clear
    caching._build.cache_clear()


def test_without_a_release_a_start_after_a_changed_template_sends_pages_again(
    visitor: Client, settings: Any, tmp_path: Path, start: Callable[[], None]
) -> None:
    settings.BASE_DIR, settings.RELEASE = tmp_path, "dev"
    template = tmp_path / "templates" / "catalog" / "product.html"
    template.parent.mkdir(parents=True)
    template.write_text("old")

    def again() -> int:
        start()
        return visitor.get("/plans/vpn/", headers={"if-none-match": tag}).status_code

    start()
    visitor.get("/plans/vpn/")
    tag = visitor.get("/plans/vpn/")["ETag"]
    compiled = tmp_path / "templates" / "__pycache__" / "tags.pyc"
    compiled.parent.mkdir()
    compiled.write_text("")
    assert again() == 304, "what Python writes while it runs is no change"
    os.utime(template, ns=(0, 0))
    assert again() == 200, "an older file is another one, too"


def test_a_release_s_pages_are_kept_until_the_next_one(
    visitor: Client, settings: Any, start: Callable[[], None]
) -> None:
    settings.RELEASE = "2026.11.1"
    start()
    visitor.get("/plans/vpn/")
    tag = visitor.get("/plans/vpn/")["ETag"]
    start()
    assert visitor.get("/plans/vpn/", headers={"if-none-match": tag}).status_code == 304
    settings.RELEASE = "2026.11.2"
    start()
    assert visitor.get("/plans/vpn/", headers={"if-none-match": tag}).status_code == 200


def test_while_somebody_works_on_the_templates_nothing_is_kept(visitor: Client, settings: Any) -> None:
    settings.DEBUG = True
    assert not visitor.get("/plans/vpn/").has_header("ETag")


@pytest.mark.parametrize("path", KEPT)
def test_a_customers_page_is_never_kept(aiko: User, path: str) -> None:
    response = signed_in(aiko).get(path)
    assert not response.has_header("ETag")
    assert "no-store" in response["Cache-Control"]


def test_a_visitor_with_a_cart_gets_pages_of_this_moment(visitor: Client) -> None:
    visitor.get("/plans/vpn/")
    tag = visitor.get("/plans/vpn/")["ETag"]
    visitor.post("/cart/add/", {"sku": "VPN-US"})
    answer = visitor.get("/plans/vpn/", headers={"if-none-match": tag})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
