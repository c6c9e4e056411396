"""What the customer has, from WHMCS."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from accounts.models import User
from integrations import gateway
from integrations.errors import Unavailable
from integrations.whmcs.schemas import Service
from tests.accounts.doubles import Whmcs
from tests.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def whmcs(monkeypatch: pytest.MonkeyPatch, db: None) -> Whmcs:
    cache.clear()
    double = Whmcs()
    monkeypatch.setattr(gateway, "whmcs", lambda: double)
    return double


def service(n: int, **changes: Any) -> Service:
    values: dict[str, Any] = {
        "id": n,
        "order_id": 1,
        "client_id": 1,
        "pid": 101,
        "name": f"Plan {n}",
        "status": "Active",
        "billing_cycle": "monthly",
        "recurring_amount": Decimal("4730.00"),
        "next_due_date": "2026-12-01",
        "custom_fields": {},
    }
    return Service(**(values | changes))


def give(whmcs: Whmcs, user: User, *services: Service) -> None:
    client_id = user.link.whmcs_client_id
    assert client_id is not None
    whmcs.bought[client_id] = list(services)


def test_services_are_shown_with_price_state_and_next_bill(aiko: User, whmcs: Whmcs) -> None:
    give(
        whmcs,
        aiko,
        service(1, status="Terminated", next_due_date=""),
        service(2),
        service(3, billing_cycle="onetime", name="Activation fee"),
        service(4, status="Something new", billing_cycle="free"),
    )

    page = signed_in(aiko).get(reverse("services")).content.decode()

    assert page.index("Plan 2") < page.index("Plan 1")
    assert "¥4,730 per month" in page
    assert "1 Dec 2026" in page
    assert "Being checked" in page
    assert "Activation fee" not in page


def test_one_call_and_cached_for_seconds(aiko: User, whmcs: Whmcs, django_assert_max_num_queries: Any) -> None:
    browser = signed_in(aiko)
    browser.get(reverse("services"))
    # session, user, link, cached services, cart
    with django_assert_max_num_queries(6):
        browser.get(reverse("services"))
    assert whmcs.calls == ["services"]


def test_nothing_yet_offers_the_plans(aiko: User, whmcs: Whmcs) -> None:
    page = signed_in(aiko).get(reverse("services")).content.decode()

    assert "No services yet" in page
    assert reverse("catalog") in page


def test_whmcs_being_down_is_said_calmly(aiko: User, whmcs: Whmcs) -> None:
    whmcs.before["services"] = Unavailable("whmcs", "GetClientsProducts", "unreachable")

    answer = signed_in(aiko).get(reverse("services"))

    assert answer.status_code == 200
    assert "They keep working" in answer.content.decode()


def test_everybody_sees_their_own(aiko: User, ben: User, whmcs: Whmcs) -> None:
    give(whmcs, aiko, service(1, name="Plan of aiko"))

    assert "Plan of aiko" not in signed_in(ben).get(reverse("services")).content.decode()
