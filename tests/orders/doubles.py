"""Salesforce and WHMCS at the gateway, in memory: for lost answers, outages and races that the wire cannot time."""

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import connection

from integrations.errors import OutsideError, Rejected, UnknownOutcome
from integrations.salesforce.schemas import (
    NewOrder,
    OpportunityRecord,
    OrderChange,
    OrderInReview,
    PlacedOrder,
    ProductRecord,
    ProvisionableItem,
)
from integrations.whmcs.schemas import PayMethod, Service
from tests.catalog.goods import Shop

CARD = PayMethod(id=1, kind="RemoteCreditCard", brand="Visa", last_four="4417", expires="12/30", expired=False)


def outside_transaction() -> None:
    assert not connection.in_atomic_block, "remote call inside a transaction"


@dataclass
class Salesforce(Shop):
    """The catalogue, and orders by their reference, which is unique as it is in the org."""

    placed: dict[str, PlacedOrder] = field(default_factory=dict)
    asked: list[NewOrder] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    opportunities: list[OpportunityRecord] = field(default_factory=list)
    changes: list[OrderChange] = field(default_factory=list)
    asked_since: list[datetime | None] = field(default_factory=list)
    fails: dict[str, OutsideError] = field(default_factory=dict)
    opportunity: OpportunityRecord | None = None
    opportunity_locked: bool = False
    stages: list[str] = field(default_factory=list)
    loses_answer: bool = False
    pause: Callable[[], None] = lambda: None
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def catalogue(self, pricebook_name: str) -> list[ProductRecord]:
        return super().catalogue(pricebook_name)

    def open_opportunities(self, *, account_id: str, commodity: str) -> list[OpportunityRecord]:
        self._called("open_opportunities")
        return self.opportunities

    def place_order(self, new: NewOrder) -> PlacedOrder:
        self._called("place_order")
        with self._lock:
            placed = self.placed.get(new.ref) or self._place(new)
        if self.loses_answer:
            self.loses_answer = False
            raise UnknownOutcome("salesforce", "place_order", "timeout")
        return placed

    def order_by_ref(self, ref: str) -> PlacedOrder | None:
        self._called("order_by_ref")
        return self.placed.get(ref)

    def order_changes(self, *, since: datetime | None) -> list[OrderChange]:
        self._called("order_changes")
        self.asked_since.append(since)
        return [change for change in self.changes if since is None or change.modstamp >= since]

    def order_change(self, order_id: str) -> OrderChange | None:
        self._called("order_change")
        return next((change for change in self.changes if change.id == order_id), None)

    def orders_of_accounts(self, account_ids: Sequence[str]) -> list[OrderChange]:
        self._called("orders_of_accounts")
        return [change for change in self.changes if change.account_id in account_ids]

    def order_in_review(self, order_id: str) -> OrderInReview | None:
        self._called("order_in_review")
        found = next((change for change in self.changes if change.id == order_id), None)
        return None if found is None else OrderInReview(found, self.opportunity)

    def cancel_order(self, seen: OrderInReview, *, stage: str) -> OrderChange:
        self._called("cancel_order")
        self.stages.append(stage)
        if stage and self.opportunity_locked:
            raise Rejected("salesforce", "cancel_order", "opportunity", "a rule of the org")
        (at,) = (index for index, change in enumerate(self.changes) if change.id == seen.order.id)
        if self.changes[at] != seen.order:
            raise Rejected("salesforce", "cancel_order", "not_in_review", "")
        self.changes[at] = replace(seen.order, status="Cancelled", modstamp=seen.order.modstamp + timedelta(minutes=1))
        return self.changes[at]

    def _called(self, name: str) -> None:
        outside_transaction()
        self.calls.append(name)
        if name in self.fails:
            raise self.fails[name]
        self.pause()

    def _place(self, new: NewOrder) -> PlacedOrder:
        n = next(self._ids)
        items = tuple(f"802TEST{n:04d}{i:04d}AAA" for i, _ in enumerate(new.items))
        opportunity = new.opportunity_id or f"006TEST{n:08d}AAA"
        self.placed[new.ref] = PlacedOrder(f"801TEST{n:08d}AAA", f"{n:08d}", opportunity, items)
        self.asked.append(new)
        return self.placed[new.ref]


def opportunity(
    opportunity_id: str,
    stage: str = "Ready",
    *,
    commodity: str = "SIM",
    source: str = "Sales - Manual",
    ref: str = "",
    minute: int = 0,
) -> OpportunityRecord:
    return OpportunityRecord(
        id=opportunity_id,
        stage=stage,
        commodity=commodity,
        source=source,
        portal_ref=ref,
        created=datetime(2026, 11, 20, 9, minute, tzinfo=UTC),
    )


@dataclass
class Whmcs:
    """Pay methods and services of whoever asks."""

    methods: list[PayMethod] = field(default_factory=lambda: [CARD])
    held: list[Service] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    error: OutsideError | None = None

    def pay_methods(self, client_id: int) -> list[PayMethod]:
        self._called("pay_methods")
        return self.methods

    def services(self, client_id: int) -> list[Service]:
        self._called("services")
        return self.held

    def sso_url(self, *, client_id: int, destination: str) -> str:
        self._called("sso_url")
        return f"https://whmcs.invalid/oauth/singlesignon.php?access_token={client_id}-{len(self.calls)}"

    def _called(self, name: str) -> None:
        outside_transaction()
        self.calls.append(name)
        if self.error:
            raise self.error


def service(pid: int, status: str = "Active") -> Service:
    return Service(
        id=1,
        order_id=1,
        client_id=1,
        pid=pid,
        name="",
        status=status,
        billing_cycle="monthly",
        recurring_amount=Decimal(0),
        next_due_date="",
        custom_fields={},
    )


def change(
    order_id: str,
    *,
    ref: str = "",
    status: str = "Pending Review",
    activation: str = "Pending Review",
    minute: int = 0,
    error: str = "",
    whmcs_order_id: int | None = None,
    account: str = "001TEST00000001AAA",
    items: tuple[ProvisionableItem, ...] | None = (),
) -> OrderChange:
    return OrderChange(
        id=order_id,
        portal_ref=ref,
        number="00000100",
        account_id=account,
        opportunity_id="006TEST00000001AAA",
        status=status,
        activation_status=activation,
        activation_error=error,
        whmcs_order_id=whmcs_order_id,
        modstamp=datetime(2026, 11, 20, 10, minute, tzinfo=UTC),
        created=datetime(2026, 11, 19, 3, 0, tzinfo=UTC),
        items=items,
    )
