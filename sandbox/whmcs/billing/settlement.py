"""Payments, and what follows when an invoice is paid (whmcs-wire §3.3, §3.5)."""

from dataclasses import dataclass
from decimal import Decimal

from sandbox.whmcs import mails, module
from sandbox.whmcs.billing.invoices import Recurring, keep, name_of, pay_period, save, set_status
from sandbox.whmcs.billing.records import Invoice, InvoiceLine, Transaction
from sandbox.whmcs.billing.wallet import enter
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import ZERO, formatted, written
from sandbox.whmcs.ordering import upgrades
from sandbox.whmcs.ordering.records import Service
from sandbox.whmcs.products import CURRENCY_ID

OVERDUE = "Overdue on Payment"
OPEN = ("Draft", "Unpaid", "Payment Pending", "Collections")
ENDED = ("Cancelled", "Terminated", "Fraud")


@dataclass(frozen=True)
class Payment:
    """Money that came in for an invoice; `mail` names the template that confirms it, "" for none."""

    amount: Decimal
    gateway: str
    transid: str
    day: str
    fees: Decimal = ZERO
    mail: str = "Invoice Payment Confirmation"


def paid_so_far(whmcs: Whmcs, invoice: Invoice) -> Decimal:
    """What came in for an invoice, less what went back."""
    moved = whmcs.transactions.find("invoice_id", invoice.id)
    return sum((Decimal(each.amount_in) - Decimal(each.amount_out) for each in moved), ZERO)


def left_to_pay(whmcs: Whmcs, invoice: Invoice) -> Decimal:
    """The invoice's balance."""
    return Decimal(invoice.total) - paid_so_far(whmcs, invoice)


def receive(whmcs: Whmcs, invoice: Invoice, payment: Payment) -> Invoice:
    """Enters a payment. One that covers the balance makes the invoice Paid; what is too much becomes credit."""
    wanted = max(left_to_pay(whmcs, invoice), ZERO)
    whmcs.transactions.put(
        Transaction(
            id=whmcs.transactions.next_id(),
            client_id=invoice.client_id,
            currency=CURRENCY_ID,
            gateway=payment.gateway,
            date=payment.day,
            description="Invoice Payment",
            amount_in=written(payment.amount),
            fees=written(payment.fees),
            transid=payment.transid,
            invoice_id=invoice.id,
        )
    )
    if payment.amount > wanted:
        enter(whmcs, invoice.client_id, payment.amount - wanted, f"Invoice #{invoice.id} Overpayment")
    return settle(whmcs, invoice, mail=payment.mail, amount=payment.amount)


def settle(whmcs: Whmcs, invoice: Invoice, *, mail: str = "", amount: Decimal | None = None) -> Invoice:
    """Makes an open invoice Paid when nothing is left to pay, with all that follows; keeps the invoice either way."""
    save(whmcs, invoice)
    if mail:
        received = formatted(Decimal(invoice.credit) if amount is None else amount)
        mails.send(whmcs, invoice.client_id, mail, invoice=str(invoice.id), amount=received)
    if invoice.status in OPEN and left_to_pay(whmcs, invoice) <= 0:
        set_status(whmcs, invoice, "Paid")
        for line in invoice.lines:
            _deliver(whmcs, line)
        whmcs.note("invoice.paid", str(invoice.id), {"client": invoice.client_id, "total": invoice.total})
    return invoice


def _deliver(whmcs: Whmcs, line: InvoiceLine) -> None:
    """What the client gets for a paid line: the period, the first set-up, the end of a suspension, the upgrade."""
    if line.type == "Upgrade":
        upgrades.apply(whmcs, line.relid)
    thing = _billed(whmcs, line)
    if thing is None or thing.status in ENDED:
        return
    pay_period(thing)
    keep(whmcs, thing)
    if isinstance(thing, Service):
        _set_up(whmcs, thing)
        _unsuspend(whmcs, thing)


def _billed(whmcs: Whmcs, line: InvoiceLine) -> Recurring | None:
    if line.type == "Hosting":
        return whmcs.services.get(line.relid)
    return whmcs.addons.get(line.relid) if line.type == "Addon" else None


def _set_up(whmcs: Whmcs, service: Service) -> None:
    """Products that are set up on first payment are, although their order may still be Pending (§3.3)."""
    if whmcs.settings.set_up_on_payment and service.status == "Pending" and module.has_module(whmcs, service):
        module.create(whmcs, service)


def _unsuspend(whmcs: Whmcs, service: Service) -> None:
    """Ends the suspension that the automation began, once nothing is overdue; never one of a person."""
    overdue = service.next_due < whmcs.today()
    if service.status != "Suspended" or service.suspend_reason != OVERDUE or overdue:
        return
    if whmcs.settings.unsuspend_on_payment and not unsuspend(whmcs, service):
        facts = {"product": name_of(whmcs, service), "service": str(service.id)}
        mails.send(whmcs, service.client_id, "Service Unsuspension Notification", **facts)


def unsuspend(whmcs: Whmcs, service: Service) -> str:
    """Through the module where there is one; returns its error."""
    if module.has_module(whmcs, service):
        return module.run(whmcs, service, module.Job("unsuspend"))
    service.status, service.suspend_reason = "Active", ""
    whmcs.services.put(service)
    return ""
