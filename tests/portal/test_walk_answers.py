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
