"""A thousand customers watch their orders for ten minutes: what that costs Salesforce, by the sandbox's ledger.

Nobody waits: the clocks are moved. The ages of rounds grow in their rows, and `watched` reads a clock of ours. Of the
thousand browsers two really poll, every five seconds as the page does; the marks of the others are set in Redis as
their polls would set them. Only the orders that support approves stand in Salesforce too: what is asked by change
costs the same for any number. What else housekeeping asks Salesforce in that time (catalogue, clean-up, reconciler:
eight calls) it asks whether anybody watches or not.
"""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import django_rq
import pytest
import requests
from django.conf import settings as current
from django.db.models import F
from django.utils import timezone

from accounts import jobs as account_jobs
from accounts.models import CustomerLink, User
from catalog.queries import sound
from integrations.salesforce.ids import sf_id
from journal.models import Round
from orders import jobs, watched
from orders.models import AccountRead, Order, RefreshCursor
from orders.status import Status, status_of
from portal import clients
from portal.cron import EVERY
from tests.orders.test_wire import calls, customer
from tests.org import rows
from tests.people import signed_in
from tests.sandbox_process import Sandbox

__all__ = ["customer"]
pytestmark = pytest.mark.django_db(transaction=True)
CUSTOMERS, POLL_S, MINUTES, MOST_CALLS = 1000, 5, 10, 40


@pytest.fixture
def orders(customer: User, sandbox: Sandbox) -> list[Order]:
    """A thousand customers with an order in review each, which was placed an hour ago and has been read since."""
    users = User.objects.bulk_create(
        User(email=f"{uuid.uuid4().hex[:12]}@example.jp", given_name="Aiko", family_name="Sato")
        for _ in range(CUSTOMERS)
    )
    links = CustomerLink.objects.bulk_create(
        CustomerLink(
            user=user,
            state=CustomerLink.State.LINKED,
            sf_account_id=sf_id(f"001{n:012d}"),
            sf_account_no=f"P{n:06d}",
            whmcs_client_id=500_000 + n,
            portal_status="Active",
            account_refreshed_at=timezone.now(),
        )
        for n, user in enumerate(users)
    )
    known = [*links, customer.link]
    AccountRead.objects.bulk_create(AccountRead(link=link, sf_account_id=link.sf_account_id) for link in known)
    RefreshCursor.objects.create(name="orders", modstamp=timezone.now())
    refs = [f"POLL-{uuid.uuid4().hex[:12]}" for _ in users]
    ids = in_salesforce_for_an_hour(sandbox, customer, refs[:MINUTES])
    return Order.objects.bulk_create(
        Order(
            number=f"SX-{n:04d}-900",
            user=user,
            portal_ref=ref,
            cart_hash=ref,
            local_state=Order.Local.PLACED,
            sf_order_id=ids.get(ref) or sf_id(f"801{n:012d}"),
            sf_status="Pending Review",
            sf_activation_status="Pending Review",
            category="VPN",
        )
        for n, (user, ref) in enumerate(zip(users, refs, strict=True))
    )


def in_salesforce_for_an_hour(sandbox: Sandbox, customer: User, refs: list[str]) -> dict[str, str]:
    """Orders under these references that nobody has saved since; reference -> id."""
    clients.token_source().token()  # by the right clock
    sandbox.control("/control/clock", {"advance_s": -3600})
    try:
        return made_in_salesforce(sandbox, customer, refs)
    finally:
        sandbox.control("/control/clock", {"reset": True})


