"""GetInvoices, GetInvoice and UpdateInvoice (whmcs-wire §3.5)."""

from sandbox.whmcs.answers import Answer, Payload, Refused, page
from sandbox.whmcs.billing.records import Invoice
from sandbox.whmcs.dates import NO_TIME
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.products import CURRENCY

STATUSES = ("Draft", "Unpaid", "Paid", "Cancelled", "Refunded", "Collections", "Payment Pending")
_ORDERINGS = {
    "id": "id",
    "invoicenumber": "id",
    "date": "created",
    "duedate": "due",
    "total": "total",
    "status": "status",
}


def get_invoices(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Invoices by `userid` (a client id) and `status`; ids are integers and there is no balance in a row."""
    found = [each for each in whmcs.invoices.all() if _matches(whmcs, each, form)]
    by = _ORDERINGS.get(text(form.get("orderby")), "created")
    found.sort(key=lambda each: (_sort_value(each, by), each.id), reverse=text(form.get("order")) == "desc")
    rows = [_row(whmcs, each) for each in found]
    return Answer(page(form, rows, "invoices", "invoice"), key=text(form.get("userid")), detail={"matched": len(rows)})


def _sort_value(invoice: Invoice, by: str) -> float | str:
    return float(invoice.total) if by == "total" else "" if by == "id" else str(getattr(invoice, by))


def _matches(whmcs: Whmcs, invoice: Invoice, form: PhpArray) -> bool:
    if form.get("userid") and to_int(form["userid"]) != invoice.client_id:
        return False
    status = text(form.get("status"))
    if status == "Overdue":
        return invoice.status == "Unpaid" and invoice.due < whmcs.today()
    return status in ("", invoice.status)


def _head(invoice: Invoice) -> Payload:
    return {
        "invoicenum": "",
        "userid": invoice.client_id,
        "date": invoice.created,
        "duedate": invoice.due,
        "datepaid": invoice.paid,
        "subtotal": invoice.total,
        "credit": "0.00",
        "tax": "0.00",
        "tax2": "0.00",
        "total": invoice.total,
    }


def _tail(invoice: Invoice) -> Payload:
    rates = {"taxrate": "0.000", "taxrate2": "0.000"}
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
        "last_capture_attempt": NO_TIME,
        "date_refunded": NO_TIME,
        "date_cancelled": invoice.cancelled,
        "paymethodid": None,
        "created_at": f"{invoice.created} 00:00:00",
        "updated_at": f"{invoice.created} 00:00:00",
        "currencycode": CURRENCY,
        "currencyprefix": "¥",
        "currencysuffix": f" {CURRENCY}",
    }


def get_invoice(whmcs: Whmcs, form: PhpArray) -> Answer:
    """One invoice of any client with its lines; it names no currency, and without payments `transactions` is `""`."""
    invoice = _wanted(whmcs, form)
    return Answer(
        {
            "invoiceid": invoice.id,
            **_head(invoice),
            "lastcaptureattempt": NO_TIME,
            "balance": "0.00" if invoice.status == "Paid" else invoice.total,
            **_tail(invoice),
            "ccgateway": True,
            "items": {
                "item": [_line(each.id, each.type, each.relid, each.description, each.amount) for each in invoice.lines]
            },
            "transactions": "",
        },
        key=str(invoice.id),
    )


def _line(number: int, kind: str, relid: int, description: str, amount: str) -> Payload:
    return {"id": number, "type": kind, "relid": relid, "description": description, "amount": amount, "taxed": 0}


def update_invoice(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Changes status, due date and notes; the sandbox has no other editing of invoices."""
    invoice = _wanted(whmcs, form)
    before, status = invoice.status, text(form.get("status"))
    if status and status not in STATUSES:
        raise Refused(f"Invalid status {status}")
    invoice.status = status or before
    if invoice.status == "Cancelled" != before:
        invoice.cancelled = whmcs.timestamp()
    if invoice.status == "Paid" != before:
        invoice.paid = whmcs.timestamp()
    invoice.due = text(form.get("duedate")) or invoice.due
    invoice.notes = text(form.get("notes")) or invoice.notes
    whmcs.invoices.put(invoice)
    detail = {"order": invoice.order_id, "client": invoice.client_id, "before": before, "after": invoice.status}
    return Answer({"invoiceid": invoice.id}, key=str(invoice.id), detail=detail)


def _wanted(whmcs: Whmcs, form: PhpArray) -> Invoice:
    invoice = whmcs.invoices.get(to_int(form.get("invoiceid")))
    if invoice is None:
        raise Refused("Invoice ID Not Found")
    return invoice
