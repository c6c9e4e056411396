"""The mark: what the portal wrote into the custom field "Salesforce Order Id" of the services it ordered."""

from collections.abc import Iterable

from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.ordering.records import Order, Service


def mark_of(services: Iterable[Service]) -> str:
    """The distinct values among these services, joined by commas; one value wherever orders are kept apart."""
    return ",".join(dict.fromkeys(service.mark for service in services if service.mark))


def services_of(whmcs: Whmcs, order: Order) -> list[Service]:
    """The lines of an order, oldest first."""
    return whmcs.services.find("order_id", order.id)


def order_mark(whmcs: Whmcs, order: Order) -> str:
    """The mark of one order."""
    return mark_of(services_of(whmcs, order))


def marked_orders(whmcs: Whmcs, mark: str) -> list[Order]:
    """Every order that carries this mark, whatever its status."""
    services = whmcs.services.find("mark", mark)
    numbers = sorted({each.order_id for each in services if each.mark == mark})
    return [order for order in map(whmcs.orders.get, numbers) if order]
