"""GetClientsProducts and GetClientsDomains (whmcs-wire §3.4)."""

from sandbox.whmcs.answers import Answer, Payload
from sandbox.whmcs.dates import NO_TIME
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.listing import Listing, page_of, page_of_book, page_of_index
from sandbox.whmcs.ordering.cart import option_value
from sandbox.whmcs.ordering.records import Service
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.products import DISPLAY_CYCLES, Product, ProductOption

_FILTERS = ("clientid", "serviceid", "pid", "domain")
_INDEXED = {"clientid": "client_id", "domain": "domain", "username2": "username", "pid": "pid"}
_TEXTS = ("domain", "username2")


def get_clients_products(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Services, oldest first; without `clientid` and `serviceid` everybody's. `totalresults` is a string (§1.5)."""
    listing = _found(whmcs, form)
    rows = listing.envelope("products", "product", lambda service: _row(whmcs, service))
    rows["totalresults"] = str(listing.total)
    echo = {name: text(form.get(name)) or None for name in _FILTERS}
    key = text(form.get("clientid"))
    return Answer({**echo, **rows}, key=key, detail={"service": echo["serviceid"], "matched": listing.total})


def _found(whmcs: Whmcs, form: PhpArray) -> Listing[Service]:
    """The services, read through an index as soon as one of the filters is sent."""
    if truthy(form.get("serviceid")):
        service = whmcs.services.get(to_int(form["serviceid"]))
        return page_of(form, [service] if service and _matches(service, form) else [])
    sent = {name: _value(form, name) for name in _INDEXED if truthy(form.get(name))}
    if not sent:
        return page_of_book(form, whmcs.services)
    name, value = next(iter(sent.items()))
    if len(sent) == 1:
        return page_of_index(form, whmcs.services, _INDEXED[name], value)
    return page_of(form, [each for each in whmcs.services.find(_INDEXED[name], value) if _matches(each, form)])


def _value(form: PhpArray, name: str) -> int | str:
    return text(form[name]) if name in _TEXTS else to_int(form[name])


def _matches(service: Service, form: PhpArray) -> bool:
    numbers = {"clientid": service.client_id, "serviceid": service.id, "pid": service.pid}
    if any(truthy(form.get(name)) and to_int(form[name]) != value for name, value in numbers.items()):
        return False
    texts = {"domain": service.domain, "username2": service.username}
    return all(text(form.get(name)).casefold() in ("", value.casefold()) for name, value in texts.items())


def _row(whmcs: Whmcs, service: Service) -> Payload:
    product = whmcs.products[service.pid]
    order = whmcs.orders.get(service.order_id)
    gateways = {each.module: each.displayname for each in whmcs.settings.gateways}
    return {
        "id": str(service.id),
        "qty": str(service.qty),
        "clientid": str(service.client_id),
        "orderid": str(service.order_id),
        "ordernumber": order.number if order else "",
        "pid": str(service.pid),
        "regdate": service.registered,
        "name": product.name,
        "translated_name": product.name,
        "groupname": product.group,
        "translated_groupname": product.group,
        "domain": service.domain,
        **_server(service),
        "firstpaymentamount": service.first_payment,
        "recurringamount": service.recurring,
        "paymentmethod": service.payment_method,
        "paymentmethodname": gateways.get(service.payment_method, service.payment_method),
        "billingcycle": DISPLAY_CYCLES[service.cycle],
        "nextduedate": service.next_due,
        "status": service.status,
        "username": service.username,
        **_rest(service),
        "customfields": {"customfield": _customfields(product, service)},
        "configoptions": {"configoption": [_option(each, service) for each in product.options]},
    }


def _server(service: Service) -> Payload:
    return {
        "dedicatedip": service.dedicated_ip,
        "serverid": str(service.server_id),
        "servername": f"provisioning {service.server_id}" if service.server_id else "",
        "serverip": None,
        "serverhostname": None,
        "suspensionreason": service.suspend_reason,
    }


def _rest(service: Service) -> Payload:
    """What a customer must never see stands here too: admin notes and the service password in clear (§1.5)."""
    return {
        "password": service.password,
        "subscriptionid": service.subscription_id,
        "promoid": str(service.promo_id),
        "overideautosuspend": service.override_suspend,
        "overidesuspenduntil": service.override_until,
        "ns1": service.ns1,
        "ns2": service.ns2,
        "assignedips": service.assigned_ips,
        "notes": service.notes,
        "diskusage": str(service.disk_usage),
        "disklimit": str(service.disk_limit),
        "bwusage": str(service.traffic_usage),
        "bwlimit": str(service.traffic_limit),
        "lastupdate": NO_TIME,
    }


def _customfields(product: Product, service: Service) -> list[Payload]:
    mark = {"name": product.mark_field, "translated_name": product.mark_field, "value": service.mark}
    return [{"id": str(product.mark_field_id), **mark}]


def _option(option: ProductOption, service: Service) -> Payload:
    chosen = service.options.get(str(option.id), option_value(option, None))
    shown = option.choice(chosen).name if option.word == "dropdown" else chosen
    return {"id": str(option.id), "option": option.name, "type": option.word, "value": shown}


def get_clients_domains(_: Whmcs, form: PhpArray) -> Answer:
    """No domain is sold here: the list is empty whatever is asked. The filters are echoed as elsewhere."""
    echo = {name: text(form.get(name)) or None for name in ("clientid", "domainid")}
    nothing: list[Payload] = []
    return Answer({**echo, **page_of(form, nothing).envelope("domains", "domain", lambda row: row)})
