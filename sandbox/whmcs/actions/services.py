"""GetClientsProducts, UpdateClientProduct and ModuleCreate (whmcs-wire §3.4)."""

from sandbox.whmcs import module
from sandbox.whmcs.answers import Answer, Payload, Refused, page
from sandbox.whmcs.arrays import encoded_array, field_values
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.marks import mark_of
from sandbox.whmcs.ordering.cart import option_value
from sandbox.whmcs.ordering.records import Service
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.products import DISPLAY_CYCLES, ProductOption, products

STATUSES = ("Pending", "Active", "Completed", "Suspended", "Terminated", "Cancelled", "Fraud")
_FILTERS = ("clientid", "serviceid", "pid", "domain")
_TEXT_FIELDS = {
    "domain": "domain",
    "notes": "notes",
    "regdate": "registered",
    "nextduedate": "next_due",
    "paymentmethod": "payment_method",
    "serviceusername": "username",
    "firstpaymentamount": "first_payment",
    "recurringamount": "recurring",
}


def get_clients_products(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Services, oldest first; without `clientid` and `serviceid` everybody's. `totalresults` is a string (§1.5)."""
    found = [each for each in whmcs.services.all() if _matches(each, form)]
    listing = page(form, [_row(whmcs, each) for each in found], "products", "product")
    listing["totalresults"] = str(listing["totalresults"])
    echo = {name: text(form.get(name)) or None for name in _FILTERS}
    key = text(form.get("clientid"))
    return Answer({**echo, **listing}, key=key, detail={"service": echo["serviceid"], "matched": len(found)})


def _matches(service: Service, form: PhpArray) -> bool:
    numbers = {"clientid": service.client_id, "serviceid": service.id, "pid": service.pid}
    if any(form.get(name) and to_int(form[name]) != value for name, value in numbers.items()):
        return False
    texts = {"domain": service.domain, "username2": service.username}
    return all(text(form.get(name)) in ("", value) for name, value in texts.items())


def _row(whmcs: Whmcs, service: Service) -> Payload:
    product = products()[service.pid]
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
        **_server(),
        "firstpaymentamount": service.first_payment,
        "recurringamount": service.recurring,
        "paymentmethod": service.payment_method,
        "paymentmethodname": gateways.get(service.payment_method, service.payment_method),
        "billingcycle": DISPLAY_CYCLES[service.cycle],
        "nextduedate": service.next_due,
        "status": service.status,
        "username": service.username,
        **_rest(service),
        "customfields": {"customfield": _customfields(service)},
        "configoptions": {"configoption": [_option(each, service) for each in product.options]},
    }


def _server() -> Payload:
    return {
        "dedicatedip": "",
        "serverid": "0",
        "servername": "",
        "serverip": None,
        "serverhostname": None,
        "suspensionreason": "",
    }


def _rest(service: Service) -> Payload:
    """What a customer must never see stands here too: admin notes and the service password in clear (§1.5)."""
    return {
        "password": f"pw-{service.id:06d}" if service.provisioned else "",
        "subscriptionid": "",
        "promoid": "0",
        "overideautosuspend": "0",
        "overidesuspenduntil": "0000-00-00",
        "ns1": "",
        "ns2": "",
        "assignedips": "",
        "notes": service.notes,
        "diskusage": "0",
        "disklimit": "0",
        "bwusage": "0",
        "bwlimit": "0",
        "lastupdate": "0000-00-00 00:00:00",
    }


def _customfields(service: Service) -> list[Payload]:
    product = products()[service.pid]
    value = service.customfields.get(str(product.mark_field_id), "")
    mark = {"name": product.mark_field, "translated_name": product.mark_field, "value": value}
    return [{"id": str(product.mark_field_id), **mark}]


def _option(option: ProductOption, service: Service) -> Payload:
    chosen = service.options.get(str(option.id), option_value(option, None))
    shown = option.choice(chosen).name if option.word == "dropdown" else chosen
    return {"id": str(option.id), "option": option.name, "type": option.word, "value": shown}


def update_client_product(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Writes what was sent. A status is set without running the module; unknown ids inside arrays are dropped."""
    service = whmcs.services.get(to_int(form.get("serviceid")))
    if service is None:
        raise Refused("Service ID Not Found")
    before = service.status
    for name, attribute in _TEXT_FIELDS.items():
        if text(form.get(name)):
            setattr(service, attribute, text(form[name]))
    if text(form.get("status")) in STATUSES:
        service.status = text(form["status"])
    service.cycle = _cycle(text(form.get("billingcycle"))) or service.cycle
    _take_arrays(service, form)
    whmcs.services.put(service)
    return Answer({"serviceid": str(service.id)}, key=str(service.id), detail=_facts(service, before))


def _cycle(sent: str) -> str:
    """The cycle behind a display name such as `Semi-Annually`; both spellings of One Time occur (§2)."""
    plain = sent.lower().replace("-", "").replace(" ", "")
    known = {name.lower().replace("-", "").replace(" ", ""): cycle for cycle, name in DISPLAY_CYCLES.items()}
    return known.get(plain, "")


def _take_arrays(service: Service, form: PhpArray) -> None:
    """Custom fields by id; options as a choice's id or as a nested `{optionid, qty}` (§0 no. 8)."""
    product = products()[service.pid]
    written = field_values(form.get("customfields"))
    if product.mark_field_id in written:
        service.customfields[str(product.mark_field_id)] = written[product.mark_field_id]
    sent = encoded_array(form.get("configoptions"))
    for option in product.options:
        value = sent.get(option.id)
        if isinstance(value, dict):
            value = value.get("qty") if option.word == "quantity" else value.get("optionid")
        if value is not None:
            service.options[str(option.id)] = option_value(option, value)


def module_create(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Runs the module for one service, whatever its status; `accountid` is the older name of `serviceid`."""
    number = form.get("serviceid") or form.get("accountid")
    if not number:
        raise Refused("Service ID is required")
    service = whmcs.services.get(to_int(number))
    if service is None:
        raise Refused("Service ID not found")
    if not module.has_module(service):
        raise Refused("Service not assigned to a module")
    before = service.status
    failure = module.create(whmcs, service)
    return Answer(key=str(service.id), detail=_facts(service, before), failure=failure)


def _facts(service: Service, before: str) -> Payload:
    return {
        "order": service.order_id,
        "client": service.client_id,
        "pids": [service.pid],
        "mark": mark_of([service]),
        "before": before,
        "after": service.status,
    }
