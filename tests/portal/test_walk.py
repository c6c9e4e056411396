"""Rules for every address there is: found in the URLconf, so that a new one is covered before anybody thinks of it."""

import itertools
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from orders import cart as carts
from orders.models import Order
from provisioning.models import Attempt
from tests.orders.conftest import salesforce, whmcs  # noqa: F401 - fixtures
from tests.orders.doubles import Salesforce, Whmcs
from tests.orders.steps import fill, order_now
from tests.people import Staff, make_staff, make_user, signed_in
from tests.portal.pages import Tags, addresses, inline_code, is_html, routes

pytestmark = pytest.mark.django_db(transaction=True)  # some pages ask WHMCS
UNSAFE = ("post", "put", "patch", "delete")
SIGN_IN = "/account/login/"

# One address per pattern with an argument: aiko's own, and one that does not exist. `everybody` may open these.
EVERYBODY = {
    "plans/<slug:slug>/",
    "plans/<slug:slug>/<str:sku>/",
    "account/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",  # the key is the permission
}
OWNED: dict[str, Callable[[Order, int], tuple[str, str]]] = {
    "cart/lines/<int:line_id>/": lambda order, line: (f"/cart/lines/{line}/", "/cart/lines/999999/"),
    "orders/placed/<uuid:submission>/": lambda order, line: (
        f"/orders/placed/{order.submission}/",
        "/orders/placed/00000000-0000-4000-8000-000000000000/",
    ),
    "orders/<order_number:number>/": lambda order, line: (f"/orders/{order.number}/", "/orders/SX-0000-000/"),
    "orders/<order_number:number>/status/": lambda order, line: (
        f"/orders/{order.number}/status/",
        "/orders/SX-0000-000/status/",
    ),
    "orders/<sf_order_id:sf_order_id>/": lambda order, line: (f"/orders/{order.sf_order_id}/", f"/orders/{NO_ID}/"),
    "orders/<sf_order_id:sf_order_id>": lambda order, line: (f"/orders/{order.sf_order_id}", f"/orders/{NO_ID}"),
    "account/sessions/<int:session_id>/end/": lambda order, line: (
        f"/account/sessions/{session_of(order)}/end/",
        "/account/sessions/999999/end/",
    ),
    "account/2fa/webauthn/keys/<int:pk>/remove/": lambda order, line: (
        "/account/2fa/webauthn/keys/1/remove/",
        "/account/2fa/webauthn/keys/999999/remove/",
    ),
    "account/2fa/webauthn/keys/<int:pk>/edit/": lambda order, line: (
        "/account/2fa/webauthn/keys/1/edit/",
        "/account/2fa/webauthn/keys/999999/edit/",
    ),
}
NO_ID = "801000000000001AAA"


def session_of(order: Order) -> int:
    """A session of the order's owner."""
    assert order.user
    signed_in(order.user)
    return int(UserSession.objects.filter(user=order.user).latest("pk").pk)


@pytest.fixture
def order(aiko: User, salesforce: Salesforce, whmcs: Whmcs) -> Order:  # noqa: F811
    (placed,) = order_now(aiko, "VPN-US")
    return placed


def told(answer: Any) -> tuple[int, str, str]:
    """What an answer says, without what differs every time."""
    text = "" if answer.streaming else answer.content.decode()
    text = text.replace(answer["X-Request-ID"], "")
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
    return answer.status_code, answer.get("Location", ""), text


def test_every_address_with_an_argument_is_owned_or_everybodys() -> None:
    with_argument = {route for route in routes() if re.search(r"<", route) and not route.startswith("admin/")}
    assert with_argument == EVERYBODY | set(OWNED), "say here whose the new address is"


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_what_belongs_to_somebody_else_does_not_exist(order: Order, aiko: User, ben: User, accept: str) -> None:
    line = fill(aiko, "VPN-US").lines.get()
    stranger = signed_in(ben)
    for addresses_of, method in itertools.product(OWNED.values(), ("get", "head", *UNSAFE)):
        theirs, nobodys = addresses_of(order, line.pk)
        ask = getattr(stranger, method)
        first, second = (ask(path, headers={"accept": accept}) for path in (theirs, nobodys))
        assert told(first)[0] == told(second)[0] in {302, 404, 405}, theirs
        if first.status_code == 404:
            assert told(first) == told(second), theirs
        assert order.number not in told(first)[2]
    assert carts.look(line.cart).lines


