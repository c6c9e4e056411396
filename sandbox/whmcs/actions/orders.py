"""AcceptOrder, CancelOrder, GetOrders and GetOrderStatuses (whmcs-wire §3.3)."""

from sandbox.whmcs import module
from sandbox.whmcs.answers import Answer, Payload, Refused, page
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.marks import mark_of, services_of
from sandbox.whmcs.ordering.records import Order, Service
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.products import CURRENCY, DISPLAY_CYCLES, products

STATUSES = ("Pending", "Active", "Fraud", "Cancelled")
_NOT_PENDING = "Order ID not found or Status not Pending"
_NO_SUBSCRIPTION = "Subscription Cancellation Failed - Please check the gateway log for further information."


def accept_order(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Sets up the pending services and makes the order Active.

    `autosetup` sent decides whether modules run; left out, the products do, and all of them are set to run. When a
    module fails its text is the error, the order stays Pending, and what was set up before stays set up.
    """
    order = _pending(whmcs, form)
    sent = form.get("autosetup")
    services = services_of(whmcs, order)
    failure = ""
    for service in services:
        failure = failure or _set_up(whmcs, service, run_module=sent is None or truthy(sent))
    if not failure:
        order.status = "Active"
        whmcs.orders.put(order)
    detail = _facts(order, services, before="Pending")
    return Answer(key=str(order.id), detail=detail, failure=failure)


def _set_up(whmcs: Whmcs, service: Service, *, run_module: bool) -> str:
    """Brings one pending service on its way; returns the module's error text or ""."""
    if service.status != "Pending":
        return ""
    if module.has_module(service):
        return module.create(whmcs, service) if run_module else ""
    settings = whmcs.settings
    if not settings.moduleless_stays_pending:
        once = products()[service.pid].paytype == "onetime"
        service.status = settings.one_time_status if once else "Active"
        whmcs.services.put(service)
    return ""


def cancel_order(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Only a pending order. Its pending services and unpaid invoice follow if the installation is set so."""
    order = _pending(whmcs, form)
    if truthy(form.get("cancelsub")):
        raise Refused(_NO_SUBSCRIPTION)
    order.status = "Cancelled"
    whmcs.orders.put(order)
    services = services_of(whmcs, order)
    if whmcs.settings.cancel_order_cascades:
        _cancel_contents(whmcs, order, services)
    mails = [] if truthy(form.get("noemail")) else ["Order Cancelled"]
    return Answer(key=str(order.id), detail={**_facts(order, services, before="Pending"), "mails": mails})


def _cancel_contents(whmcs: Whmcs, order: Order, services: list[Service]) -> None:
    for service in services:
        if service.status == "Pending":
            service.status = "Cancelled"
            whmcs.services.put(service)
    invoice = whmcs.invoices.get(order.invoice_id)
    if invoice and invoice.status == "Unpaid":
        invoice.status, invoice.cancelled = "Cancelled", whmcs.timestamp()
        whmcs.invoices.put(invoice)


def _pending(whmcs: Whmcs, form: PhpArray) -> Order:
    """One text for no such order, accepted already and cancelled (§0 no. 5)."""
    order = whmcs.orders.get(to_int(form.get("orderid")))
    if order is None or order.status != "Pending":
        raise Refused(_NOT_PENDING)
    return order


def _facts(order: Order, services: list[Service], *, before: str) -> Payload:
    return {
        "client": order.client_id,
        "pids": [service.pid for service in services],
        "services": {str(service.id): service.status for service in services},
        "mark": mark_of(services),
        "before": before,
        "after": order.status,
    }


def get_orders(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Orders by `id`, `userid` (a client id), `requestor_id` and `status`, newest first; other filters are ignored."""
    found = [order for order in reversed(whmcs.orders.all()) if _matches(order, form)]
    rows = [_row(whmcs, order) for order in found]
    return Answer(page(form, rows, "orders", "order"), key=text(form.get("id")), detail={"matched": len(rows)})


def _matches(order: Order, form: PhpArray) -> bool:
    wanted = {"id": order.id, "userid": order.client_id, "requestor_id": order.requestor_id}
    if any(form.get(name) and to_int(form[name]) != value for name, value in wanted.items()):
        return False
    return text(form.get("status")).casefold() in ("", order.status.casefold())


def _row(whmcs: Whmcs, order: Order) -> Payload:
    client = whmcs.clients.get(order.client_id)
    invoice = whmcs.invoices.get(order.invoice_id)
    gateways = {each.module: each.displayname for each in whmcs.settings.gateways}
    return {
        **_head(order),
        "amount": order.amount,
        "paymentmethod": order.payment_method,
        "invoiceid": order.invoice_id,
        "status": order.status,
        "ipaddress": order.ip_address,
        "fraudmodule": "",
        "fraudoutput": "",
        "notes": order.notes,
        "paymentmethodname": gateways.get(order.payment_method, order.payment_method),
        "paymentstatus": invoice.status if invoice else "No Invoice",
        "name": f"{client.firstname} {client.lastname}" if client else "",
        "currencyprefix": "¥",
        "currencysuffix": f" {CURRENCY}",
        "frauddata": "",
        "validationdata": "",
        "lineitems": {"lineitem": [_line(service) for service in services_of(whmcs, order)]},
    }


def _head(order: Order) -> Payload:
    return {
        "id": order.id,
        "ordernum": int(order.number),
        "userid": order.client_id,
        "contactid": 0,
        "requestor_id": order.requestor_id,
        "admin_requestor_id": 1,
        "date": order.date,
        "nameservers": "",
        "transfersecret": "",
        "renewals": "",
        "renewalsByType": {"domains": [], "services": [], "addons": []},
        "promocode": order.promo_code,
        "promotype": "",
        "promovalue": "",
        "orderdata": "[]",
    }


def _line(service: Service) -> Payload:
    product = products()[service.pid]
    return {
        "type": "product",
        "relid": service.id,
        "producttype": "Other Product/Service",
        "product": f"{product.group} - {product.name}",
        "domain": service.domain,
        "billingcycle": DISPLAY_CYCLES[service.cycle],
        "amount": service.first_payment,
        "status": service.status,
    }


def get_order_statuses(whmcs: Whmcs, _: PhpArray) -> Answer:
    """The four statuses every installation has, with how many orders each holds."""
    held = [order.status for order in whmcs.orders.all()]
    rows = [{"title": status, "count": held.count(status)} for status in STATUSES]
    return Answer({"totalresults": len(rows), "statuses": {"status": rows}})
