"""GetInvoices and GetInvoice (whmcs-wire §3.5)."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from sandbox.whmcs.actions.transactions import transaction_row
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.billing.invoices import is_card
from sandbox.whmcs.billing.records import Invoice, InvoiceLine
from sandbox.whmcs.billing.settlement import left_to_pay
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.listing import Listing, page_of, page_of_book, page_of_index
from sandbox.whmcs.money import PREFIX, SUFFIX, written
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.products import CURRENCY

_Key: TypeAlias = Callable[[Invoice], tuple[Decimal | str, int]]
_ORDERINGS: dict[str, _Key] = {
    "id": lambda each: ("", each.id),
    "invoicenumber": lambda each: ("", each.id),
    "date": lambda each: (each.created, each.id),
    "duedate": lambda each: (each.due, each.id),
    "total": lambda each: (Decimal(each.total), each.id),
    "status": lambda each: (each.status, each.id),
}
_BY_NUMBER = ("", "id", "invoicenumber")


def get_invoices(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Invoices by `userid` (a client id) and `status`, sorted; ids are integers and there is no balance in a row."""
    listing = _found(whmcs, form)
    rows = listing.envelope("invoices", "invoice", lambda invoice: _row(whmcs, invoice))
    return Answer(rows, key=text(form.get("userid")), detail={"matched": listing.total})


def _found(whmcs: Whmcs, form: PhpArray) -> Listing[Invoice]:
    """The invoices; of a whole book or status only the page is read, unless they have to be sorted."""
    newest_first = text(form.get("order")).lower() == "desc"
    is_for_client, status = truthy(form.get("userid")), text(form.get("status"))
    if not is_for_client and status != "Overdue" and text(form.get("orderby")) in _BY_NUMBER:
        if not status:
            return page_of_book(form, whmcs.invoices, newest_first=newest_first)
        return page_of_index(form, whmcs.invoices, "status", status, newest_first=newest_first)
    if is_for_client:
        found = whmcs.invoices.find("client_id", to_int(form["userid"]))
    else:
        found = whmcs.invoices.find("status", _status(form)) if status else whmcs.invoices.all()
    chosen = [each for each in found if _matches(whmcs, each, form)]
    key = _ORDERINGS.get(text(form.get("orderby")), _ORDERINGS["id"])
    return page_of(form, sorted(chosen, key=key, reverse=newest_first))


def _status(form: PhpArray) -> str:
    """`Overdue` is no status of an invoice but a filter (§2)."""
    sent = text(form.get("status"))
    return "Unpaid" if sent == "Overdue" else sent


def _matches(whmcs: Whmcs, invoice: Invoice, form: PhpArray) -> bool:
    if text(form.get("status")) == "Overdue" and invoice.due >= whmcs.today():
        return False
    return _status(form).casefold() in ("", invoice.status.casefold())


def _head(invoice: Invoice) -> Payload:
    return {
        "invoicenum": "",
        "userid": invoice.client_id,
        "date": invoice.created,
        "duedate": invoice.due,
        "datepaid": invoice.paid,
        "subtotal": invoice.subtotal,
        "credit": invoice.credit,
        "tax": invoice.tax,
        "tax2": invoice.tax2,
        "total": invoice.total,
    }


def _tail(invoice: Invoice) -> Payload:
    rates = {"taxrate": invoice.tax_rate, "taxrate2": invoice.tax_rate2}
    return {**rates, "status": invoice.status, "paymentmethod": invoice.payment_method, "notes": invoice.notes}


def _row(whmcs: Whmcs, invoice: Invoice) -> Payload:
    client = whmcs.clients.get(invoice.client_id)
    return {
        "id": invoice.id,
        **_head(invoice),
        **_tail(invoice),
        "firstname": client.firstname if client else "",
        "lastname": client.lastname if client else "",
        "companyname": client.companyname if client else "",
        "last_capture_attempt": invoice.last_capture,
        "date_refunded": invoice.refunded,
        "date_cancelled": invoice.cancelled,
        "paymethodid": None,
        "created_at": invoice.made,
        "updated_at": invoice.changed,
        "currencycode": CURRENCY,
        "currencyprefix": PREFIX,
        "currencysuffix": SUFFIX,
    }


def get_invoice(whmcs: Whmcs, form: PhpArray) -> Answer:
    """One invoice of any client with its lines; it names no currency, and without payments `transactions` is `""`."""
    invoice = wanted(whmcs, form)
    paid = [transaction_row(each) for each in whmcs.transactions.find("invoice_id", invoice.id)]
    return Answer(
        {
            "invoiceid": invoice.id,
            **_head(invoice),
            "lastcaptureattempt": invoice.last_capture,
            "balance": written(left_to_pay(whmcs, invoice)),
            **_tail(invoice),
            "ccgateway": is_card(whmcs.settings, invoice.payment_method),
            "items": {"item": [_line(each) for each in invoice.lines]},
            "transactions": {"transaction": paid} if paid else "",
        },
        key=str(invoice.id),
    )


def _line(line: InvoiceLine) -> Payload:
    return {
        "id": line.id,
        "type": line.type,
        "relid": line.relid,
        "description": line.description,
        "amount": line.amount,
        "taxed": int(line.taxed),
    }


def wanted(whmcs: Whmcs, form: PhpArray) -> Invoice:
    """The invoice of `invoiceid`. Raises Refused."""
    invoice = whmcs.invoices.get(to_int(form.get("invoiceid")))
    if invoice is None:
        raise Refused("Invoice ID Not Found")
    return invoice