def test_the_owner_opens_what_the_stranger_does_not(order: Order, aiko: User) -> None:
    """Otherwise the test above would be content with pages that open to nobody."""
    owner = signed_in(aiko)
    for route, addresses_of in OWNED.items():
        if route.startswith("orders/"):
            assert owner.get(addresses_of(order, 0)[0], follow=True).status_code == 200, route


# --- forms


def test_no_address_takes_a_form_without_its_token(order: Order, aiko: User, cs_carol: Staff) -> None:
    for user in (None, aiko, cs_carol.user):
        client = Client(enforce_csrf_checks=True)
        if user:
            client.force_login(user)
        for name, path in addresses().items():
            for method in UNSAFE:
                answer = getattr(client, method)(path)
                refused = answer.status_code in {403, 405} or answer.get("Location", "").startswith(
                    (SIGN_IN, "/account/reauthenticate/", "/account/2fa/")
                )
                assert refused, (name, method, answer.status_code)


def test_opening_a_page_changes_nothing(order: Order, aiko: User) -> None:
    """Each page once to settle (session, cart), then once more: nothing is written but how long a session lives."""
    client = signed_in(aiko)
    fill(aiko, "VPN-US")
    harmless = re.compile(r'"(django_session|usersessions_usersession|portal_cache)"|SAVEPOINT')
    for name, path in addresses().items():
        client.get(path)
        if name in {"account_logout"}:
            continue
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(path)
        written = [q["sql"] for q in queries if re.match(r"(INSERT|UPDATE|DELETE)", q["sql"])]
        assert [sql for sql in written if not harmless.search(sql)] == [], name


EVIL = ("//evil.example", "https://evil.example/", "/\\evil.example", "https:evil.example", "\t//evil.example")


@pytest.mark.parametrize("path", [SIGN_IN, "/account/signup/", "/account/setup/", "/language/", "/theme/"])
def test_no_address_leads_to_another_site(aiko: User, path: str) -> None:
    for client, url in itertools.product((Client(), signed_in(aiko)), EVIL):
        for answer in (client.get(path, {"next": url}), client.post(path, {"next": url, "theme": "dark"})):
            to = urlsplit(urljoin(f"http://testserver{path}", answer.get("Location", "").replace("\\", "/").strip()))
            assert (to.hostname, "evil" in to.path) == ("testserver", False)
            if is_html(answer):
                leading = [
                    tag["href"] for tag in Tags(answer.content.decode()).all("a") if "evil" in tag.get("href", "")
                ]
                assert [link for link in leading if not link.startswith("/")] == []


@pytest.mark.parametrize("url", ["order", "portal.views.home", "no-such-name"])
def test_the_way_back_is_an_address_and_never_the_name_of_a_view(visitor: Client, url: str) -> None:
    assert visitor.post("/theme/", {"theme": "dark", "next": url})["Location"] == url
    assert signed_in(make_user("new@example.jp")).get("/account/setup/", {"next": url})["Location"] == url


def test_a_null_character_is_a_bad_request(aiko: User) -> None:
    for client, path in itertools.product((Client(), signed_in(aiko)), addresses().values()):
        for answer in (client.get(path, {"q": "a\0b"}), client.post(path, {"sku": "\0", "seen": "\0", "next": "\0"})):
            assert answer.status_code == 400


# --- what every answer carries

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


def test_the_answer_that_begins_a_session_is_kept_by_no_cache(visitor: Client, salesforce: Salesforce) -> None:  # noqa: F811
    answer = visitor.post("/cart/add/", {"sku": "VPN-US"})
    assert "sessionid" in answer.cookies
    assert "no-store" in answer["Cache-Control"]


# --- staff


def staff_addresses() -> list[str]:
    own = [path for name, path in addresses().items() if name.startswith("admin:")]
    return sorted(
        {*own, *(f"/admin/{route}" for route in ("django_rq/dashboard/queues/0/", "accounts/user/1/change/"))}
    )


