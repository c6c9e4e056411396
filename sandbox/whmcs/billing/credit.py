"""A client's credit: its log, whose sum is the balance, and its use for invoices (whmcs-wire §3.5)."""

from decimal import Decimal

from sandbox.whmcs.billing import settlement
from sandbox.whmcs.billing.records import Invoice
from sandbox.whmcs.billing.wallet import balance, enter
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import ZERO, written


def apply(whmcs: Whmcs, invoice: Invoice, amount: Decimal, *, mail: bool = True) -> Invoice:
    """Pays a part of an invoice from the client's credit; what it covers in full becomes Paid.

    The caller has made sure that neither the credit nor what is left to pay is exceeded.
    """
    enter(whmcs, invoice.client_id, -amount, f"Credit Applied to Invoice #{invoice.id}", invoice_id=invoice.id)
    invoice.credit = written(Decimal(invoice.credit) + amount)
    return settlement.settle(whmcs, invoice, mail="Invoice Payment Confirmation" if mail else "")


def apply_automatically(whmcs: Whmcs, invoice: Invoice, *, mail: bool = True) -> Invoice:
    """What the installation does with a new invoice of a client who has credit, if it is set so."""
    held = balance(whmcs, invoice.client_id) if whmcs.settings.auto_apply_credit else ZERO
    amount = min(held, settlement.left_to_pay(whmcs, invoice))
    return apply(whmcs, invoice, amount, mail=mail) if amount > 0 else invoice
