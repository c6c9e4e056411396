"""A page built for one visitor is shown to the next: with their own form token, and with nothing of anybody else's."""

import re
from decimal import Decimal

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from catalog import kept_pages
from catalog.caching import visitors_may_keep
from catalog.sync import sync
from tests.catalog.goods import Shop
from tests.people import signed_in

pytestmark = pytest.mark.usefixtures("shop")
PRODUCT = "/plans/vpn/VPN-US/"
VPN = {"sku": "VPN-US"}


def read(browser: Client, path: str = PRODUCT) -> str:
    return browser.get(path).content.decode()


def tokens(page: str) -> set[str]:
    return set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page))


def without_tokens(page: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)


def test_the_second_visitor_gets_the_same_page_unbuilt_with_a_token_that_is_theirs_alone() -> None:
    first, second = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    built = read(first)
    with CaptureQueriesContext(connection) as asked:
        shown = read(second)
    assert len(asked) == 1, "the mirror's number"
    assert without_tokens(shown) == without_tokens(built)
    (theirs,), (firsts,) = tokens(shown), tokens(built)
    assert theirs != firsts
    assert firsts not in shown
    assert second.post("/cart/add/", VPN | {"csrfmiddlewaretoken": firsts}).status_code == 403
    assert second.post("/cart/add/", VPN | {"csrfmiddlewaretoken": theirs})["Location"] == "/cart/"
    assert tokens(read(first)) != {firsts}, "a mask of its own for each answer"


def test_each_language_theme_and_address_has_a_page_of_its_own() -> None:
    plain = read(Client())
    in_japanese = Client(headers={"accept-language": "ja"})
    dark = Client()
    dark.post("/theme/", {"theme": "dark"})
    assert '<html lang="en">' in plain
    assert "data-theme" not in plain
    assert '<html lang="ja">' in read(in_japanese)
    assert 'data-theme="dark"' in read(dark)
    other = read(Client(), f"{PRODUCT}?add_on=none")
    assert f'name="next" value="{PRODUCT}?add_on=none"' in other
    assert f'name="next" value="{PRODUCT}"' in plain
    assert without_tokens(read(Client())) == without_tokens(plain), "and the first is as it was"


def test_nobody_is_shown_a_page_of_somebody_with_a_session(aiko: User, ben: User) -> None:
    with_cart, aikos = Client(), signed_in(aiko)
    assert "Aiko Sato" in read(aikos)
    for browser in (with_cart, aikos):
        assert "service in it" not in read(browser)
        browser.post("/cart/add/", VPN)
        assert "service in it" in read(browser), "a page of this moment"
    assert "Ben Ito" in (bens := read(signed_in(ben)))
    assert "Aiko Sato" not in bens
    shown = read(Client())
    assert not any(words in shown for words in ("service in it", "Aiko", "Ben", "Sign out"))
    assert "Aiko Sato" in read(aikos), "and a visitor's page is not shown to a customer"


def test_a_change_in_the_shop_is_seen_at_once(shop: Shop) -> None:
    assert "¥550" in read(Client())
    shop.edit("VPN-US", price=Decimal("777"))
    sync(full=False)
    assert "¥777" in read(Client())


def test_what_is_not_there_or_belongs_to_one_browser_is_not_kept() -> None:
    read(Client(), "/plans/vpn/NONE/")
    assert not kept_pages._pages, "an error page"

    @visitors_may_keep
    def greets(request: HttpRequest) -> HttpResponse:
        request.session["greeted"] = True
        return HttpResponse("hello")

    @visitors_may_keep
    def marks(request: HttpRequest) -> HttpResponse:
        response = HttpResponse("hello")
        response.set_cookie("mark", "1")
        return response

    for view in (greets, marks):
        request = RequestFactory().get("/")
        request.session = SessionStore()
        view(request)
    assert not kept_pages._pages, "a page that began a session, and one that sets a cookie"


def test_a_token_outside_its_field_keeps_the_page_from_being_kept() -> None:
    token = b"a1" * 32
    field = b'<input name="csrfmiddlewaretoken" value="%s">' % token
    kept_pages.keep("loose", field + b'<meta content="%s">' % token)
    kept_pages.keep("fine", field + b"<p>words</p>")
    request = RequestFactory().get("/")
    assert kept_pages.look("loose", request) is None
    page = kept_pages.look("fine", request)
    assert page is not None
    assert page.endswith(b'"><p>words</p>')
    assert token not in page


def test_the_pages_asked_for_least_lately_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_pages, "MOST", 2)
    request = RequestFactory().get("/")
    kept_pages.keep("first", b"1")
    kept_pages.keep("second", b"2")
    assert kept_pages.look("first", request) == b"1"
    kept_pages.keep("third", b"3")
    assert [kept_pages.look(key, request) for key in ("first", "second", "third")] == [b"1", None, b"3"]
