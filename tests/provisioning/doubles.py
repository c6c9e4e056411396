"""The outside systems as far as provisioning sees them, in memory: what they hold, and how the next call goes.

They stand in for the clients at the gateway, so that every state of the worker can be reached in milliseconds; the
same ways over the wire are in test_on_the_wire.py.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from integrations.errors import OutsideError, Rejected, Unavailable, UnknownOutcome
from integrations.salesforce.schemas import CancelledOrder, OrderOutcome, ProvisionableItem, ProvisionableOrder
from integrations.whmcs.schemas import (
    AddedOrder,
    CatalogueProduct,
    Invoice,
    OrderRequest,
    PayMethod,
    Service,
    WhmcsOrder,
)

ORDER = "801000000000001AAA"
CLIENT = 7
MARK = "Salesforce Order Id"
CARD = PayMethod(1, "CreditCard", "Visa", "4242", "12/30", expired=False)
SERVICE_PID, ACTIVATION_PID = 101, 191


def key(number: int, order_id: str = ORDER) -> str:
    """The idempotency key of an order's n-th request."""
    return f"{order_id}-2026-11-20 12:34:56Z-{number}"


def item(**other: Any) -> ProvisionableItem:
    values: dict[str, Any] = {
        "id": "802000000000001AAA",
        "sku": "INT-APT-1G",
        "name": "Home Apartment 1G",
        "item_class": "Service",
        "category": "Internet",
        "billing_cycle": "Monthly",
        "quantity": 1,
        "unit_price": 4730,
        "whmcs_product_id": str(SERVICE_PID),
        "options": {},
        "whmcs_service_id": "",
    }
    return ProvisionableItem(**{**values, **other})


def activation(**other: Any) -> ProvisionableItem:
    values: dict[str, Any] = {
        "id": "802000000000002AAA",
        "sku": "ACT-INTERNET",
        "name": "Activation",
        "item_class": "Activation",
        "billing_cycle": "One-time",
        "unit_price": 3300,
        "whmcs_product_id": str(ACTIVATION_PID),
    }
    return item(**{**values, **other})


def order(**other: Any) -> ProvisionableOrder:
    values: dict[str, Any] = {
        "id": ORDER,
        "number": "00000101",
        "status": "Approved",
        "activation_status": "Activating",
        "last_idem_key": key(1),
        "attempt_count": 0,
        "whmcs_order_id": None,
        "portal_ref": "ref-1",
        "account_id": "001000000000001AAA",
        "account_number": "104882",
        "whmcs_client": str(CLIENT),
        "identity_status": "",
        "opportunity_id": "006000000000001AAA",
        "items": (item(), activation()),
    }
    return ProvisionableOrder(**{**values, **other})


def outside_only() -> None:
    """What the real clients assert: no outside call inside a database transaction."""
    assert not connection.in_atomic_block, "outside call inside a transaction"


@dataclass
class Trouble:
    """How the next calls of some operations go wrong; `after`: the work is done all the same."""

    error: OutsideError | BaseException
    after: bool = False


@dataclass
class Double:
    """What both systems share: the calls made, and troubles laid on operations."""

    calls: list[str] = field(default_factory=list)
    troubles: dict[str, list[Trouble]] = field(default_factory=dict)
    watch: Callable[[str], None] = lambda operation: None
    watch_after: Callable[[str], None] = lambda operation: None

    def trouble(self, operation: str, error: BaseException, *, after: bool = False, times: int = 1) -> None:
        self.troubles.setdefault(operation, []).extend([Trouble(error, after)] * times)

    def count(self, operation: str) -> int:
        return self.calls.count(operation)

    @contextmanager
    def _called(self, operation: str) -> Iterator[None]:
        outside_only()
        self.calls.append(operation)
        self.watch(operation)
        queue = self.troubles.get(operation, [])
        trouble = queue.pop(0) if queue else None
        if trouble and not trouble.after:
            raise trouble.error
        yield
        self.watch_after(operation)
        if trouble:
            raise trouble.error


