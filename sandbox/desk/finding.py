"""Finding a record by whatever somebody reads out: an id, a number, an address, the beginning of a name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar
from urllib.parse import quote

from sandbox.ledger import Wanted
from sandbox.salesforce import ids
from sandbox.store import Record
from sandbox.world import World

MOST_OF_A_KIND = 10
LONGEST = 200
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
# Fields by which people ask, found by their beginning.
_BEGINNINGS = (
    ("Account", "Name"),
    ("Account", "SF_Account_No__c"),
    ("Contact", "Email"),
    ("Order", "OrderNumber"),
    ("Order", "Portal_Ref__c"),
    ("Case", "CaseNumber"),
    ("Product2", "StockKeepingUnit"),
)
_AFTER_EVERYTHING = "\U0010ffff"
T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """One record: where it is, what it is called, and the page that shows it."""

    system: str
    kind: str
    name: str
    detail: str
    url: str


def find(world: World, text: str) -> list[Found]:
    """Every record that `text` may mean, at most MOST_OF_A_KIND by each way of asking."""
    asked = text.strip()[:LONGEST]
    if not asked:
        return []
    ways = (_by_id, _by_beginning, _by_number, _by_email, _in_esim, _in_ledger)
    found = (each for way in ways for each in islice(way(world, asked), MOST_OF_A_KIND))
    return list({each.url: each for each in found}.values())


def salesforce(world: World, type_name: str, record: Record) -> Found:
    """A Salesforce record as it is listed; orders and accounts have a page of their own."""
    name_field = world.org.schema[type_name].name_field
    name = str(record.get(name_field.name) or "") if name_field else ""
    own = {"Order": "orders", "Account": "customers"}.get(type_name)
    url = f"/{own}/{record['Id']}" if own else f"/records/{type_name}/{record['Id']}"
    return Found("Salesforce", type_name, name or str(record["Id"]), str(record["Id"]), url)


def _by_id(world: World, asked: str) -> Iterator[Found]:
    if not _ID.fullmatch(asked):
        return
    record_id = ids.normalise(asked) or ""
    sobject = world.org.schema.of_id(record_id)
    record = world.org.get(sobject.name, record_id) if sobject and not sobject.event else None
    if sobject and record:
        yield salesforce(world, sobject.name, record)


def _by_beginning(world: World, asked: str) -> Iterator[Found]:
    for type_name, field in _BEGINNINGS:
        table = world.org.table(type_name)
        for record in islice(table.between(field, asked, asked + _AFTER_EVERYTHING), MOST_OF_A_KIND):
            yield salesforce(world, type_name, record)
    for contact in world.org.find("Contact", "Email", asked):
        account = world.org.get("Account", contact["AccountId"] or "")
        if account:
            yield salesforce(world, "Account", account)


def _by_number(world: World, asked: str) -> Iterator[Found]:
    if not (asked.isascii() and asked.isdecimal() and len(asked) <= 12):
        return
    whmcs, number = world.whmcs, int(asked)
    for order in world.org.find("Order", "WHMCS_Order_Id__c", number):
        yield salesforce(world, "Order", order)
    client, order_of, service = whmcs.clients.get(number), whmcs.orders.get(number), whmcs.services.get(number)
    invoice = whmcs.invoices.get(number)
    if client:
        yield Found(
            "WHMCS", "Client", f"{client.firstname} {client.lastname}", client.email, f"/billing/clients/{number}"
        )
    if order_of:
        yield Found(
            "WHMCS", "Order", str(number), order_of.status, f"/billing/clients/{order_of.client_id}#order-{number}"
        )
    if service:
        url = f"/billing/clients/{service.client_id}#service-{number}"
        yield Found("WHMCS", "Service", str(number), service.status, url)
    if invoice:
        url = f"/billing/clients/{invoice.client_id}#invoice-{number}"
        yield Found("WHMCS", "Invoice", str(number), invoice.status, url)


def _by_email(world: World, asked: str) -> Iterator[Found]:
    if "@" not in asked:
        return
    for client in world.whmcs.clients.find("email", asked):
        name = f"{client.firstname} {client.lastname}"
        yield Found("WHMCS", "Client", name, client.email, f"/billing/clients/{client.id}")
    count = world.mailbox.count(asked)
    if count:
        yield Found("Mail", "Messages", f"{count} to {asked}", "", f"/mail/?to={quote(asked)}")


def _in_esim(world: World, asked: str) -> Iterator[Found]:
    for field in ("line_ref", "order_ref", "msisdn", "iccid", "eid"):
        for line in world.esim.lines.find(field, asked):
            yield Found("eSIM", "Line", line.line_ref, line.status, f"/esim/lines/{line.id}")


def _in_ledger(world: World, asked: str) -> Iterator[Found]:
    count = world.ledger.count(Wanted(correlation_id=asked))
    if count:
        yield Found("Ledger", "Correlation id", asked, f"{count} rows", f"/ledger?word={quote(asked)}")
