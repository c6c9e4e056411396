"""Rules for every address there is: found in the URLconf, so that a new one is covered before anybody thinks of it."""

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import IdentityCheck, IdentityDocument, User
from catalog.eligibility import asking
from catalog.models import EligibilityRequest
from orders import cart as carts
from orders.models import CartLine, Order
from tests.catalog.eligibility.conftest import SHIBAURA
from tests.orders.steps import fill
from tests.passkeys import make_passkey
from tests.people import PASSWORD, Staff, signed_in
from tests.portal.pages import addresses, routes

pytestmark = pytest.mark.django_db(transaction=True)  # some pages ask WHMCS
UNSAFE = ("post", "put", "patch", "delete")
SIGN_IN = "/account/login/"

# One address per pattern with an argument: aiko's own, and one that does not exist. `everybody` may open these.
EVERYBODY = {
    "terms/<str:version>/": "/terms/2026-10-01/",
    "plans/<slug:slug>/": "/plans/vpn/",
    "plans/<slug:slug>/<str:sku>/": "/plans/vpn/VPN-US/",
    # the key is the permission
    "account/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "/account/password/reset/key/1-no-such-key/",
}
OWNED: dict[str, Callable[[Order, int], tuple[str, str]]] = {
    "cart/lines/<int:line_id>/": lambda order, line: (f"/cart/lines/{line}/", "/cart/lines/999999/"),
    "orders/placed/<uuid:submission>/": lambda order, line: (
        f"/orders/placed/{order.submission}/",
        "/orders/placed/00000000-0000-4000-8000-000000000000/",
    ),
    "orders/<order_number:number>/": lambda order, line: (f"/orders/{order.number}/", "/orders/SX-0000-000/"),
    "orders/<order_number:number>/agreement/": lambda order, line: (
        f"/orders/{order.number}/agreement/",
        "/orders/SX-0000-000/agreement/",
    ),
    "orders/<order_number:number>/status/": lambda order, line: (
        f"/orders/{order.number}/status/",
        "/orders/SX-0000-000/status/",
    ),
    "orders/<order_number:number>/cancel/": lambda order, line: (
        f"/orders/{order.number}/cancel/",
        "/orders/SX-0000-000/cancel/",
    ),
    "orders/<sf_order_id:sf_order_id>/": lambda order, line: (f"/orders/{order.sf_order_id}/", f"/orders/{NO_ID}/"),
    "orders/<sf_order_id:sf_order_id>": lambda order, line: (f"/orders/{order.sf_order_id}", f"/orders/{NO_ID}"),
    "internet/check/<uuid:ref>/": lambda order, line: (
        f"/internet/check/{check_of(order)}/",
        "/internet/check/00000000-0000-4000-8000-000000000000/",
    ),
    "account/sessions/<int:session_id>/end/": lambda order, line: (
        f"/account/sessions/{session_of(order)}/end/",
        "/account/sessions/999999/end/",
    ),
    "account/identity/files/<uuid:document>/remove/": lambda order, line: (
        f"/account/identity/files/{paper_of(order).pk}/remove/",
        "/account/identity/files/00000000-0000-4000-8000-000000000000/remove/",
    ),
    "account/2fa/webauthn/keys/<int:pk>/remove/": lambda order, line: (
        f"/account/2fa/webauthn/keys/{passkey_of(order).pk}/remove/",
        "/account/2fa/webauthn/keys/999999/remove/",
    ),
    "account/2fa/webauthn/keys/<int:pk>/edit/": lambda order, line: (
        f"/account/2fa/webauthn/keys/{passkey_of(order).pk}/edit/",
        "/account/2fa/webauthn/keys/999999/edit/",
    ),
}
NO_ID = "801000000000001AAA"


def check_of(order: Order) -> str:
    """The reference of an address check of the order's owner."""
    assert order.user
    return str(asking.ask(user=order.user, said=SHIBAURA).request.ref)


def session_of(order: Order) -> int:
    """A session of the order's owner."""
    assert order.user
    signed_in(order.user)
    return int(UserSession.objects.filter(user=order.user).latest("pk").pk)


def paper_of(order: Order) -> IdentityDocument:
    """A file of the owner's draft."""
    assert order.user
    paper, file = {"paper": IdentityCheck.Paper.PASSPORT}, {"size": 1, "content_type": "image/jpeg"}
    check, _ = IdentityCheck.objects.get_or_create(user=order.user, state="draft", defaults=paper)
    return IdentityDocument.objects.get_or_create(check_of=check, side="front", defaults=file)[0]


def passkey_of(order: Order) -> Authenticator:
    """The owner's passkey."""
    assert order.user
    return Authenticator.objects.filter(user=order.user, type="webauthn").first() or make_passkey(order.user)


def proved(user: User) -> Client:
    """A browser in which `user` has just given the password again, so that no page asks for it first."""
    client = signed_in(user)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


def held_by(owner: User) -> dict[str, list[dict[str, Any]]]:
    """Every row that an address with an argument is about."""
    rows: tuple[QuerySet[Any], ...] = (
        CartLine.objects.filter(cart__user=owner),
        Order.objects.filter(user=owner),
        EligibilityRequest.objects.filter(user=owner),
        UserSession.objects.filter(user=owner),
        IdentityDocument.objects.filter(check_of__user=owner),
        Authenticator.objects.filter(user=owner),
    )
    return {str(each.model._meta): list(each.order_by("pk").values()) for each in rows}


