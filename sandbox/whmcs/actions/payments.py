"""AddInvoicePayment, CapturePayment, ApplyCredit, AddCredit and GetCredits (whmcs-wire §3.5)."""

import re
from decimal import Decimal

from sandbox.whmcs.actions.checks import WRONG_AMOUNT, amount_or, day_or
from sandbox.whmcs.actions.invoices import wanted
from sandbox.whmcs.answers import Answer, Refused
from sandbox.whmcs.billing import credit
from sandbox.whmcs.billing.capture import capture
from sandbox.whmcs.billing.records import Credit, Invoice
from sandbox.whmcs.billing.settlement import Payment, left_to_pay, receive
from sandbox.whmcs.billing.wallet import balance, enter
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import ZERO, sent_amount, written
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.records import Client

_CREDIT_AMOUNT = re.compile(r"[0-9]{1,11}(\.[0-9]{1,2})?\Z")


def add_invoice_payment(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Enters a payment, of the balance unless `amount` is sent. The same `transid` twice is entered twice (§3.5)."""
    invoice = wanted(whmcs, form)
    if invoice.status == "Cancelled":
        raise Refused("It is not possible to add a payment to an invoice that is Cancelled")
    before = invoice.status
    payment = Payment(
        amount=amount_or(form, "amount", left_to_pay(whmcs, invoice)),
        gateway=text(form.get("gateway")) or invoice.payment_method,
        transid=text(form.get("transid")),
        day=day_or(form, "date", whmcs.today()),
        fees=amount_or(form, "fees", ZERO),
        mail="" if truthy(form.get("noemail")) else "Invoice Payment Confirmation",
    )
    receive(whmcs, invoice, payment)
    detail = {"client": invoice.client_id, "amount": str(payment.amount), "before": before, "after": invoice.status}
    return Answer(key=str(invoice.id), detail=detail)


def capture_payment(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Charges the client's first card. A refusal says nothing of its reason, and the attempt counts all the same."""
    invoice = whmcs.invoices.get(to_int(form.get("invoiceid")))
    if invoice is None or invoice.status != "Unpaid":
        raise Refused("Invoice Not Found or Not Unpaid")
    failure = capture(whmcs, invoice)
    return Answer(key=str(invoice.id), failure="Payment Attempt Failed" if failure else "")


def apply_credit(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Pays from the client's credit: an amount, or with the word `full` as much as there is and is needed."""
    invoice = wanted(whmcs, form)
    if invoice.status != "Unpaid":
        raise Refused("Invoice Not in Unpaid Status")
    amount = _credit_to_apply(whmcs, invoice, text(form.get("amount")))
    credit.apply(whmcs, invoice, amount, mail=not truthy(form.get("noemail")))
    paid = str(invoice.status == "Paid").lower()
    payload = {"invoiceid": invoice.id, "amount": written(amount), "invoicepaid": paid}
    return Answer(payload, key=str(invoice.id), detail={"client": invoice.client_id, "amount": written(amount)})


def _credit_to_apply(whmcs: Whmcs, invoice: Invoice, sent: str) -> Decimal:
    held, needed = balance(whmcs, invoice.client_id), left_to_pay(whmcs, invoice)
    amount = min(held, needed) if sent.lower() == "full" else sent_amount(sent)
    if amount is None or amount <= 0:
        raise Refused("Credit Amount to apply must be greater than zero")
    if amount > held:
        raise Refused("Amount exceeds customer credit balance")
    if amount > needed:
        raise Refused("Amount Exceeds Invoice Balance")
    return amount


def add_credit(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Gives credit, or with `type=remove` takes it; the answer is the balance after."""
    kind = text(form.get("type")) or "add"
    if kind not in ("add", "remove"):
        raise Refused("Type can only be add or remove")
    client = _client(whmcs, form)
    if to_int(form.get("adminid")) not in (0, 1):
        raise Refused("Admin ID Not Found")
    sent = text(form.get("amount"))
    if not sent:
        raise Refused("No Amount Provided")
    if not _CREDIT_AMOUNT.match(sent):
        raise Refused(WRONG_AMOUNT)
    amount = Decimal(sent) if kind == "add" else -Decimal(sent)
    day = _credit_day(whmcs, form)
    enter(whmcs, client.id, amount, text(form.get("description")), day=day)
    held = written(balance(whmcs, client.id))
    return Answer({"newbalance": held}, key=str(client.id), detail={"amount": str(amount), "balance": held})


def _credit_day(whmcs: Whmcs, form: PhpArray) -> str:
    try:
        return day_or(form, "date", whmcs.today())
    except Refused:
        raise Refused("Date Format is not Valid") from None


def get_credits(whmcs: Whmcs, form: PhpArray) -> Answer:
    """The credit log of one client, oldest first."""
    client = _client(whmcs, form)
    rows = [_row(each) for each in whmcs.credits.find("client_id", client.id)]
    return Answer({"totalresults": len(rows), "clientid": client.id, "credits": {"credit": rows}}, key=str(client.id))


def _row(entry: Credit) -> dict[str, object]:
    return {
        "id": entry.id,
        "date": entry.date,
        "description": entry.description,
        "amount": entry.amount,
        "relid": entry.invoice_id,
    }


def _client(whmcs: Whmcs, form: PhpArray) -> Client:
    client = whmcs.clients.get(to_int(form.get("clientid")))
    if client is None:
        raise Refused("Client ID Not Found")
    return client
