"""What opening a page costs: how many queries, however much there is, and which pages ask an outside system."""

import re
import socket
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.cache import caches
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import CustomerLink, User
from integrations import gateway
from orders.models import Order
from tests.orders.doubles import Salesforce, Whmcs
from tests.orders.steps import fill
from tests.people import make_staff, signed_in
from tests.portal.pages import addresses, routes
from tests.portal.rows import growing, one_more, pages_of_rows, rows_of
from tests.portal.test_walk import everywhere

pytestmark = pytest.mark.django_db(transaction=True)
# Those whose purpose is what the other system says now; each asks a question once.
ASKS = {
    "payment_methods": ["whmcs.pay_methods"],
    "services": ["whmcs.services"],
    "checkout": ["whmcs.pay_methods", "whmcs.services"],
    "review": ["whmcs.pay_methods", "whmcs.services"],
}
KEPT_FOR_SECONDS = {*ASKS, "metrics", "health_deps", "health_ready", "health_sf_events"}
WHO_ASKS = 3  # of every page: the session, the user, and how long the session may last, which brings the link along
A_FACTOR = 1  # of every page of staff: whether they have a second one


def _by_name(costs: Mapping[int, str]) -> dict[str, int]:
    return {name: cost for cost, names in costs.items() for name in names.split()}


# Queries of each address for a customer, WHO_ASKS among them, and for a visitor.
CUSTOMERS = _by_name(
    {
        3: """account_as_new account_confirm_login_code account_email_verification_sent account_login account_number
            account_set_password account_signup address_place cart_add data_download end_other_sessions health_deps
            health_live identity_begin identity_send identity_upload keep_account metrics mfa_authenticate
            mfa_login_webauthn payment_sso set_language styleguide theme
            account/sessions/<int:session_id>/end/ account/identity/files/<uuid:document>/remove/""",
        4: """account_change_password account_inactive account_logout account_reset_password account_setup_status
            account_reset_password_done account_reset_password_from_key_done contact eligibility identity_by_chip
            identity_too_large mail_preferences mfa_deactivate_totp mfa_download_recovery_codes
            mfa_view_recovery_codes privacy search_plans terms tokushoho terms/<str:version>/
            orders/<sf_order_id:sf_order_id>/ orders/<sf_order_id:sf_order_id>""",
        5: """account_setup catalog devices home identity payment_methods services
            usersessions_list plans/<slug:slug>/ plans/<slug:slug>/<str:sku>/ internet/check/<uuid:ref>/
            orders/<order_number:number>/agreement/ orders/<order_number:number>/status/
            account/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$""",
        6: """address health_ready health_sf_events mfa_index mfa_reauthenticate
            orders/<order_number:number>/cancel/ orders/placed/<uuid:submission>/""",
        7: "cart close_account mfa_activate_totp mfa_add_webauthn orders your_data orders/<order_number:number>/",
        8: "account_email mfa_list_webauthn cart/lines/<int:line_id>/",  # a key's page also tells news
        9: """account dashboard mfa_generate_recovery_codes account/2fa/webauthn/keys/<int:pk>/edit/
            account/2fa/webauthn/keys/<int:pk>/remove/""",
        10: "account_reauthenticate",
        14: "mfa_reauthenticate_webauthn",
        19: "checkout review",
    }
)
VISITORS = _by_name(
    {
        1: """cart/lines/<int:line_id>/ catalog home search_plans plans/<slug:slug>/ plans/<slug:slug>/<str:sku>/
            account/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$""",
        3: "health_ready health_sf_events",
    }
)
# performance.md §2, beside who asks.
TARGETS = {"orders/<order_number:number>/status/": 2, "catalog": 2, "plans/<slug:slug>/<str:sku>/": 3, "dashboard": 6}
LISTS, OTHERS = 8, 10  # of staff, beside who asks
STAFF = {  # what happens now is a number for each question
    "provisioning_now": 19,
    "admin:provisioning_attempt_change": 14,
    "admin:orders_order_change": 12,
}


