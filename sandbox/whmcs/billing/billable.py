"""Billable items: what becomes a line of an invoice, and when (whmcs-wire §3.5)."""

from decimal import Decimal

from sandbox.whmcs.billing.invoices import new_line
from sandbox.whmcs.billing.records import BillableItem, InvoiceLine
from sandbox.whmcs.dates import months_later, shifted
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import formatted

ACTIONS = ("noinvoice", "nextcron", "nextinvoice", "duedate", "recur")
_DAYS = {"days": 1, "weeks": 7}
_MONTHS = {"months": 1, "years": 12}
PERIODS = (*_DAYS, *_MONTHS)


def is_due(item: BillableItem, horizon: str) -> bool:
    """Whether the item asks for an invoice by itself; invoices are made for what is due until the horizon."""
    return item.action == "nextcron" or (item.action in ("duedate", "recur") and item.due <= horizon)


def bill(whmcs: Whmcs, item: BillableItem) -> InvoiceLine:
    """The item's line; the item waits for its next time, or is done."""
    amount = Decimal(item.amount) * Decimal(item.quantity)
    taxed = whmcs.settings.tax_billable_items
    line = new_line(whmcs, "Item", item.id, _description(item), amount, taxed=taxed, period=item.due)
    item.left -= 1
    item.open = item.left > 0
    if item.action == "recur":
        item.due = _next(item)
    whmcs.billable_items.put(item)
    return line


def _description(item: BillableItem) -> str:
    if item.unit != "hours":
        return item.description
    return f"{item.description} - {item.quantity} Hours @ {formatted(Decimal(item.amount))}/Hour"


def _next(item: BillableItem) -> str:
    if item.period in _DAYS:
        return shifted(item.due, item.every * _DAYS[item.period])
    return months_later(item.due, item.every * _MONTHS[item.period])
