"""What every answer carries, pages, redirects, failures and files alike (security.md §3)."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from orders.models import Order
from tests.orders.doubles import Salesforce
from tests.people import Staff, signed_in
from tests.portal.pages import addresses

pytestmark = pytest.mark.django_db(transaction=True)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
ODD = ["/no-such-page/", "/plans", "/%00", "/static/portal.css", "/orders/SX-0000-000/", "/favicon.ico"]


def test_every_answer_carries_the_headers(order: Order, aiko: User, cs_carol: Staff) -> None:
    for client in (Client(), signed_in(aiko), signed_in(cs_carol.user)):
        for path in [*addresses().values(), *ODD]:
            answer = client.get(path)
            for name, value in HEADERS.items():
                assert answer.get(name) == value, (path, name)
            policy = answer["Content-Security-Policy"]
            assert "default-src 'none'" in policy, path
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe" not in policy, path


COOKIES = {"sessionid", "csrftoken", "language", "language_chosen", "theme"}  # with __Host- before each over https


def test_a_cookie_goes_to_us_alone_and_no_script_reads_it(order: Order, aiko: User, cs_carol: Staff) -> None:
    """What was said last ("a confirmation is on its way to …") waits in the session, not in a cookie."""
    seen: set[str] = set()
    for user in (None, aiko, cs_carol.user):
        for path in addresses().values():
            client = signed_in(user) if user else Client()
            for answer in (client.get(path), client.post(path, {"sku": "VPN-US", "theme": "dark", "language": "ja"})):
                for name, cookie in answer.cookies.items():
                    seen.add(name)
                    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", ""), (path, name)
                    assert cookie["httponly"] or not cookie.value, (path, name)
    assert seen == COOKIES


@pytest.mark.parametrize("host", ["evil.example", "portal.test.evil.example", "portal.test@evil.example", "a b"])
def test_another_host_is_a_bad_request(visitor: Client, host: str) -> None:
    for path in ("/", "/account/login/", "/static/portal.css/", "/no-such-page/"):
        assert visitor.get(path, headers={"host": host}).status_code == 400, path
    said = visitor.get("/", headers={"host": "portal.test", "x-forwarded-host": host})
    assert "evil" not in said.content.decode()


METHODS = ("TRACE", "TRACK", "CONNECT", "PROPFIND", "SEARCH")


def test_a_method_nobody_needs_is_refused_and_echoes_nothing(aiko: User) -> None:
    for user in (None, aiko):
        client = signed_in(user) if user else Client()
        for path in [*addresses().values(), "/static/portal.css", "/no-such-page/"]:
            for method in METHODS:
                answer = client.generic(method, path, headers={"x-canary": "echo-4711"})
                assert answer.status_code == 405, (method, path)
                assert answer.streaming or b"echo-4711" not in answer.content


HIDDEN = [
    *("/.git/HEAD", "/.git/config", "/.env", "/.env.example", "/manage.py", "/requirements.txt", "/docs/security.md"),
    *("/media/", "/media/x.jpg", "/uploads/", "/static/", "/static/../manage.py", "/static/..%2fmanage.py"),
    *("/static/%2e%2e/portal/settings.py", "/static//etc/passwd", "/backup.sql", "/server-status", "/phpinfo.php"),
]


def test_no_file_but_the_style_and_the_script_is_served(aiko: User) -> None:
    for client in (Client(), signed_in(aiko)):
        for path in HIDDEN:
            answer = client.get(path)
            assert answer.status_code in {400, 404}, path
            assert {name: answer.get(name) for name in HEADERS} == HEADERS, path


def test_an_error_and_a_foreign_host_carry_them_too(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.views.families", None)
    visitor.raise_request_exception = False
    for answer in (visitor.get("/"), visitor.get("/terms/", headers={"host": "evil.example"})):
        assert answer.status_code in {400, 500}
        assert {name: answer.get(name) for name in HEADERS} == HEADERS
        assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_over_plain_http_there_is_nothing_but_the_way_to_https(visitor: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31536000
    visitor = Client()
    answer = visitor.get("/terms/", headers={"host": "portal.test"})
    assert (answer.status_code, answer["Location"]) == (301, "https://portal.test/terms/")
    assert answer["X-Frame-Options"] == "DENY"
    assert "max-age=31536000" in visitor.get("/terms/", secure=True)["Strict-Transport-Security"]
    assert visitor.get("/health/live").status_code == 200


def test_no_cache_keeps_what_a_session_was_shown(order: Order, aiko: User, cs_carol: Staff) -> None:
    for client in (signed_in(aiko), signed_in(cs_carol.user)):
        for path in [*addresses().values(), "/no-such-page/", "/plans"]:
            assert "no-store" in client.get(path)["Cache-Control"], path


def test_the_answer_that_begins_a_session_is_kept_by_no_cache(visitor: Client, salesforce: Salesforce) -> None:
    answer = visitor.post("/cart/add/", {"sku": "VPN-US"})
    assert "sessionid" in answer.cookies
    assert "no-store" in answer["Cache-Control"]
