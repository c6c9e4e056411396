"""GetClientsAddons and UpdateClientAddon (whmcs-wire §3.4)."""

from collections.abc import Callable
from decimal import Decimal

from sandbox.whmcs.actions.checks import amount_of, date_of
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import written
from sandbox.whmcs.ordering.addons import definition
from sandbox.whmcs.ordering.pricing import plain_cycle
from sandbox.whmcs.ordering.records import ServiceAddon
from sandbox.whmcs.php import PhpArray, PhpValue, text, to_int, truthy
from sandbox.whmcs.products import DISPLAY_CYCLES

_STATUSES = ("Pending", "Active", "Suspended", "Terminated", "Cancelled", "Fraud", "Completed")
_INDEXED = {"serviceid": "service_id", "clientid": "client_id", "addonid": "addon_id"}
_CYCLES = {plain_cycle(name): cycle for cycle, name in DISPLAY_CYCLES.items()}


def get_clients_addons(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Add-ons by `serviceid` (one or a comma list), `clientid` and `addonid` (of the definition), oldest first."""
    found = [each for each in _candidates(whmcs, form) if _matches(each, form)]
    rows = [_row(whmcs, each) for each in found]
    echo = {name: text(form.get(name)) or None for name in ("serviceid", "clientid")}
    return Answer({**echo, "totalresults": len(rows), "addons": {"addon": rows}}, key=text(form.get("clientid")))


def _candidates(whmcs: Whmcs, form: PhpArray) -> list[ServiceAddon]:
    for name, field in _INDEXED.items():
        if truthy(form.get(name)):
            return [each for number in _numbers(form, name) for each in whmcs.addons.find(field, number)]
    return whmcs.addons.all()


def _matches(addon: ServiceAddon, form: PhpArray) -> bool:
    held = {"serviceid": addon.service_id, "clientid": addon.client_id, "addonid": addon.addon_id}
    return all(not truthy(form.get(name)) or value in _numbers(form, name) for name, value in held.items())


def _numbers(form: PhpArray, name: str) -> list[int]:
    return list(dict.fromkeys(map(to_int, text(form.get(name)).split(","))))


def _row(whmcs: Whmcs, addon: ServiceAddon) -> Payload:
    gateways = {each.module: each.displayname for each in whmcs.settings.gateways}
    return {
        "id": addon.id,
        "qty": addon.qty,
        "userid": addon.client_id,
        "orderid": addon.order_id,
        "serviceid": addon.service_id,
        "addonid": addon.addon_id,
        "name": addon.name,
        "setupfee": addon.setup_fee,
        "recurring": addon.recurring,
        "billingcycle": DISPLAY_CYCLES[addon.cycle],
        "tax": "on",
        "status": addon.status,
        "regdate": addon.registered,
        "nextduedate": addon.next_due,
        "nextinvoicedate": addon.next_invoice,
        "paymentmethod": addon.payment_method,
        "paymentmethodname": gateways.get(addon.payment_method, addon.payment_method),
        "notes": addon.notes,
    }


def update_client_addon(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Writes what was sent; with nothing that could be written it complains. No module runs."""
    addon = whmcs.addons.get(to_int(form.get("id")))
    if addon is None:
        raise Refused("Addon ID Not Found")
    before = addon.status
    changes = _changes(form)
    if not changes and not truthy(form.get("autorecalc")):
        raise Refused("Nothing to Update")
    for attribute, value in changes.items():
        setattr(addon, attribute, value)
    if "next_due" in changes:
        addon.next_invoice = addon.next_due
    found = definition(whmcs.settings, addon.addon_id)
    if truthy(form.get("autorecalc")) and found:
        addon.recurring = written(Decimal(found.price * addon.qty))
    whmcs.addons.put(addon)
    detail = {"client": addon.client_id, "before": before, "after": addon.status}
    return Answer({"id": addon.id}, key=str(addon.id), detail=detail)


def _changes(form: PhpArray) -> dict[str, object]:
    readers: dict[str, tuple[str, Callable[[PhpValue], object]]] = {
        "status": ("status", _status),
        "addonid": ("addon_id", to_int),
        "name": ("name", text),
        "setupfee": ("setup_fee", amount_of),
        "recurring": ("recurring", amount_of),
        "billingcycle": ("cycle", _cycle),
        "nextduedate": ("next_due", date_of),
        "terminationdate": ("terminated", date_of),
        "notes": ("notes", text),
    }
    sent = {attribute: read(form[name]) for name, (attribute, read) in readers.items() if text(form.get(name))}
    return {attribute: value for attribute, value in sent.items() if value != ""}


def _status(sent: PhpValue) -> str:
    return text(sent) if text(sent) in _STATUSES else ""


def _cycle(sent: PhpValue) -> str:
    return _CYCLES.get(plain_cycle(text(sent)), "")
