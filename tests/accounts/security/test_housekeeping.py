"""What is cleaned up by the clock: visitors' carts, rows of the cache, sessions of closed accounts."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from accounts import refresh
from accounts.models import User
from accounts.security import sessions
from integrations import gateway
from integrations.salesforce.schemas import AccountRecord
from orders import carts_left
from orders.models import Cart, CartLine
from portal.cron import EVERY
from portal.jobs import expired_cache
from tests.accounts.security.conftest import browser_of, is_signed_in

pytestmark = pytest.mark.django_db


def test_the_clock_runs_all_three() -> None:
    assert {
        "accounts.jobs.delete_expired_sessions",
        "orders.jobs.delete_left_carts",
        "portal.jobs.delete_expired_cache",
    } <= set(EVERY)


def cart(*, age: timedelta, user: User | None = None, line_age: timedelta | None = None) -> Cart:
    made = Cart.objects.create(user=user)
    Cart.objects.filter(pk=made.pk).update(updated_at=timezone.now() - age)
    if line_age is not None:
        line = CartLine.objects.create(cart=made, sku="VPN-US")
        CartLine.objects.filter(pk=line.pk).update(created_at=timezone.now() - line_age)
    return made


def test_only_visitors_carts_nobody_can_come_back_to_are_deleted(aiko: User) -> None:
    old, new = timedelta(days=61), timedelta(days=59)
    cart(age=old, line_age=old)
    cart(age=old)
    kept = [cart(age=new), cart(age=old, line_age=new), cart(age=old, user=aiko)]

    assert carts_left.delete_left() == {"deleted": 2}
    assert set(Cart.objects.all()) == set(kept)


def test_expired_rows_of_the_cache_go_and_living_ones_stay() -> None:
    cache.set("stays", 1, 600)
    cache.set("goes", 1, 600)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE portal_cache SET expires = now() - interval '1 s' WHERE cache_key LIKE '%%goes'")

    assert expired_cache() == {"deleted": 1}
    assert cache.get("stays") == 1


def test_the_refresh_signs_a_closed_accounts_customer_out(
    aiko: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, bens = browser_of(aiko), browser_of(ben)
    record = AccountRecord(
        id=aiko.link.sf_account_id,
        number=aiko.link.sf_account_no,
        name="Sato Aiko",
        whmcs_client="",
        portal_status="Inactive",
        contacts=(),
        internet_eligibility="",
        internet_eligibility_status="",
        identity_status="",
    )

    class Salesforce:
        def account_changes(self, since: Any) -> list[AccountRecord]:
            return [record]

    monkeypatch.setattr(gateway, "salesforce", Salesforce)
    refresh.refresh_accounts()

    assert not sessions.listed(aiko).exists()
    assert not is_signed_in(browser)
    assert is_signed_in(bens)
