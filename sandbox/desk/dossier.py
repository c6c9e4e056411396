"""Everything the systems hold about one order, gathered for a page."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.ledger import Entry
from sandbox.salesforce.events import PROVISION_TOPIC, UnknownSchema, Unreadable
from sandbox.store import Record
from sandbox.whmcs.billing.records import Invoice
from sandbox.whmcs.marks import marked_orders, services_of
from sandbox.whmcs.ordering.records import Order, Service
from sandbox.world import World

_EVERYTHING = 10_000
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


def order_rows(world: World, *, only: str = "") -> list[OrderRow]:
    """All Salesforce orders, newest first, or those in one status."""
    found = [each for each in world.org.records("Order") if only in ("", each["Status"], each["Activation_Status__c"])]
    return [_row(world, order) for order in reversed(found)]


def dossier(world: World, order_id: str) -> Dossier:
    """Raises ApiError when there is no such order."""
    order = world.org.existing("Order", order_id)
    items = world.org.find("OrderItem", "OrderId", order_id)
    return Dossier(
        row=_row(world, order),
        items=[ItemRow(item, _product_name(world, item)) for item in items],
        opportunity=world.org.get("Opportunity", order["OpportunityId"] or ""),
        billing=[billing_order(world, each) for each in marked_orders(world.whmcs, order_id)],
        events=events_of(world, order_id),
        entries=entries_about(world, order),
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