@pytest.fixture
def asked(salesforce: Salesforce, whmcs: Whmcs, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whatever is asked of an outside system, by the gateway or past it."""
    said: list[str] = []
    for name, double in (("salesforce", salesforce), ("whmcs", whmcs)):
        monkeypatch.setattr(type(double), "_called", _noting(said, name, type(double)._called))
    for name in ("esim", "event_stream"):
        monkeypatch.setattr(gateway, name, lambda name=name: said.append(name))
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        here = self.family == socket.AF_UNIX or str(address[0]) in {"127.0.0.1", "::1", "localhost"}
        said.extend([] if here else [f"socket {address}"])
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    return said


def _noting(said: list[str], system: str, called: Any) -> Any:
    def noted(self: Any, name: str) -> None:
        said.append(f"{system}.{name}")
        called(self, name)

    return noted


def cost(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    return sum("SAVEPOINT" not in query["sql"] for query in queries)


def costs(client: Client, places: Mapping[str, str]) -> dict[str, int]:
    """Queries of each page; of those whose answers are kept for seconds when they were opened a moment before.

    That a session is alive is noted once a minute, which is not while we count.
    """
    UserSession.objects.update(last_seen_at=Now() + timedelta(hours=1))
    found = {}
    for name, path in places.items():
        if name in KEPT_FOR_SECONDS:
            client.get(path)
        found[name] = cost(client, path)
    return found


def test_one_more_row_is_one_more_of_every_table(order: Order) -> None:
    """Otherwise the tests below would not notice what a page costs for many of a new kind."""
    before = {model: rows_of(model) for model in growing()}
    one_more(order)
    assert [model._meta.label for model, rows in before.items() if rows_of(model) <= rows] == []


def over(found: Mapping[str, int], allowed: Mapping[str, int]) -> dict[str, tuple[int, int | None]]:
    """Addresses that cost more than they may, or of which nobody said what they may cost."""
    return {name: (cost, allowed.get(name)) for name, cost in found.items() if cost > allowed.get(name, -1)}


def test_what_a_page_costs_does_not_depend_on_how_much_there_is(order: Order, aiko: User, asked: list[str]) -> None:
    CustomerLink.objects.filter(user=aiko).update(internet_eligibility="Apartment 1G", identity_status="Verified")
    fill(aiko, "INT-APT-1G", router="none")
    fill(aiko, "SIM-D-3", sim_type="esim")
    places = everywhere(order, fill(aiko, "VPN-US").lines.latest("pk").pk)
    one_more(order)
    visitor, customer = Client(), signed_in(aiko)
    assert (asks(visitor, places, asked), asks(customer, places, asked)) == ({}, ASKS)
    few, visited = costs(customer, places), costs(visitor, places)
    one_more(order)
    one_more(order)
    assert costs(customer, places) == few
    assert costs(visitor, places) == visited
    assert over(few, CUSTOMERS) == over(visited, dict.fromkeys(places, 0) | VISITORS) == {}
    assert {name: CUSTOMERS[name] for name, most in TARGETS.items() if CUSTOMERS[name] - WHO_ASKS > most} == {}
    assert {customer.get(places[name]).status_code for name in ("checkout", "review", "dashboard")} == {200}


def asks(client: Client, places: Mapping[str, str], asked: list[str]) -> dict[str, list[str]]:
    """What each page asks of outside systems while nothing is kept from before."""
    said: dict[str, list[str]] = {}
    for name, path in places.items():
        for each in caches.all():
            each.clear()
        asked.clear()
        client.get(path)
        said |= {name: list(asked)} if asked else {}
    return said


def staff_places() -> dict[str, str]:
    without = {name: path for name, path in addresses().items() if path.startswith("/admin/")}
    return {**without, **pages_of_rows()}


def test_every_address_of_staff_with_an_argument_is_a_row_s(order: Order) -> None:
    """Pages of rows are found in the admin itself; whatever else takes an argument is named here."""
    one_more(order)
    kinds = ("", "change/", "history/", "delete/")
    tables = [page.opts for model, page in admin.site._registry.items() if model._meta.managed]
    rows = {f"admin/{table.app_label}/{table.model_name}/<path:object_id>/{kind}" for table in tables for kind in kinds}
    named = {"admin/accounts/identitycheck/<int:check_id>/papers/<uuid:document_id>/", "admin/(?P<url>.*)$"}
    named |= {f"admin/orders/order/<int:order_id>/{form}/" for form in ("note", "mails/<int:email_id>")}  # sent only
    named |= {route for route in routes() if re.match(r"admin/(r/<|\^\(\?P<app_label>|django_rq/)", route)}
    assert {route for route in routes() if route.startswith("admin/") and "<" in route} - named == rows
    assert len(pages_of_rows()) > 40


def test_neither_does_what_a_page_of_staff_costs(order: Order, asked: list[str]) -> None:
    """For somebody who may see everything, each permission of theirs asked for; nothing outside is asked at all."""
    one_more(order)
    staff = make_staff("hal@example.jp", group="Operator").user
    staff.user_permissions.set(Permission.objects.all())
    client, places = signed_in(staff), staff_places()
    assert asks(client, places, asked) == {}
    few = costs(client, places)
    one_more(order)
    one_more(order)
    assert costs(client, places) == few
    allowed = {name: LISTS if name.endswith("_changelist") else STAFF.get(name, OTHERS) for name in places}
    assert over(few, {name: most + WHO_ASKS + A_FACTOR for name, most in allowed.items()}) == {}
