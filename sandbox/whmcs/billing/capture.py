"""Charging a stored card for an invoice (whmcs-wire §3.5)."""

import secrets
from dataclasses import replace

from sandbox.whmcs import mails
from sandbox.whmcs.billing.invoices import is_card
from sandbox.whmcs.billing.records import Invoice
from sandbox.whmcs.billing.settlement import Payment, left_to_pay, receive, settle
from sandbox.whmcs.cards import chargeable
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import formatted
from sandbox.whmcs.records import PayMethod


def capture(whmcs: Whmcs, invoice: Invoice, *, mail: bool = True) -> str:
    """Charges the client's card with what is left to pay; returns why not, "" on success.

    With `mail` the customer is told either way, unless there is no card that could be tried. Not repeatable: each
    call is another attempt. The reason is for the ledger; over the API nobody learns it (§3.5).
    """
    amount = left_to_pay(whmcs, invoice)
    if amount <= 0:
        settle(whmcs, invoice)
        return ""
    card = _card(whmcs, invoice)
    invoice.last_capture = whmcs.timestamp()
    failure = "no card" if card is None else _declined(whmcs, card)
    facts = {"client": invoice.client_id, "amount": str(amount), "failure": failure}
    whmcs.note("invoice.capture", str(invoice.id), facts)
    if failure:
        whmcs.invoices.put(invoice)
        if card and mail:
            said = {"invoice": str(invoice.id), "amount": formatted(amount)}
            mails.send(whmcs, invoice.client_id, "Credit Card Payment Failed", **said)
        return failure
    charge = f"ch_{secrets.token_hex(12)}"
    confirmation = "Credit Card Payment Confirmation" if mail else ""
    receive(whmcs, invoice, Payment(amount, invoice.payment_method, charge, whmcs.timestamp(), mail=confirmation))
    return ""


def _card(whmcs: Whmcs, invoice: Invoice) -> PayMethod | None:
    """The first card stored with the invoice's gateway: the order is all that tells which one is charged (§3.1)."""
    if not is_card(whmcs.settings, invoice.payment_method):
        return None
    return chargeable(whmcs, invoice.client_id, invoice.payment_method)


def _declined(whmcs: Whmcs, card: PayMethod) -> str:
    """Why the bank says no; a decline that was ordered for the next n payments is used up by them."""
    settings = whmcs.settings
    if _is_over(whmcs, card.expiry):
        return "expired card"
    if card.last_four in settings.declined_cards:
        return "card declined"
    if settings.declined_captures > 0:
        whmcs.save(replace(settings, declined_captures=settings.declined_captures - 1))
    return "declined by switch" if settings.declined_captures else ""


def _is_over(whmcs: Whmcs, expiry: str) -> bool:
    month, year = expiry.split("/")
    now = whmcs.server_now()
    return (int(year), int(month)) < (now.year % 100, now.month)
