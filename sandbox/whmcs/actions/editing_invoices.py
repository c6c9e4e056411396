"""CreateInvoice, UpdateInvoice and GenInvoices (whmcs-wire §3.5)."""

import re
from decimal import Decimal

from sandbox.whmcs.actions.checks import amount_of, amount_or, day_or
from sandbox.whmcs.actions.invoices import wanted
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.billing import renewals
from sandbox.whmcs.billing.credit import apply_automatically
from sandbox.whmcs.billing.invoices import Terms, announce, issue, new_line, save, set_status
from sandbox.whmcs.billing.records import Invoice, InvoiceLine
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import ZERO, sent_amount
from sandbox.whmcs.php import PhpArray, by_key, text, to_int, truthy

STATUSES = ("Draft", "Unpaid", "Paid", "Cancelled", "Refunded", "Collections", "Payment Pending")
_NUMBERED = re.compile(r"itemdescription([0-9]{1,6})\Z")
_MISSING = "Missing Variables: itemdescription, itemamount and itemtaxed are required for each item being changed"


def create_invoice(whmcs: Whmcs, form: PhpArray) -> Answer:
    """An invoice of the numbered items; it mails with `sendinvoice` alone. Each call makes another one."""
    client = whmcs.clients.get(to_int(form.get("userid")))
    if client is None:
        raise Refused("Client ID Not Found")
    status = "Draft" if truthy(form.get("draft")) else _status(form) or "Unpaid"
    if status == "Draft" and truthy(form.get("sendinvoice")):
        message = "Cannot create and send a draft invoice in a single API request. Please create and send separately."
        raise Refused(message)
    created = day_or(form, "date", whmcs.today())
    terms = Terms(
        gateway=text(form.get("paymentmethod")) or _default_gateway(whmcs),
        due=day_or(form, "duedate", created),
        created=created,
        status=status,
        notes=text(form.get("notes")),
        tax_rate=_rate(form, "taxrate"),
        tax_rate2=_rate(form, "taxrate2"),
    )
    invoice = issue(whmcs, client.id, _numbered_lines(whmcs, form), terms)
    if truthy(form.get("autoapplycredit")) and status == "Unpaid":
        invoice = apply_automatically(whmcs, invoice)
    mailed = announce(whmcs, invoice, mail=truthy(form.get("sendinvoice")))
    detail = {"client": client.id, "total": invoice.total, "after": invoice.status, "mails": mailed}
    return Answer({"invoiceid": invoice.id, "status": invoice.status}, key=str(invoice.id), detail=detail)


def _status(form: PhpArray) -> str:
    status = text(form.get("status"))
    if status and status not in STATUSES:
        raise Refused(f"Invalid status {status}")
    return status


def _default_gateway(whmcs: Whmcs) -> str:
    return next((each.module for each in whmcs.settings.gateways), "")


def _rate(form: PhpArray, name: str) -> float | None:
    sent = sent_amount(form.get(name))
    return float(min(max(sent, ZERO), Decimal(100))) if sent is not None else None


def _numbered_lines(whmcs: Whmcs, form: PhpArray) -> list[InvoiceLine]:
    """`itemdescription1`, `itemamount1`, `itemtaxed1` and so on, by their numbers."""
    numbers = sorted(int(match.group(1)) for match in map(_NUMBERED.match, map(str, form)) if match)
    return [
        new_line(
            whmcs,
            "",
            0,
            text(form.get(f"itemdescription{number}")),
            amount_or(form, f"itemamount{number}", ZERO),
            taxed=truthy(form.get(f"itemtaxed{number}")),
        )
        for number in numbers
    ]


def update_invoice(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Changes what was sent. A status that is set so is a word on the invoice: nothing is delivered or taken back."""
    invoice = wanted(whmcs, form)
    before, status = invoice.status, _status(form)
    publish = truthy(form.get("publish")) or truthy(form.get("publishandsendemail"))
    if publish and before != "Draft":
        raise Refused("Invoice must be in Draft status to be published")
    _take_lines(whmcs, invoice, form)
    _take_fields(invoice, form)
    set_status(whmcs, invoice, status or ("Unpaid" if publish else before))
    if text(form.get("datepaid")):
        invoice.paid = text(form["datepaid"])
    save(whmcs, invoice)
    mailed = announce(whmcs, invoice, mail=truthy(form.get("publishandsendemail")))
    detail = {"order": invoice.order_id, "client": invoice.client_id, "before": before, "after": invoice.status}
    return Answer({"invoiceid": invoice.id}, key=str(invoice.id), detail={**detail, "mails": mailed})


def _take_fields(invoice: Invoice, form: PhpArray) -> None:
    invoice.payment_method = text(form.get("paymentmethod")) or invoice.payment_method
    invoice.notes = text(form.get("notes")) or invoice.notes
    invoice.created = day_or(form, "date", invoice.created)
    invoice.due = day_or(form, "duedate", invoice.due)
    if text(form.get("credit")):
        invoice.credit = amount_of(form["credit"])
    for name, attribute in (("taxrate", "tax_rate"), ("taxrate2", "tax_rate2")):
        rate = _rate(form, name)
        if rate is not None:
            setattr(invoice, attribute, f"{rate:.3f}")
    day_or(form, "datepaid", "")


def _take_lines(whmcs: Whmcs, invoice: Invoice, form: PhpArray) -> None:
    """Lines changed by their id, lines taken away, lines added."""
    names = ("itemdescription", "itemamount", "itemtaxed")
    descriptions, amounts, taxes = (by_key(form.get(name)) for name in names)
    if not descriptions.keys() == amounts.keys() == taxes.keys():
        raise Refused(_MISSING)
    for line in invoice.lines:
        if line.id in descriptions:
            line.description = text(descriptions[line.id])
            line.amount, line.taxed = amount_of(amounts[line.id]), truthy(taxes[line.id])
    gone = {to_int(each) for each in by_key(form.get("deletelineids")).values()}
    invoice.lines = [each for each in invoice.lines if each.id not in gone]
    invoice.lines += _added_lines(whmcs, form)


def _added_lines(whmcs: Whmcs, form: PhpArray) -> list[InvoiceLine]:
    amounts, taxes = by_key(form.get("newitemamount")), by_key(form.get("newitemtaxed"))
    return [
        new_line(
            whmcs,
            "",
            0,
            text(description),
            sent_amount(amounts.get(key)) or ZERO,
            taxed=truthy(taxes.get(key)),
        )
        for key, description in by_key(form.get("newitemdescription")).items()
    ]


def gen_invoices(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Makes what the daily automation would invoice, for one client or for all; no card is charged."""
    client = to_int(form.get("clientid"))
    if truthy(form.get("clientid")) and whmcs.clients.get(client) is None:
        raise Refused("Client ID Not Found")
    services = [to_int(each) for each in by_key(form.get("serviceids")).values()]
    season = renewals.season(whmcs, mail=not truthy(form.get("noemails")), only=services or None)
    clients = [client] if truthy(form.get("clientid")) else _everybody(whmcs, season)
    made = [invoice for each in clients for invoice in renewals.generate(whmcs, each, season)]
    payload: Payload = {"numcreated": len(made)}
    latest = {"latestinvoiceid": made[-1].id} if made else {}
    return Answer({**payload, **latest}, detail={"invoices": [each.id for each in made]})


def _everybody(whmcs: Whmcs, season: renewals.Season) -> list[int]:
    return list(dict.fromkeys(each for each in renewals.clients_due(whmcs, season) if each is not None))
