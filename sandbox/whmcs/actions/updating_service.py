"""UpdateClientProduct (whmcs-wire §0 no. 8, §3.4)."""

from collections.abc import Callable
from decimal import Decimal

from sandbox.whmcs.actions.checks import amount_of, date_of
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.arrays import encoded_array, field_values
from sandbox.whmcs.dates import NO_DATE
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import written
from sandbox.whmcs.ordering.cart import option_value
from sandbox.whmcs.ordering.pricing import discount, plain_cycle, price
from sandbox.whmcs.ordering.records import Service
from sandbox.whmcs.ordering.upgrades import change_product
from sandbox.whmcs.php import PhpArray, PhpValue, by_key, text, to_int, truthy
from sandbox.whmcs.products import DISPLAY_CYCLES

STATUSES = ("Pending", "Active", "Completed", "Suspended", "Terminated", "Cancelled", "Fraud")
_TEXTS = {
    "domain": "domain",
    "notes": "notes",
    "paymentmethod": "payment_method",
    "serviceusername": "username",
    "servicepassword": "password",
    "subscriptionid": "subscription_id",
    "overideautosuspend": "override_suspend",
    "ns1": "ns1",
    "ns2": "ns2",
    "dedicatedip": "dedicated_ip",
    "assignedips": "assigned_ips",
    "suspendreason": "suspend_reason",
}
_NUMBERS = {
    "serverid": "server_id",
    "promoid": "promo_id",
    "diskusage": "disk_usage",
    "disklimit": "disk_limit",
    "bwusage": "traffic_usage",
    "bwlimit": "traffic_limit",
}
_DATES = {
    "regdate": "registered",
    "nextduedate": "next_due",
    "terminationdate": "terminated",
    "overidesuspenduntil": "override_until",
}
_AMOUNTS = {"firstpaymentamount": "first_payment", "recurringamount": "recurring"}
_CYCLES = {plain_cycle(name): cycle for cycle, name in DISPLAY_CYCLES.items()}


def update_client_product(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Writes what was sent and not empty. A status is set without running the module; unknown ids inside arrays are
    dropped.

    WHMCS documents no complaint about a wrong value. Here a date, an amount or a product that cannot be one is
    refused, in the words other actions have for it, since nothing that is written could be billed.
    """
    service = whmcs.services.get(to_int(form.get("serviceid")))
    if service is None:
        raise Refused("Service ID Not Found")
    before = service.status
    _take_product(whmcs, service, form)
    _take_fields(service, form)
    _take_arrays(whmcs, service, form)
    _clear(service, form)
    if truthy(form.get("autorecalc")):
        service.recurring = written(_recalculated(whmcs, service))
    whmcs.services.put(service)
    return Answer({"serviceid": str(service.id)}, key=str(service.id), detail=facts(service, before))


def _take_product(whmcs: Whmcs, service: Service, form: PhpArray) -> None:
    """Another product, and a cycle by its display name, such as `Semi-Annually`."""
    if truthy(form.get("pid")):
        product = whmcs.products.get(to_int(form["pid"]))
        if product is None:
            raise Refused("Product ID Not Found")
        change_product(service, product)
    service.cycle = _CYCLES.get(plain_cycle(text(form.get("billingcycle"))), service.cycle)


def _take_fields(service: Service, form: PhpArray) -> None:
    takers: tuple[tuple[dict[str, str], Callable[[PhpValue], object]], ...] = (
        (_TEXTS, text),
        (_NUMBERS, to_int),
        (_DATES, date_of),
        (_AMOUNTS, amount_of),
    )
    for names, read in takers:
        for name, attribute in names.items():
            if text(form.get(name)):
                setattr(service, attribute, read(form[name]))
    if text(form.get("nextduedate")):
        service.next_invoice = service.next_due
    if text(form.get("status")) in STATUSES:
        service.status = text(form["status"])


def _take_arrays(whmcs: Whmcs, service: Service, form: PhpArray) -> None:
    """Custom fields by id; options as a choice's id or as a nested `{optionid, qty}` (§0 no. 8)."""
    product = whmcs.products[service.pid]
    values = field_values(form.get("customfields"))
    if product.mark_field_id in values:
        service.customfields[str(product.mark_field_id)] = values[product.mark_field_id]
    sent = encoded_array(form.get("configoptions"))
    for option in product.options:
        value = sent.get(option.id)
        if isinstance(value, dict):
            value = value.get("qty") if option.word == "quantity" else value.get("optionid")
        if value is not None:
            service.options[str(option.id)] = option_value(option, value)


def _clear(service: Service, form: PhpArray) -> None:
    """`unset[]` names what becomes empty, since an empty value of the field itself is no value."""
    for name in map(text, by_key(form.get("unset")).values()):
        if name in _TEXTS:
            setattr(service, _TEXTS[name], "")
        if name in _NUMBERS:
            setattr(service, _NUMBERS[name], 0)
        if name in _DATES:
            setattr(service, _DATES[name], NO_DATE)


def _recalculated(whmcs: Whmcs, service: Service) -> Decimal:
    """What the service costs each period by today's prices, its recurring promotion taken off."""
    product = whmcs.products[service.pid]
    cycle = service.cycle if service.cycle in product.cycles else next(iter(product.cycles))
    amount = price(product, cycle, service.options) * service.qty if product.paytype == "recurring" else Decimal(0)
    promotion = whmcs.promotions.get(service.promo_id)
    return amount - discount(promotion, amount) if promotion and promotion.recurring else amount


def facts(service: Service, before: str) -> Payload:
    """What the ledger learns about a change of the service."""
    return {
        "order": service.order_id,
        "client": service.client_id,
        "pids": [service.pid],
        "mark": service.mark,
        "before": before,
        "after": service.status,
    }
