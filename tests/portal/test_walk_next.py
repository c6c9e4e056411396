"""`?next=` leads to a page of ours or nowhere, at every address (security.md §3)."""

import itertools
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client
from django.test.client import RequestFactory
from django.urls import reverse

from accounts.access import asked_next
from accounts.models import User
from orders.models import Order
from tests.orders.steps import fill
from tests.people import PASSWORD, make_user, signed_in
from tests.portal.pages import Tags, is_html
from tests.portal.test_walk import everywhere

remote = pytest.mark.django_db(transaction=True)  # some pages ask WHMCS, which is refused inside a transaction
BASE = "https://testserver/account/"
EVIL = (
    *("//evil.example", "///evil.example", "////evil.example", "https://evil.example/", "HTTPS://evil.example"),
    *("/\\evil.example", "\\\\evil.example", "\\/evil.example", "https:\\\\evil.example"),
    *("https:evil.example", "http:///evil.example", "https:/evil.example"),
    *("\t//evil.example", "/\t/evil.example", "/\n/evil.example", " //evil.example", "\x01//evil.example"),
    *("//evil\u3002example", "//evil%E3%80%82example", "//[evil.example]"),
    *("https://testserver@evil.example/", "https://testserver.evil.example/", "//testserver:443@evil.example"),
    *("javascript:alert(1)//evil", "data:text/html,evil", "vbscript:evil"),
)
HARMLESS = ("%2f%2fevil.example", "/%2f/evil.example", "/%5cevil.example", "/%09/evil.example", "/evil\u3002example")
WALKED = ("/\\evil.example", "https:evil.example", "//[evil.example]")


def goes_to(location: str, base: str = BASE) -> str:
    """The host a browser ends up at, or the scheme when it is none of the web's; read as browsers read addresses:
    blanks, tabs and line ends do not count, a backslash is a slash, and slashes after the scheme may be missing."""
    seen = re.sub(r"[\t\r\n]", "", location).strip("".join(map(chr, range(33)))).replace("\\", "/")
    named = re.match(r"(?i)([a-z][a-z0-9+.-]*):", seen)
    if named and named[1].lower() not in {"http", "https"}:
        return named[1].lower()
    seen = re.sub(r"(?i)^(https?):/*", r"\1://", seen)
    seen = re.sub(r"^//+", "//", seen)
    return urlsplit(urljoin(base, seen)).hostname or "nowhere"


@pytest.mark.parametrize("url", EVIL)
def test_the_table_is_what_a_browser_would_follow_to_another_place(url: str) -> None:
    assert url == "//[evil.example]" or goes_to(url) != "testserver"


@pytest.mark.parametrize("url", HARMLESS)
def test_what_only_looks_like_it_stays_with_us(url: str) -> None:
    assert goes_to(url) == "testserver"


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("url", EVIL)
def test_our_own_pages_take_none_of_it(rf: RequestFactory, url: str, method: str) -> None:
    assert asked_next(getattr(rf, method)("/", {"next": url})) == ""


@pytest.mark.parametrize("url", ["/orders/", "/plans/?q=1", "checkout/"])
def test_our_own_pages_go_on_to_a_page_of_ours(rf: RequestFactory, url: str) -> None:
    assert asked_next(rf.get("/", {"next": url})) == url


@pytest.mark.django_db
def test_signing_in_leads_to_no_other_place(aiko: User, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the table is long
    aiko.set_password(PASSWORD)
    aiko.save()
    for url in EVIL:
        browser = Client()
        page = browser.get("/account/login/", {"next": url})
        typed = {"login": aiko.email, "password": PASSWORD, "next": url}
        answer = browser.post("/account/login/", typed)
        assert answer["Location"] == reverse("dashboard"), url
        assert leads_away(page) == [], url


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["account_reauthenticate", "account_logout"])
def test_neither_does_the_password_once_more_or_signing_out(aiko: User, name: str) -> None:
    for url in WALKED:
        answer = signed_in(aiko).post(f"{reverse(name)}", {"password": PASSWORD, "next": url})
        assert answer.status_code == 302
        assert goes_to(answer["Location"]) == "testserver", url


def leads_away(answer: object) -> list[str]:
    """Links and forms of a page that lead to another place (what `next` says in a form is judged when it is sent)."""
    tags = Tags(answer.content.decode()).found  # type: ignore[attr-defined]
    leading = [attrs.get(name, "") for _, attrs in tags for name in ("href", "action", "formaction", "src")]
    return [each for each in leading if "evil" in each and goes_to(each) != "testserver"]


@remote
def test_no_address_leads_to_another_place(order: Order, aiko: User) -> None:
    line = fill(aiko, "VPN-US").lines.get()
    for user, url in itertools.product((None, aiko), WALKED):
        for name, path in everywhere(order, line.pk).items():
            client = signed_in(user) if user else Client()
            for answer in (client.get(path, {"next": url}), client.post(path, {"next": url, "theme": "dark"})):
                home = (
                    "whmcs.invalid" if name == "payment_sso" and "whmcs" in answer.get("Location", "") else "testserver"
                )
                assert goes_to(answer.get("Location", "/")) == home, (name, answer["Location"])
                assert not is_html(answer) or leads_away(answer) == [], name


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["order", "portal.views.home", "no-such-name"])
def test_the_way_back_is_an_address_and_never_the_name_of_a_view(visitor: Client, url: str) -> None:
    assert visitor.post("/theme/", {"theme": "dark", "next": url})["Location"] == url
    assert signed_in(make_user("new@example.jp")).get("/account/setup/", {"next": url})["Location"] == url
