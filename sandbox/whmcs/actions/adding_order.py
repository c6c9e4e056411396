"""AddOrder: an order, its services and its invoice, each time it is called (whmcs-wire §3.3, §4)."""

import secrets
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.billing.records import Invoice, InvoiceLine
from sandbox.whmcs.dates import NO_DATE
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.marks import mark_of
from sandbox.whmcs.ordering.cart import CartLine, cart_lines
from sandbox.whmcs.ordering.records import Order, Service
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.records import Client, Settings

DUE_AFTER = timedelta(days=14)


def add_order(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Nothing is set up and nothing is de-duplicated: AcceptOrder sets up, and two equal calls make two orders."""
    settings = whmcs.settings
    if settings.add_order_error_once:
        whmcs.save(replace(settings, add_order_error_once=""))
        return Answer(failure=settings.add_order_error_once)
    client = _ordering_client(whmcs, form)
    _check_gateway(settings, text(form.get("paymentmethod")))
    lines = cart_lines(form, settings)
    if not lines:
        raise Refused("No items added to cart so order cannot proceed")
    order = _new_order(whmcs, client, form, lines)
    services = [_new_service(whmcs, order, line) for line in lines]
    invoice = None if truthy(form.get("noinvoice")) else _new_invoice(whmcs, order, services, lines)
    order.invoice_id = invoice.id if invoice else 0
    whmcs.orders.put(order)
    return Answer(_reply(order, services), key=str(order.id), detail=_facts(form, order, services))


def _ordering_client(whmcs: Whmcs, form: PhpArray) -> Client:
    client = whmcs.clients.get(to_int(form.get("clientid")))
    if client is None:
        raise Refused("Client ID Not Found")
    if client.status == "Closed":
        raise Refused("Unable to add order when client status is Closed")
    return client


def _check_gateway(settings: Settings, sent: str) -> None:
    active = [each.module for each in settings.gateways]
    if sent not in active:
        raise Refused(f"Invalid Payment Method. Valid options include {','.join(active)}")


def _new_order(whmcs: Whmcs, client: Client, form: PhpArray, lines: list[CartLine]) -> Order:
    return Order(
        id=whmcs.orders.next_id(),
        number=str(secrets.randbelow(9 * 10**9) + 10**9),
        client_id=client.id,
        requestor_id=client.owner_user_id,
        date=whmcs.timestamp(),
        amount=_money(sum((line.first_payment for line in lines), Decimal(0))),
        payment_method=text(form.get("paymentmethod")),
        ip_address=text(form.get("clientip")),
        promo_code=text(form.get("promocode")),
        notes=text(form.get("notes")) if whmcs.settings.stores_notes else "",
    )


def _new_service(whmcs: Whmcs, order: Order, line: CartLine) -> Service:
    service = Service(
        id=whmcs.services.next_id(),
        client_id=order.client_id,
        order_id=order.id,
        pid=line.product.pid,
        qty=1,
        cycle=line.cycle,
        first_payment=_money(line.first_payment),
        recurring=_money(line.recurring),
        payment_method=order.payment_method,
        registered=whmcs.today(),
        domain=line.domain,
        next_due=whmcs.today() if line.product.paytype == "recurring" else NO_DATE,
        customfields=line.customfields,
        options=line.options,
    )
    return whmcs.services.put(service)


def _new_invoice(whmcs: Whmcs, order: Order, services: list[Service], lines: list[CartLine]) -> Invoice | None:
    """One line for each service that costs something; a free order gets no invoice (§3.3)."""
    charged = [(service, line) for service, line in zip(services, lines, strict=True) if line.first_payment]
    if not charged:
        return None
    invoice = Invoice(
        id=whmcs.invoices.next_id(),
        client_id=order.client_id,
        order_id=order.id,
        created=whmcs.today(),
        due=f"{whmcs.server_now() + DUE_AFTER:%Y-%m-%d}",
        total=order.amount,
        payment_method=order.payment_method,
        lines=[
            InvoiceLine(whmcs.next_invoice_line(), "Hosting", service.id, line.product.name, service.first_payment)
            for service, line in charged
        ],
    )
    return whmcs.invoices.put(invoice)


def _reply(order: Order, services: list[Service]) -> Payload:
    """`productids` is the name of `serviceids` before 7.8, still sent by many installs; no invoice, no `invoiceid`."""
    ids = ",".join(str(service.id) for service in services)
    invoice = {"invoiceid": str(order.invoice_id)} if order.invoice_id else {}
    return {"orderid": str(order.id), "serviceids": ids, "productids": ids, "addonids": "", "domainids": "", **invoice}


def _facts(form: PhpArray, order: Order, services: list[Service]) -> Payload:
    mails = [] if truthy(form.get("noemail")) else ["Order Confirmation"]
    if order.invoice_id and not truthy(form.get("noinvoiceemail")):
        mails.append("Invoice Created")
    return {
        "client": order.client_id,
        "pids": [service.pid for service in services],
        "services": [service.id for service in services],
        "invoice": order.invoice_id,
        "amount": order.amount,
        "mark": mark_of(services),
        "before": "",
        "after": order.status,
        "mails": mails,
    }


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"
