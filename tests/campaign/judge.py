"""The verdict on one order: the ledger and the outside systems say what happened, our tables what the portal thinks."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from integrations import gateway
from journal import calls
from notifications.models import Email
from orders.models import Order
from provisioning.models import Attempt, Outbox, Task
from provisioning.remote_orders import subject_of
from tests.campaign.shop import Shop

DEAD = {"Cancelled", "Fraud", "Terminated"}
WORKING = {"Active", "Completed"}
MAILS = 2
CLOCKS = timedelta(seconds=1)  # between the database's clock and ours


@dataclass(frozen=True)
class Problem:
    """`kind`: lost, doubled, unknown or wrong."""

    kind: str
    text: str


def problems(shop: Shop, order_id: str) -> list[Problem]:
    """Everything that is not as it must be once the order has come to its end; empty when all is well."""
    order, held = shop.order(order_id), shop.whmcs(order_id)
    if order["Status"] == "Cancelled":
        return [*_sent_again(shop, order_id), *_cancelled(order_id, held, shop.esim(order_id))]
    found = [*_sent_again(shop, order_id), *_in_whmcs(shop, order_id, held), *_in_salesforce(order, held)]
    return [*found, *_here(order_id), *_at_the_esim_provider(order, shop.esim(order_id), order_id)]


def _at_the_esim_provider(order: dict[str, Any], lines: list[dict[str, Any]], order_id: str) -> list[Problem]:
    """One line for each SIM, none without, and Salesforce knows its card."""
    wanted = sum(item.category == "SIM" and item.item_class == "Service" for item in items_of(order_id))
    if len(lines) != wanted:
        return [Problem("doubled" if len(lines) > wanted else "lost", f"{len(lines)} eSIM lines instead of {wanted}")]
    found = [
        Problem("lost", f"eSIM line {each['id']} is {each['status']}") for each in lines if each["status"] != "active"
    ]
    if [each["iccid"] for each in lines] != [order["ESIM_ICCID__c"]] * wanted:
        found.append(Problem("wrong", "Salesforce has another ICCID"))
    return found


def _in_whmcs(shop: Shop, order_id: str, held: dict[str, Any]) -> list[Problem]:
    live = [each for each in held["orders"] if each["status"] not in DEAD]
    if not live:
        return [Problem("lost", "WHMCS has no live order")]
    if len(live) > 1:
        return [Problem("doubled", f"WHMCS orders {_list(live)} live")]
    services = [each for each in held["services"] if each["status"] not in DEAD]
    found = [
        Problem("lost", f"service {each['id']} is {each['status']}")
        for each in services
        if each["status"] not in WORKING
    ]
    expected = len(items_of(order_id))
    if len(services) != expected:
        kind = "doubled" if len(services) > expected else "lost"
        found.append(Problem(kind, f"{len(services)} live services for {expected} items"))
    invoices = [each for each in held["invoices"] if each["status"] != "Cancelled"]
    if len(invoices) > 1:
        found.append(Problem("doubled", f"invoices {_list(invoices)} are open or paid"))
    return found + _in_the_ledger(shop, order_id, held)


def _in_the_ledger(shop: Shop, order_id: str, held: dict[str, Any]) -> list[Problem]:
    """What was set up at any time, whatever stands in the tables now."""
    rows = shop.buttons.ledger(system="whmcs", operation="module.create", word=order_id)
    made = [row["key"] for row in rows if row["detail"]["mark"] == order_id and not row["detail"]["error"]]
    accepted = [each for each in held["orders"] if each["status"] == "Active"]
    found = [
        Problem("doubled", f"service {each} was set up more than once") for each in {*made} if made.count(each) > 1
    ]
    if len(accepted) != 1:
        found.append(Problem("doubled" if accepted else "lost", f"{len(accepted)} accepted WHMCS orders"))
    return found


def _sent_again(shop: Shop, order_id: str) -> list[Problem]:
    """An AddOrder of the portal though what an earlier one had made was there, even if it was cancelled afterwards."""
    rows = shop.buttons.ledger(system="whmcs", after=shop.placed_at)
    added = [row for row in rows if row["operation"] == "AddOrder" and order_id in json.dumps(row["detail"])]
    cancelled = [row for row in rows if row["operation"] == "CancelOrder"]
    return [
        Problem("doubled", f"AddOrder was sent again although WHMCS order {first['key']} was there")
        for first, second in pairwise(added)
        if not any(first["number"] < row["number"] < second["number"] for row in cancelled)
    ]


def _after_its_end(attempts: Iterable[Attempt]) -> list[Problem]:
    """A step that began when the attempt was over: whoever worked on it did not notice that it was taken away."""
    found = []
    for attempt in attempts:
        if attempt.finished_at:
            late = attempt.steps.filter(started_at__gt=attempt.finished_at + CLOCKS).exclude(name__startswith="staff:")
            found += [Problem("wrong", f"attempt {attempt} went on after its end: {step.name}") for step in late]
    return found


def _in_salesforce(order: dict[str, Any], held: dict[str, Any]) -> list[Problem]:
    said = (order["Status"], order["Activation_Status__c"])
    found = [] if said == ("Activated", "Provisioned") else [Problem("lost", f"Salesforce says {said}")]
    number = order.get("WHMCS_Order_Id__c")
    if int(number or 0) not in {each["id"] for each in held["orders"] if each["status"] == "Active"}:
        found.append(Problem("wrong", f"Salesforce names WHMCS order {number}"))
    return found


def _here(order_id: str) -> list[Problem]:
    attempts = Attempt.objects.filter(order_id=order_id)
    found = [Problem("unknown", f"attempt {each}") for each in attempts if each.state in Attempt.LIVE]
    found += _after_its_end(attempts)
    if not attempts.filter(state=Attempt.State.PROVISIONED).exists():
        found.append(Problem("wrong", "no attempt is PROVISIONED"))
    found += [Problem("unknown", f"open call {each.operation}") for each in calls.open_calls(subject_of(order_id))]
    reports = Outbox.objects.filter(order_id=order_id)
    found += [Problem("wrong", f"report {each}") for each in reports.filter(state__in=["PENDING", "REFUSED"])]
    portal = Order.objects.filter(sf_order_id=order_id).first()
    if portal is not None:
        found += _of_the_customer(portal, order_id)
    return found


def _of_the_customer(portal: Order, order_id: str) -> list[Problem]:
    mails = Email.objects.filter(cause__in=[f"provisioned:{order_id}", f"delayed:{order_id}"]).count()
    found = [] if 1 <= mails <= MAILS else [Problem("wrong", f"{mails} mails")]
    if portal.progress != Order.Progress.PROVISIONED:
        found.append(Problem("wrong", f"the page says {portal.progress or 'nothing'}"))
    return found


def left_of_cancelled(shop: Shop, orders: Iterable[str]) -> list[Problem]:
    """What a cancelled order left and nobody has cleared away or been given as a task yet."""
    return [
        problem for order_id in orders for problem in _cancelled(order_id, shop.whmcs(order_id), shop.esim(order_id))
    ]


def _cancelled(order_id: str, held: dict[str, Any], lines: list[dict[str, Any]]) -> list[Problem]:
    """Nothing may be pending; what works or was paid is a task for a person (decisions.md 24)."""
    tasks = set(Task.objects.filter(order_id=order_id).values_list("kind", flat=True))
    working = [each for each in held["services"] if each["status"] in WORKING]
    pending = [each for each in held["orders"] if each["status"] == "Pending"]
    invoices = [each for each in held["invoices"] if each["status"] != "Cancelled"]
    found = [Problem("wrong", f"cancelled, but WHMCS order {_list(pending)} is pending")] if pending else []
    if lines and Task.Kind.LIVE_ESIM not in tasks:
        found.append(Problem("wrong", f"cancelled, but eSIM lines {_list(lines)} live and nobody was told"))
    if working and Task.Kind.LIVE_SERVICE not in tasks:
        found.append(Problem("wrong", f"cancelled, but services {_list(working)} work and nobody was told"))
    if invoices and not tasks:
        found.append(Problem("wrong", f"cancelled, but invoices {_list(invoices)} live and nobody was told"))
    return found


def items_of(order_id: str) -> tuple[Any, ...]:
    """The order's items as Salesforce has them."""
    order = gateway.salesforce().order_for_provisioning(order_id)
    return order.items if order else ()


def _list(rows: list[dict[str, Any]]) -> str:
    return ", ".join(str(each["id"]) for each in rows)
