"""Everything the systems hold about one order, gathered for a page."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sandbox.esim.records import Line, Ticket
from sandbox.ledger import Entry
from sandbox.salesforce.events import PROVISION_TOPIC, UnknownSchema, Unreadable
from sandbox.store import Record
from sandbox.whmcs.billing.records import Invoice
from sandbox.whmcs.marks import marked_orders, services_of
from sandbox.whmcs.ordering.records import Order, Service
from sandbox.world import World

_EVERYTHING = 10_000
_ACTIVATION = ("Activating", "Provisioned", "Failed")
_MOST_ENTRIES = 1_000


@dataclass(frozen=True)
class OrderRow:
    """One line of the overview."""

    order: Record
    account: Record
    services: list[str]

    @property
    def reference(self) -> str:
        """The portal's own number, which is the first part of its reference."""
        return str(self.order["Portal_Ref__c"] or "").split(":")[0]


@dataclass(frozen=True)
class ItemRow:
    """An order item with its product's name."""

    item: Record
    product: str


@dataclass(frozen=True)
class BillingOrder:
    """A WHMCS order with what belongs to it."""

    order: Order
    services: list[tuple[Service, str]]
    invoices: list[Invoice]


@dataclass(frozen=True)
class PublishedEvent:
    """An event about the order, as a subscriber gets it."""

    replay: int
    at: datetime
    fields: dict[str, Any]


@dataclass(frozen=True)
class Dossier:
    """One order, everywhere."""

    row: OrderRow
    items: list[ItemRow]
    opportunity: Record | None
    billing: list[BillingOrder]
    events: list[PublishedEvent]
    entries: list[Entry]
    lines: list[Line]
    tickets: list[Ticket]


def order_rows(world: World, *, only: str, skip: int, limit: int) -> list[OrderRow]:
    """A part of the Salesforce orders, newest first: all, or those in one status of the order or of its activation."""
    table = world.org.table("Order")
    if not only:
        return [_row(world, each) for each in islice(table.all(newest_first=True), skip, skip + limit)]
    field = "Activation_Status__c" if only in _ACTIVATION else "Status"
    return [_row(world, each) for each in table.newest(field, only, limit=limit, skip=skip)]


def orders_of(world: World, account_id: str) -> list[OrderRow]:
    """An account's orders, newest first."""
    return [_row(world, each) for each in reversed(world.org.find("Order", "AccountId", account_id))]


def dossier(world: World, order_id: str) -> Dossier:
    """Raises ApiError when there is no such order."""
    order = world.org.existing("Order", order_id)
    items, row = world.org.find("OrderItem", "OrderId", order_id), _row(world, order)
    world.esim.move_on()
    lines = [line for ref in {order_id, row.reference} if ref for line in world.esim.lines.find("order_ref", ref)]
    return Dossier(
        row=row,
        items=[ItemRow(item, _product_name(world, item)) for item in items],
        opportunity=world.org.get("Opportunity", order["OpportunityId"] or ""),
        billing=[billing_order(world, each) for each in marked_orders(world.whmcs, order_id)],
        events=events_of(world, order_id),
        entries=entries_about(world, order),
        lines=lines,
        tickets=[ticket for line in lines for ticket in world.esim.tickets.find("line_ref", line.line_ref)],
    )


def billing_order(world: World, order: Order) -> BillingOrder:
    """A WHMCS order with its services and invoices."""
    services = [(each, world.whmcs.products[each.pid].name) for each in services_of(world.whmcs, order)]
    return BillingOrder(order, services, world.whmcs.invoices.find("order_id", order.id))


def events_of(world: World, order_id: str) -> list[PublishedEvent]:
    """What was published about this order, oldest first."""
    found = []
    for event in world.bus.after(PROVISION_TOPIC, 0, _EVERYTHING):
        # Somebody may have put poison on the bus.
        with suppress(UnknownSchema, Unreadable):
            fields = world.schemas.decode(event.schema_id, event.payload)
            if fields.get("OrderId__c") == order_id:
                found.append(PublishedEvent(event.replay, event.created_at, fields))
    return found


def entries_about(world: World, order: Record) -> list[Entry]:
    """The newest ledger rows that name the order, carry its mark or share its correlation id, newest first."""
    return world.ledger.about(order["Id"], order["Portal_Correlation_Id__c"] or None, limit=_MOST_ENTRIES)


def _row(world: World, order: Record) -> OrderRow:
    account = world.org.get("Account", order["AccountId"] or "") or {"Name": "no account", "SF_Account_No__c": ""}
    items = world.org.find("OrderItem", "OrderId", order["Id"])
    return OrderRow(order, account, [str(each["WHMCS_Service_ID__c"]) for each in items if each["WHMCS_Service_ID__c"]])


def _product_name(world: World, item: Record) -> str:
    product = world.org.get("Product2", item["Product2Id"] or "")
    return str(product["Name"]) if product else ""