def made_in_salesforce(sandbox: Sandbox, customer: User, refs: list[str]) -> dict[str, str]:
    """With an item each."""
    (book,) = rows(sandbox, f"SELECT Id FROM Pricebook2 WHERE Name = '{current.PORTAL_PRICEBOOK_NAME}'")
    order = {
        "attributes": {"type": "Order"},
        "AccountId": customer.link.sf_account_id,
        "Pricebook2Id": book["Id"],
        "EffectiveDate": "2026-11-20",
        "Status": "Pending Review",
        "Activation_Status__c": "Pending Review",
    }
    ids = posted(sandbox, [order | {"Portal_Ref__c": ref} for ref in refs])
    entry = sound().get(sku="VPN-US").sf_pricebook_entry_id
    item = {"attributes": {"type": "OrderItem"}, "PricebookEntryId": entry, "Quantity": 1, "UnitPrice": 550}
    posted(sandbox, [item | {"OrderId": order_id} for order_id in ids])
    return dict(zip(refs, ids, strict=True))


def posted(sandbox: Sandbox, records: list[dict[str, Any]]) -> list[str]:
    """The ids of at most 200 new records, made in one call."""
    token = clients.token_source().token()
    url = f"{token.instance_url}/services/data/v{current.SF_API_VERSION}/composite/sobjects"
    headers, body = {"Authorization": f"Bearer {token.access_token}"}, {"allOrNone": True, "records": records}
    answer = requests.post(url, json=body, headers=headers, verify=sandbox.urls["ca"], timeout=60)
    assert answer.ok, answer.text
    return [row["id"] for row in answer.json()]


def asked_of_salesforce(sandbox: Sandbox, after: int) -> list[str]:
    """Every call; the event that the desk's approval publishes is none."""
    return [what for system, what in calls(sandbox, after) if system == "salesforce" and what != "event.publish"]


class Clock:
    """Moves what tells time: the ages of rounds, and the clock of `watched`."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def goes_on(self, seconds: int) -> None:
        self.now += seconds
        Round.objects.update(started_at=F("started_at") - timedelta(seconds=seconds))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Clock]:
    settings.WATCHED_REFRESH_S, settings.REFRESH_S = 20, 300  # as in production
    moved = Clock()
    monkeypatch.setattr("orders.watched.time", SimpleNamespace(time=moved))
    yield moved
    django_rq.get_connection("housekeeping").delete(watched.KEY)


REFRESHES: dict[str, Callable[[], None]] = {
    "orders.jobs.refresh": jobs.refresh,
    "accounts.jobs.refresh_accounts": account_jobs.refresh_accounts,
}


def test_they_cost_at_most_forty_calls(orders: list[Order], clock: Clock, sandbox: Sandbox) -> None:
    everybody = [order.pk for order in orders]
    browsers = [(signed_in(order.user), order) for order in orders[:2] if order.user]
    before = sandbox.last_ledger_id()
    for second in range(0, MINUTES * 60, POLL_S):
        for browser, order in browsers:
            assert browser.get(f"/orders/{order.number}/status/").status_code == 200
        django_rq.get_connection("housekeeping").zadd(watched.KEY, {str(pk): clock.now for pk in everybody})
        for job, refresh in REFRESHES.items():
            if second % EVERY[job] == 0:
                refresh()
        if second % 60 == 0:
            sandbox.control(f"/control/desk/orders/{orders[second // 60].sf_order_id}/approve")
        clock.goes_on(POLL_S)
    asked = asked_of_salesforce(sandbox, before)
    assert len(asked) <= MOST_CALLS
    assert len(asked) >= MINUTES * 60 // 20, "otherwise nobody was kept up to date"
    seen = Order.objects.in_bulk([order.pk for order in orders[:MINUTES]])
    assert {status_of(order) for order in seen.values()} == {Status.ACTIVATING}


def test_while_nobody_watches_it_is_asked_rarely_and_still_noticed(
    orders: list[Order], clock: Clock, sandbox: Sandbox
) -> None:
    before, order = sandbox.last_ledger_id(), orders[0]
    sandbox.control(f"/control/desk/orders/{order.sf_order_id}/cancel")
    for _second in range(0, MINUTES * 60, 20):
        jobs.refresh()
        clock.goes_on(20)
    assert asked_of_salesforce(sandbox, before) == ["query", "query"], "at the beginning and five minutes later"
    order.refresh_from_db()
    assert status_of(order) is Status.CANCELLED
