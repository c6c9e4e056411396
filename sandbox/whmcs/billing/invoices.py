"""Making invoices: their lines, and the periods that lines bill (whmcs-wire §2, §3.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from sandbox.whmcs import mails
from sandbox.whmcs.billing.records import Invoice, InvoiceLine
from sandbox.whmcs.billing.switches import BillingSwitches
from sandbox.whmcs.billing.totals import add_up
from sandbox.whmcs.dates import MONTHS, NO_DATE, is_date, next_period, shifted
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import ZERO, formatted, written
from sandbox.whmcs.ordering.records import Service, ServiceAddon

Recurring: TypeAlias = Service | ServiceAddon


@dataclass(frozen=True)
class Terms:
    """What an invoice is made with besides its lines; dates as `YYYY-MM-DD`, no date is today."""

    gateway: str
    due: str
    created: str = ""
    status: str = "Unpaid"
    order_id: int = 0
    notes: str = ""
    tax_rate: float | None = None
    tax_rate2: float | None = None


def issue(whmcs: Whmcs, client_id: int, lines: Sequence[InvoiceLine], terms: Terms) -> Invoice:
    """Makes an invoice of these lines. Each call makes another one; it needs `whmcs.caller`."""
    settings = whmcs.settings
    rate = settings.tax_rate if terms.tax_rate is None else terms.tax_rate
    rate2 = settings.tax_rate2 if terms.tax_rate2 is None else terms.tax_rate2
    now = whmcs.timestamp()
    invoice = Invoice(
        id=whmcs.invoices.next_id(),
        client_id=client_id,
        order_id=terms.order_id,
        created=terms.created or whmcs.today(),
        due=terms.due,
        payment_method=terms.gateway,
        lines=list(lines),
        tax_rate=f"{rate:.3f}",
        tax_rate2=f"{rate2:.3f}",
        status=terms.status,
        notes=terms.notes,
        made=now,
        changed=now,
    )
    return whmcs.invoices.put(add_up(invoice, settings))


def announce(whmcs: Whmcs, invoice: Invoice, *, mail: bool = True) -> list[str]:
    """Mails the client that the invoice exists; returns the mail's name, for the ledger."""
    if not mail:
        return []
    facts = {"invoice": str(invoice.id), "total": formatted(Decimal(invoice.total)), "due": invoice.due}
    return mails.send(whmcs, invoice.client_id, "Invoice Created", **facts)


def save(whmcs: Whmcs, invoice: Invoice) -> Invoice:
    """Keeps a changed invoice with its sums and the time of the change."""
    invoice.changed = whmcs.timestamp()
    return whmcs.invoices.put(add_up(invoice, whmcs.settings))


def set_status(whmcs: Whmcs, invoice: Invoice, status: str) -> Invoice:
    """Changes the status and nothing else but its date; keeps the invoice."""
    if status != invoice.status:
        stamp = {"Paid": "paid", "Cancelled": "cancelled", "Refunded": "refunded"}.get(status)
        if stamp:
            setattr(invoice, stamp, whmcs.timestamp())
        invoice.status = status
    return save(whmcs, invoice)


def new_line(
    whmcs: Whmcs, kind: str, relid: int, description: str, amount: Decimal, *, taxed: bool = True, period: str = NO_DATE
) -> InvoiceLine:
    """A line with an id of its own; `kind` is one of the types of §2."""
    return InvoiceLine(whmcs.next_invoice_line(), kind, relid, description, written(amount), taxed, period)


def bill(whmcs: Whmcs, thing: Recurring, amount: Decimal) -> InvoiceLine:
    """The line for a service's or add-on's next period, or for a price paid once; the period counts as invoiced."""
    kind = "Hosting" if isinstance(thing, Service) else "Addon"
    period = thing.next_invoice
    description = name_of(whmcs, thing)
    if thing.cycle in MONTHS and is_date(period):
        thing.next_invoice = next_period(period, thing.cycle, thing.registered)
        description = f"{description} ({period} - {shifted(thing.next_invoice, -1)})"
        keep(whmcs, thing)
    return new_line(whmcs, kind, thing.id, description, amount, period=period)


def amount_due(thing: Recurring) -> Decimal:
    """What the next period costs: the first payment for the first one, the recurring amount later."""
    if isinstance(thing, Service):
        return Decimal(thing.first_payment if _is_new(thing) else thing.recurring)
    return Decimal(thing.recurring) + (Decimal(thing.setup_fee) if _is_new(thing) else ZERO)


def pay_period(thing: Recurring) -> None:
    """Moves the next due date by one period, which is now paid for."""
    if thing.cycle in MONTHS and is_date(thing.next_due):
        thing.next_due = next_period(thing.next_due, thing.cycle, thing.registered)
        thing.next_invoice = max(thing.next_invoice, thing.next_due)


def keep(whmcs: Whmcs, thing: Recurring) -> None:
    """Writes the service or the add-on."""
    if isinstance(thing, Service):
        whmcs.services.put(thing)
    else:
        whmcs.addons.put(thing)


def name_of(whmcs: Whmcs, thing: Recurring) -> str:
    """What it is called on a bill."""
    if isinstance(thing, ServiceAddon):
        return thing.name
    product = whmcs.products[thing.pid].name
    return f"{product} - {thing.domain}" if thing.domain else product


def is_card(switches: BillingSwitches, gateway: str) -> bool:
    """Whether this gateway charges stored cards."""
    return any(each.module == gateway and each.captures for each in switches.gateways)


def _is_new(thing: Recurring) -> bool:
    return thing.next_invoice == thing.registered
