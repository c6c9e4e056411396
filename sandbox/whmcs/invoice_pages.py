"""What the client area shows of invoices, and the button that pays one with the stored card."""

from dataclasses import dataclass
from decimal import Decimal

from sandbox.whmcs.billing.capture import capture
from sandbox.whmcs.billing.invoices import is_card
from sandbox.whmcs.billing.records import Invoice, Transaction
from sandbox.whmcs.billing.settlement import left_to_pay
from sandbox.whmcs.install import Whmcs

_DIGITS = 12
_NO_CARD = "No card is stored. Add one, then pay this invoice."
_DECLINED = "The payment failed. Try again, or use another card."


@dataclass(frozen=True)
class Bill:
    """One invoice as its client sees it; `can_pay` says whether there is a card for the button."""

    invoice: Invoice
    left: Decimal
    payments: list[Transaction]
    can_pay: bool


def bills(whmcs: Whmcs, client_id: int) -> list[Invoice]:
    """The client's invoices, newest first, without drafts: those are not for customers (whmcs-wire §3.5)."""
    return [each for each in whmcs.invoices.find("client_id", client_id)[::-1] if each.status != "Draft"]


def bill(whmcs: Whmcs, client_id: int, number: str) -> Bill | None:
    """The invoice of this number if it is the client's own and no draft."""
    invoice = whmcs.invoices.get(int(number)) if number.isdecimal() and len(number) <= _DIGITS else None
    if invoice is None or invoice.client_id != client_id or invoice.status == "Draft":
        return None
    payments = whmcs.transactions.find("invoice_id", invoice.id)
    return Bill(invoice, left_to_pay(whmcs, invoice), payments, _has_card(whmcs, invoice))


def pay(whmcs: Whmcs, shown: Bill) -> str:
    """Charges the stored card for an unpaid invoice; returns what went wrong in a sentence for the customer."""
    if shown.invoice.status != "Unpaid":
        return ""
    if not shown.can_pay:
        return _NO_CARD
    with whmcs.caller(""):
        return _DECLINED if capture(whmcs, shown.invoice) else ""


def _has_card(whmcs: Whmcs, invoice: Invoice) -> bool:
    return is_card(whmcs.settings, invoice.payment_method) and bool(
        whmcs.pay_methods.count("client_id", invoice.client_id)
    )