@dataclass
class SalesforceDouble(Double):
    orders: dict[str, ProvisionableOrder] = field(default_factory=dict)
    reports: list[OrderOutcome] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    failed_at: dict[str, datetime] = field(default_factory=dict)
    opportunities: dict[str, int | None] = field(default_factory=dict)
    moved_on: set[str] = field(default_factory=set)  # opportunities that a person took further
    refuse_opportunity: bool = False
    saved_at: datetime = datetime(2026, 11, 20, tzinfo=UTC)

    def order_for_provisioning(self, order_id: str) -> ProvisionableOrder | None:
        with self._called("order_for_provisioning"):
            return self.orders.get(order_id)

    def report_outcome(self, outcome: OrderOutcome) -> str:
        """The guard of decisions.md 25: key and status are compared before anything is written."""
        with self._called("report_outcome"):
            row = self.orders.get(outcome.order_id)
            if row is None or (outcome.idem_key and outcome.idem_key != row.last_idem_key):
                return "superseded"
            if not self._waits_for(outcome, row):
                return "sent" if self._stands(outcome, row) else "superseded"
            if outcome.with_opportunity and self.refuse_opportunity:
                raise Rejected("salesforce", "report_outcome", "opportunity", "the opportunity is locked")
            self._write(row, outcome)
        return "sent"

    def _waits_for(self, outcome: OrderOutcome, row: ProvisionableOrder) -> bool:
        if outcome.provisioned:
            return row.activation_status in {"Activating", "Failed"} and row.status in {"Approved", "Activated"}
        ours = outcome.replaces is not None and self.failed_at.get(row.id) == outcome.replaces
        return row.activation_status == "Activating" or (row.activation_status == "Failed" and ours)

    def _stands(self, outcome: OrderOutcome, row: ProvisionableOrder) -> bool:
        if outcome.provisioned:
            return row.activation_status == "Provisioned" and row.whmcs_order_id == outcome.whmcs_order_id
        return row.activation_status == "Failed" and self.failed_at.get(row.id) == outcome.at

    def _write(self, row: ProvisionableOrder, outcome: OrderOutcome) -> None:
        self.reports.append(outcome)
        self.errors[row.id] = outcome.error
        if not outcome.provisioned:
            self.failed_at[row.id] = outcome.at
        if outcome.provisioned and outcome.with_opportunity:
            self.opportunities[outcome.opportunity_id] = outcome.opportunity_service_id
        self.orders[row.id] = replace(
            row,
            activation_status="Provisioned" if outcome.provisioned else "Failed",
            status="Activated" if outcome.provisioned else row.status,
            whmcs_order_id=outcome.whmcs_order_id,
            attempt_count=outcome.attempt_count,
        )

    def activate_opportunity(
        self, *, order_id: str, whmcs_order_id: int, opportunity_id: str, whmcs_service_id: int | None
    ) -> str:
        with self._called("activate_opportunity"):
            row = self.orders[order_id]
            stands = (row.status, row.activation_status, row.whmcs_order_id)
            if stands != ("Activated", "Provisioned", whmcs_order_id) or opportunity_id in self.moved_on:
                return "superseded"
            if self.refuse_opportunity:
                raise Rejected("salesforce", "activate_opportunity", "locked", "the opportunity is locked")
            self.opportunities[opportunity_id] = whmcs_service_id
        return "sent"

    def activating_orders(self, *, before: datetime) -> Sequence[Any]:
        with self._called("activating_orders"):
            return [
                Activating(each.id, each.last_idem_key, "corr-1", datetime(2026, 11, 20, 12, tzinfo=UTC))
                for each in self.orders.values()
                if each.activation_status == "Activating"
            ]

    def cancelled_orders(self, *, since: datetime) -> list[CancelledOrder]:
        with self._called("cancelled_orders"):
            saved = [CancelledOrder(each.id, self.saved_at) for each in self.orders.values() if cancelled(each)]
            return [each for each in saved if each.modstamp >= since]

    def is_cancelled(self, order_id: str = ORDER) -> None:
        """Somebody cancels the order there, just now."""
        self.saved_at = datetime.now(UTC)
        self.orders[order_id] = replace(self.orders[order_id], status="Cancelled")

    def request_provisioning(self, order_id: str) -> None:
        """What the flow does: a new key; the event is the test's to deliver."""
        with self._called("request_provisioning"):
            row = self.orders[order_id]
            number = int(row.last_idem_key.rpartition("-")[2] or 0) + 1
            self.orders[order_id] = replace(row, activation_status="Activating", last_idem_key=key(number, order_id))


def cancelled(order: ProvisionableOrder) -> bool:
    return order.status == "Cancelled"


@dataclass(frozen=True)
class Activating:
    id: str
    idem_key: str
    correlation_id: str
    modstamp: datetime


