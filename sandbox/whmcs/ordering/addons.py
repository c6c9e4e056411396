"""Add-ons of services, such as a top-up: with a new service, or for one that exists (whmcs-wire §3.3)."""

from dataclasses import dataclass

from sandbox.whmcs.answers import Refused
from sandbox.whmcs.ordering.records import Service
from sandbox.whmcs.ordering.switches import AddonProduct, OrderingSwitches
from sandbox.whmcs.php import PhpArray, PhpValue, by_key, to_int, truthy
from sandbox.whmcs.products import Product

_MOST = 100


@dataclass(frozen=True)
class AddonLine:
    """One add-on ordered; `service_id` is 0 while its service is only being ordered."""

    addon: AddonProduct
    qty: int
    service_id: int = 0


def addons_of_line(product: Product, ids: str, quantities: str, switches: OrderingSwitches) -> tuple[AddonLine, ...]:
    """The add-ons of a new service from `addons[k]`, a list such as `1,3`; what its product cannot have is dropped."""
    amounts = quantities.split(",")
    found = []
    for position, number in enumerate(ids.split(",")):
        addon = definition(switches, to_int(number.strip()))
        if addon and (not addon.pids or product.pid in addon.pids):
            found.append(AddonLine(addon, _quantity(amounts[position] if position < len(amounts) else "")))
    return tuple(found)


def addons_for_services(form: PhpArray, switches: OrderingSwitches, owned: dict[int, Service]) -> list[AddonLine]:
    """The add-ons for services that exist: `addonid` with `serviceid`, or the arrays of both joined by key.

    Raises Refused for an unknown add-on, then for a service that is not among the client's own.
    """
    lines = []
    for number, service, quantity in _pairs(form):
        addon = definition(switches, to_int(number))
        if addon is None:
            raise Refused("Addon ID invalid")
        if to_int(service) not in owned:
            raise Refused("Service ID not owned by Client ID provided")
        lines.append(AddonLine(addon, _quantity(quantity), to_int(service)))
    return lines


def definition(switches: OrderingSwitches, number: int) -> AddonProduct | None:
    """The add-on with this id."""
    return next((each for each in switches.addons if each.id == number), None)


def _pairs(form: PhpArray) -> list[tuple[PhpValue, PhpValue | None, PhpValue | None]]:
    pairs = []
    if truthy(form.get("addonid")):
        pairs.append((form["addonid"], form.get("serviceid"), form.get("addonidqty")))
    services, quantities = by_key(form.get("serviceids")), by_key(form.get("addonidsqty"))
    for key, number in by_key(form.get("addonids")).items():
        pairs.append((number, services.get(key), quantities.get(key)))
    return pairs


def _quantity(sent: PhpValue | None) -> int:
    return max(1, min(to_int(sent), _MOST))