# What a visitor may open or send; everywhere else they are asked to sign in, or the page does not exist for them.
OPEN = {
    *("home", "catalog", "search_plans", "eligibility", "cart", "cart_add", "set_language", "theme"),
    *("terms", "privacy", "tokushoho", "contact", "identity_by_chip"),
    *("account_login", "account_signup", "account_inactive", "account_logout"),  # the last leads home
    *("account_reset_password", "account_reset_password_done", "account_reset_password_from_key_done"),
    *("health_live", "health_ready", "health_sf_events"),  # in one word each
}
ELSEWHERE = (SIGN_IN, "/admin/login/", "/admin/", "/account/password/change/")  # each asks for a sign-in itself


def everywhere(order: Order, line_id: int) -> dict[str, str]:
    """Every address a customer may come to, by its name or route: aiko's own where it has an argument."""
    named = {name: path for name, path in addresses().items() if not path.startswith("/admin/")}
    owned = {route: addresses_of(order, line_id)[0] for route, addresses_of in OWNED.items()}
    return {**named, **EVERYBODY, **owned}


def told(answer: Any) -> tuple[int, str, str]:
    """What an answer says, without what differs every time."""
    text = "" if answer.streaming else answer.content.decode()
    text = text.replace(answer["X-Request-ID"], "")
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
    return answer.status_code, answer.get("Location", ""), text


def test_every_address_with_an_argument_is_owned_or_everybodys() -> None:
    with_argument = {route for route in routes() if re.search(r"<", route) and not route.startswith("admin/")}
    assert with_argument == set(EVERYBODY) | set(OWNED), "say here whose the new address is"


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_what_belongs_to_somebody_else_does_not_exist(order: Order, aiko: User, ben: User, accept: str) -> None:
    line = fill(aiko, "VPN-US").lines.get()
    stranger, pairs = proved(ben), [addresses_of(order, line.pk) for addresses_of in OWNED.values()]
    before = held_by(aiko)
    assert all(before.values()), "there is something to take away in each table"
    for (theirs, nobodys), method in itertools.product(pairs, ("get", "head", *UNSAFE)):
        sent = {"name": "Ben's own", "quantity": "2"} if method == "post" else None
        ask = getattr(stranger, method)
        first, second = (ask(path, sent, headers={"accept": accept}) for path in (theirs, nobodys))
        assert told(first)[:2] == told(second)[:2], (theirs, method)
        assert first.status_code in {404, 405} or first["Location"] == "/cart/", (theirs, method)
        if first.status_code == 404:
            assert told(first) == told(second), theirs
        assert order.number not in told(first)[2]
    assert held_by(aiko) == before


def test_the_owner_opens_what_the_stranger_does_not(order: Order, aiko: User) -> None:
    """Otherwise the test above would be content with pages that open to nobody."""
    line, owner = fill(aiko, "VPN-US").lines.get(), proved(aiko)
    for route, addresses_of in OWNED.items():
        path = addresses_of(order, line.pk)[0]
        answer = owner.get(path, follow=True)
        if answer.status_code == 405:  # no page, but something that can be done
            answer = owner.post(path, {"quantity": "2"}, follow=True)
        assert answer.status_code == 200, route
        assert "/account/reauthenticate/" not in answer.request["PATH_INFO"], route


def test_visitors_are_asked_to_sign_in_at_every_address_that_is_not_open() -> None:
    visitor, opened = Client(REMOTE_ADDR="203.0.113.9"), set()
    for name, path in addresses().items():
        for answer in (visitor.get(path), visitor.post(path)):
            closed = answer.status_code in {404, 405} or answer.get("Location", "").startswith(ELSEWHERE)
            opened |= set() if closed else {name}
    assert opened == OPEN


def test_visitors_see_nothing_of_what_has_an_owner(order: Order, aiko: User) -> None:
    line = fill(aiko, "VPN-US").lines.get()
    for addresses_of, method in itertools.product(OWNED.values(), ("get", *UNSAFE)):
        path = addresses_of(order, line.pk)[0]
        answer = getattr(Client(), method)(path)
        assert answer.status_code in {404, 405} or answer["Location"].startswith((SIGN_IN, "/cart/")), path
        assert order.number not in told(answer)[2], path
    assert carts.look(line.cart).lines


# --- forms


def test_no_address_takes_a_form_without_its_token(order: Order, aiko: User, cs_carol: Staff) -> None:
    for user in (None, aiko, cs_carol.user):
        client = signed_in(user, enforce_csrf_checks=True) if user else Client(enforce_csrf_checks=True)
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
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        written = [q["sql"] for q in queries if re.match(r"(INSERT|UPDATE|DELETE)", q["sql"])]
        assert [sql for sql in written if not harmless.search(sql)] == [], name


def test_a_null_character_is_a_bad_request(aiko: User) -> None:
    for client, path in itertools.product((Client(), signed_in(aiko)), addresses().values()):
        for answer in (client.get(path, {"q": "a\0b"}), client.post(path, {"sku": "\0", "seen": "\0", "next": "\0"})):
            assert answer.status_code == 400
    for path in ("/plans/vpn/%00/", "/orders/%00/", "/account/closing/%00"):
        assert Client().get(path).status_code == 400