@dataclass
class WhmcsDouble(Double):
    methods: list[PayMethod] = field(default_factory=lambda: [CARD])
    order_rows: dict[int, WhmcsOrder] = field(default_factory=dict)
    service_rows: dict[int, Service] = field(default_factory=dict)
    invoice_rows: dict[int, Invoice] = field(default_factory=dict)
    moduleless: set[int] = field(default_factory=lambda: {ACTIVATION_PID, 291})
    moduleless_stay_pending: bool = False
    failing_pids: set[int] = field(default_factory=set)
    requests: list[OrderRequest] = field(default_factory=list)
    stores_mark: bool = True
    stores_notes: bool = True
    cancelling_cascades: bool = False

    def pay_methods(self, client_id: int) -> list[PayMethod]:
        with self._called("pay_methods"):
            return list(self.methods)

    def catalogue(self) -> list[CatalogueProduct]:
        with self._called("catalogue"):
            return [
                CatalogueProduct(pid, "", "" if pid in self.moduleless else "prov", None, None, {MARK: 5000 + pid})
                for pid in (SERVICE_PID, ACTIVATION_PID, 201, 291)
            ]

    def services(self, client_id: int) -> list[Service]:
        with self._called("services"):
            return [each for each in self.service_rows.values() if each.client_id == client_id]

    def order(self, order_id: int) -> WhmcsOrder | None:
        with self._called("order"):
            return self.order_rows.get(order_id)

    def orders(self, client_id: int) -> list[WhmcsOrder]:
        with self._called("orders"):
            return [each for each in self.order_rows.values() if each.client_id == client_id]

    def add_order(self, request: OrderRequest) -> AddedOrder:
        with self._called("add_order"):
            return self.put(request)

    def put(self, request: OrderRequest) -> AddedOrder:
        """The order as WHMCS stores it; also for orders that come from somewhere else."""
        self.requests.append(request)
        order_id = max(self.order_rows, default=500) + 1
        notes = request.notes if self.stores_notes else ""
        total, invoice_id = Decimal(sum(line.price for line in request.lines)), order_id + 400
        self.invoice_rows[invoice_id] = Invoice(invoice_id, request.client_id, "Unpaid", total, total)
        self.order_rows[order_id] = WhmcsOrder(order_id, request.client_id, "Pending", invoice_id, notes)
        ids = [self._put_service(order_id, request.client_id, line) for line in request.lines]
        return AddedOrder(order_id, tuple(ids), invoice_id)

    def _put_service(self, order_id: int, client_id: int, line: Any) -> int:
        service_id = max(self.service_rows, default=1000) + 1
        marks = {MARK: next(iter(line.custom_fields.values()), "")} if self.stores_mark else {}
        price = Decimal(line.price)
        self.service_rows[service_id] = Service(
            service_id, order_id, client_id, line.pid, "", "Pending", line.cycle, price, "", marks
        )
        return service_id

    def accept_order(self, order_id: int, *, set_up: bool = True) -> None:
        with self._called("accept_order"):
            row = self.order_rows.get(order_id)
            if row is None or row.status != "Pending":
                raise Rejected("whmcs", "AcceptOrder", "not_pending", "Order ID not found or Status not Pending")
            for service in self.of_order(order_id):
                self._set_up(service, set_up)
            self.order_rows[order_id] = replace(row, status="Active")

    def _set_up(self, service: Service, set_up: bool) -> None:
        if service.pid in self.moduleless:
            self.set_status(service.id, "Pending" if self.moduleless_stay_pending else "Completed")
        elif service.status == "Pending" and set_up:
            if service.pid in self.failing_pids:
                raise Rejected("whmcs", "AcceptOrder", "module", "the module said no")
            self.set_status(service.id, "Active")

    def cancel_order(self, order_id: int) -> None:
        with self._called("cancel_order"):
            row = self.order_rows[order_id]
            if row.status != "Pending":
                raise Rejected("whmcs", "CancelOrder", "not_pending")
            self.order_rows[order_id] = replace(row, status="Cancelled")
            for service in self.of_order(order_id) if self.cancelling_cascades else ():
                self.set_status(service.id, "Cancelled")

    def invoice(self, invoice_id: int) -> Invoice | None:
        with self._called("invoice"):
            return self.invoice_rows.get(invoice_id)

    def cancel_invoice(self, invoice_id: int) -> None:
        with self._called("cancel_invoice"):
            self.invoice_rows[invoice_id] = replace(self.invoice_rows[invoice_id], status="Cancelled")

    def pay(self, order_id: int) -> None:
        """The customer has paid this order's invoice."""
        invoice = self.invoice_rows[order_id + 400]
        self.invoice_rows[invoice.id] = replace(invoice, status="Paid", balance=Decimal(0))

    def open_invoices(self) -> list[int]:
        """Ids of the orders whose invoice still asks for money or took it."""
        return [each.id - 400 for each in self.invoice_rows.values() if not each.settled]

    def module_create(self, service_id: int) -> None:
        with self._called("module_create"):
            if self.service_rows[service_id].pid in self.failing_pids:
                raise Rejected("whmcs", "ModuleCreate", "module", "the module said no")
            self.set_status(service_id, "Active")

    def set_service_status(self, service_id: int, status: str) -> None:
        with self._called("set_service_status"):
            self.set_status(service_id, status)

    def set_status(self, service_id: int, status: str) -> None:
        self.service_rows[service_id] = replace(self.service_rows[service_id], status=status)

    def of_order(self, order_id: int) -> list[Service]:
        return [each for each in self.service_rows.values() if each.order_id == order_id]

    def statuses(self) -> Mapping[int, str]:
        """Order id -> status of every WHMCS order."""
        return {each.id: each.status for each in self.order_rows.values()}


def refused() -> Unavailable:
    return Unavailable("whmcs", "AddOrder", "refused", "connection refused")


def no_answer(operation: str = "AddOrder") -> UnknownOutcome:
    return UnknownOutcome("whmcs", operation, "timeout", "no answer within 30 s")
