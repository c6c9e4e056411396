"""GetTransactions, AddTransaction and UpdateTransaction (whmcs-wire §3.5)."""

from decimal import Decimal

from sandbox.whmcs.actions.checks import amount_of, amount_or, day_or
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.billing.records import Transaction
from sandbox.whmcs.billing.settlement import settle
from sandbox.whmcs.billing.wallet import enter
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import ZERO, written
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.products import CURRENCY_ID

_INDEXED = {"invoiceid": "invoice_id", "clientid": "client_id", "transid": "transid"}
_TEXTS = {"transid": "transid", "gateway": "gateway", "description": "description", "rate": "rate"}
_NUMBERS = {"refundid": "refund_id", "userid": "client_id", "invoiceid": "invoice_id", "currency": "currency"}
_AMOUNTS = {"amountin": "amount_in", "fees": "fees", "amountout": "amount_out"}


def get_transactions(whmcs: Whmcs, form: PhpArray) -> Answer:
    """All that match, without paging (§1.5)."""
    rows = [transaction_row(each) for each in _candidates(whmcs, form) if _matches(each, form)]
    counts = {"totalresults": len(rows), "startnumber": 0, "numreturned": len(rows)}
    return Answer({**counts, "transactions": {"transaction": rows}})


def _candidates(whmcs: Whmcs, form: PhpArray) -> list[Transaction]:
    for name, field in _INDEXED.items():
        if truthy(form.get(name)):
            return whmcs.transactions.find(field, text(form[name]) if name == "transid" else to_int(form[name]))
    return whmcs.transactions.all()


def _matches(transaction: Transaction, form: PhpArray) -> bool:
    numbers = {"invoiceid": transaction.invoice_id, "clientid": transaction.client_id}
    if any(truthy(form.get(name)) and to_int(form[name]) != value for name, value in numbers.items()):
        return False
    return text(form.get("transid")).casefold() in ("", transaction.transid.casefold())


def transaction_row(transaction: Transaction) -> Payload:
    """A row of GetTransactions and of GetInvoice; ids are strings (§1.5)."""
    return {
        "id": str(transaction.id),
        "userid": str(transaction.client_id),
        "currency": str(transaction.currency if not transaction.client_id else 0),
        "gateway": transaction.gateway,
        "date": transaction.date,
        "description": transaction.description,
        "amountin": transaction.amount_in,
        "fees": transaction.fees,
        "amountout": transaction.amount_out,
        "rate": transaction.rate,
        "transid": transaction.transid,
        "invoiceid": str(transaction.invoice_id),
        "refundid": str(transaction.refund_id),
    }


def add_transaction(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Enters money that moved: towards an invoice, into a client's credit with `credit`, or for nobody."""
    _check_parties(whmcs, form)
    gateway = text(form.get("paymentmethod"))
    if not gateway:
        raise Refused("Payment Method is required")
    transid = text(form.get("transid"))
    if transid and not truthy(form.get("allowduplicatetransid")) and whmcs.transactions.count("transid", transid):
        raise Refused("Transaction ID must be Unique")
    transaction = Transaction(
        id=whmcs.transactions.next_id(),
        client_id=to_int(form.get("userid")),
        currency=to_int(form.get("currencyid")) or CURRENCY_ID,
        gateway=gateway,
        date=day_or(form, "date", whmcs.today()),
        description=text(form.get("description")),
        amount_in=written(amount_or(form, "amountin", ZERO)),
        fees=written(amount_or(form, "fees", ZERO)),
        amount_out=written(amount_or(form, "amountout", ZERO)),
        rate=text(form.get("rate")) or "1.00000",
        transid=transid,
        invoice_id=to_int(form.get("invoiceid")),
    )
    whmcs.transactions.put(transaction)
    _take_effect(whmcs, transaction, to_credit=truthy(form.get("credit")))
    detail = {"client": transaction.client_id, "invoice": transaction.invoice_id, "in": transaction.amount_in}
    return Answer(key=str(transaction.id), detail=detail)


def _check_parties(whmcs: Whmcs, form: PhpArray) -> None:
    """The complaints about client, invoice and currency, in the documented order."""
    client, currency = to_int(form.get("userid")), to_int(form.get("currencyid"))
    if truthy(form.get("userid")) and whmcs.clients.get(client) is None:
        raise Refused("Client ID Not Found")
    if truthy(form.get("invoiceid")):
        invoice = whmcs.invoices.get(to_int(form["invoiceid"]))
        if invoice is None:
            raise Refused("Invoice ID Not Found")
        if client not in (0, invoice.client_id):
            raise Refused("User ID does not own the given Invoice ID")
    if currency not in (0, CURRENCY_ID):
        raise Refused("Currency ID Not Found")
    if not client and not currency and not truthy(form.get("invoiceid")):
        raise Refused("A Currency ID is required for non-customer related transactions")


def _take_effect(whmcs: Whmcs, transaction: Transaction, *, to_credit: bool) -> None:
    amount = Decimal(transaction.amount_in) - Decimal(transaction.amount_out)
    invoice = whmcs.invoices.get(transaction.invoice_id)
    if to_credit and transaction.client_id and amount:
        enter(whmcs, transaction.client_id, amount, transaction.description or "Transaction", day=transaction.date)
    elif invoice:
        settle(whmcs, invoice)


def update_transaction(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Changes what was sent; an invoice's balance follows, its status does not. `credit` gives the amount as credit."""
    transaction = whmcs.transactions.get(to_int(form.get("transactionid")))
    if transaction is None:
        raise Refused("Transaction ID Not Found")
    for name, attribute in _TEXTS.items():
        if text(form.get(name)):
            setattr(transaction, attribute, text(form[name]))
    for name, attribute in _NUMBERS.items():
        if text(form.get(name)):
            setattr(transaction, attribute, to_int(form[name]))
    for name, attribute in _AMOUNTS.items():
        if text(form.get(name)):
            setattr(transaction, attribute, amount_of(form[name]))
    transaction.date = day_or(form, "date", transaction.date)
    whmcs.transactions.put(transaction)
    if truthy(form.get("credit")):
        _take_effect(whmcs, transaction, to_credit=True)
    return Answer({"transactionid": transaction.id}, key=str(transaction.id))