OPEN_TO_ALL = {"/admin/login/", "/admin/logout/", "/admin/jsi18n/"}


def test_staff_pages_open_to_nobody_without_a_second_factor(aiko: User, order: Order) -> None:
    without = make_staff("dan@example.jp", with_totp=False, group="Operator")
    superuser = make_staff("eve@example.jp", with_totp=False)
    superuser.user.is_superuser = True
    superuser.user.save()
    for who in (without, superuser):
        client = signed_in(who.user)
        for path in staff_addresses():
            for method in ("get", "post"):
                assert getattr(client, method)(path)["Location"] == reverse("mfa_activate_totp"), path
    for client in (Client(), signed_in(aiko)):
        for path in set(staff_addresses()) - OPEN_TO_ALL:
            answer = client.get(path)
            assert answer.status_code in {302, 403, 404, 401}, path
            # The page of the portal asks for a sign-in itself.
            elsewhere = (SIGN_IN, "/admin/login/", reverse("account_change_password"))
            assert answer.get("Location", SIGN_IN).startswith(elsewhere), path


def test_staff_without_a_group_read_nothing() -> None:
    client = signed_in(make_staff("fay@example.jp", group="").user)
    for path in staff_addresses():
        if path.count("/") > 3 and "password_change" not in path:
            assert client.get(path).status_code in {302, 403}, path


def test_the_queues_are_for_operators(cs_carol: Staff) -> None:
    agent, operator = signed_in(cs_carol.user), signed_in(make_staff("gus@example.jp", group="Operator").user)
    pages = [path for path in staff_addresses() if "/django_rq/" in path and not path.endswith("/add/")]
    assert len(pages) > 3
    for path in [*pages, "/admin/django_rq/dashboard/queues/0/empty/"]:
        assert agent.get(path).status_code == agent.post(path).status_code == 403, path
        assert operator.get(path).status_code == 200, path
    assert "django_rq" not in agent.get("/admin/").content.decode()


def test_not_even_a_superuser_deletes_anything(rf: Any, order: Order) -> None:
    request = rf.get("/admin/")
    request.user = User.objects.create_superuser("root@example.jp", "x")
    for model, page in admin.site._registry.items():
        assert not page.has_delete_permission(request), model
        assert "delete_selected" not in page.get_actions(request), model


def test_staff_pages_have_nothing_inline(order: Order) -> None:
    """django-rq's own pages have: the policy refuses their styles, and they can be read without."""
    client = signed_in(make_staff("hal@example.jp", group="Operator").user)
    for path in staff_addresses():
        answer = client.get(path)
        if is_html(answer) and "django_rq" not in path:
            assert inline_code(answer.content.decode()) == [], path


@pytest.mark.parametrize("group", ["CS agent", "Operator"])
def test_lists_cost_at_most_eight_queries(order: Order, group: str, aiko: User) -> None:
    client = signed_in(make_staff("ida@example.jp", group=group).user)
    order_now(aiko, "VPN-US")
    for name, path in addresses().items():
        if name.endswith("_changelist") and "django_rq" not in name:
            client.get(path)
            with CaptureQueriesContext(connection) as queries:
                answer = client.get(path)
            session = sum(
                1
                for q in queries
                if re.search(r'"(django_session|usersessions_usersession|mfa_authenticator)"', q["sql"])
            )
            if answer.status_code == 200:
                assert len(queries) - session <= 8, path


def test_an_attempt_is_found_by_the_number_the_customer_reads_out(order: Order, cs_carol: Staff) -> None:
    attempt = Attempt.objects.create(
        order_id=order.sf_order_id or "", idem_key="key-1", correlation_id="correlation-1", whmcs_order_id=4711
    )
    client = signed_in(cs_carol.user)
    for term in (order.number.lower(), attempt.order_id, attempt.order_id[:15], "key-1", "correlation-1", "4711"):
        page = client.get("/admin/provisioning/attempt/", {"q": term}).content.decode()
        assert f"/admin/provisioning/attempt/{attempt.pk}/change/" in page, term
    assert "/change/" not in client.get("/admin/provisioning/attempt/", {"q": "SX-0000-001"}).content.decode()
