"""GetOrders, GetOrderStatuses and OrderFraudCheck (whmcs-wire §3.3)."""

from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.listing import Listing, page_of, page_of_book, page_of_index
from sandbox.whmcs.marks import services_of
from sandbox.whmcs.money import PREFIX, SUFFIX
from sandbox.whmcs.ordering import outcomes
from sandbox.whmcs.ordering.outcomes import STATUSES
from sandbox.whmcs.ordering.records import Order, Service, ServiceAddon, Upgrade
from sandbox.whmcs.php import PhpArray, json_encode, text, to_int, truthy
from sandbox.whmcs.products import DISPLAY_CYCLES

_INDEXED = {"userid": "client_id", "requestor_id": "requestor_id", "status": "status"}


def get_orders(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Orders by `id`, `userid` (a client id), `requestor_id` and `status`, newest first; other filters are ignored."""
    listing = _found(whmcs, form)
    rows = listing.envelope("orders", "order", lambda order: _row(whmcs, order))
    return Answer(rows, key=text(form.get("id")), detail={"matched": listing.total})


def _found(whmcs: Whmcs, form: PhpArray) -> Listing[Order]:
    """The orders, read through an index as soon as one of the filters is sent."""
    if truthy(form.get("id")):
        order = whmcs.orders.get(to_int(form["id"]))
        return page_of(form, [order] if order and _matches(order, form) else [])
    sent = {name: _value(form, name) for name in _INDEXED if truthy(form.get(name))}
    if not sent:
        return page_of_book(form, whmcs.orders, newest_first=True)
    name, value = next(iter(sent.items()))
    if len(sent) == 1:
        return page_of_index(form, whmcs.orders, _INDEXED[name], value, newest_first=True)
    return page_of(form, [each for each in whmcs.orders.find(_INDEXED[name], value) if _matches(each, form)][::-1])


def _value(form: PhpArray, name: str) -> int | str:
    return text(form[name]) if name == "status" else to_int(form[name])


def _matches(order: Order, form: PhpArray) -> bool:
    wanted = {"id": order.id, "userid": order.client_id, "requestor_id": order.requestor_id}
    if any(truthy(form.get(name)) and to_int(form[name]) != value for name, value in wanted.items()):
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
        "fraudmodule": whmcs.settings.fraud_module if order.fraud_output else "",
        "fraudoutput": order.fraud_output,
        "notes": order.notes,
        "paymentmethodname": gateways.get(order.payment_method, order.payment_method),
        "paymentstatus": invoice.status if invoice else "No Invoice",
        "name": f"{client.firstname} {client.lastname}" if client else "",
        "currencyprefix": PREFIX,
        "currencysuffix": SUFFIX,
        "frauddata": "",
        "validationdata": "",
        "lineitems": {"lineitem": _lines(whmcs, order)},
    }


def _head(order: Order) -> Payload:
    renewed = {"domains": [], "services": order.renewed_services, "addons": order.renewed_addons}
    return {
        "id": order.id,
        "ordernum": int(order.number),
        "userid": order.client_id,
        "contactid": order.contact_id,
        "requestor_id": order.requestor_id,
        "admin_requestor_id": 1,
        "date": order.date,
        "nameservers": "",
        "transfersecret": "",
        "renewals": ",".join(map(str, order.renewed_services)),
        "renewalsByType": renewed,
        "promocode": order.promo_code,
        "promotype": order.promo_type,
        "promovalue": order.promo_value,
        "orderdata": "[]",
    }


def _lines(whmcs: Whmcs, order: Order) -> list[Payload]:
    upgrades = whmcs.upgrades.find("order_id", order.id)
    return [
        *(_service_line(whmcs, each) for each in services_of(whmcs, order)),
        *(_addon_line(each) for each in whmcs.addons.find("order_id", order.id)),
        *(_upgrade_line(whmcs, each) for each in upgrades),
    ]


def _service_line(whmcs: Whmcs, service: Service) -> Payload:
    product = whmcs.products[service.pid]
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


def _addon_line(addon: ServiceAddon) -> Payload:
    return {
        "type": "addon",
        "relid": addon.id,
        "producttype": "Addon",
        "product": addon.name,
        "domain": "",
        "billingcycle": DISPLAY_CYCLES[addon.cycle],
        "amount": addon.recurring,
        "status": addon.status,
    }


def _upgrade_line(whmcs: Whmcs, upgrade: Upgrade) -> Payload:
    service = whmcs.services.get(upgrade.service_id)
    product = whmcs.products.get(upgrade.pid or (service.pid if service else 0))
    return {
        "type": "upgrade",
        "relid": upgrade.id,
        "producttype": "Product Upgrade" if upgrade.pid else "Options Upgrade",
        "product": f"{product.group} - {product.name}" if product else "",
        "domain": service.domain if service else "",
        "billingcycle": DISPLAY_CYCLES.get(upgrade.cycle, ""),
        "amount": upgrade.amount,
        "status": upgrade.status,
    }


def get_order_statuses(whmcs: Whmcs, _: PhpArray) -> Answer:
    """The statuses every installation has and those its administrator added, with how many orders each holds."""
    titles = dict.fromkeys([*STATUSES, *whmcs.settings.order_statuses])
    rows = [{"title": title, "count": whmcs.orders.count("status", title)} for title in titles]
    return Answer({"totalresults": len(rows), "statuses": {"status": rows}})


def order_fraud_check(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Asks the fraud module, if the installation has one; an order that fails becomes Fraud."""
    order = whmcs.orders.get(to_int(form.get("orderid")))
    if order is None:
        raise Refused("Order ID Not Found")
    settings = whmcs.settings
    if not settings.fraud_module:
        raise Refused("No Active Fraud Module")
    before, address = order.status, text(form.get("ipaddress")) or order.ip_address
    order.fraud_output = json_encode({"ip": address, "result": settings.fraud_check})
    whmcs.orders.put(order)
    if settings.fraud_check == "Fail":
        outcomes.end(whmcs, order, "Fraud")
    checked = {"status": settings.fraud_check, "module": settings.fraud_module, "results": order.fraud_output}
    return Answer(checked, key=str(order.id), detail={"before": before, "after": order.status})
