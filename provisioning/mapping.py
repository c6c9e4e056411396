"""An order's items as lines of AddOrder (product.md §8, whmcs-wire §3.3), and the fingerprint of what is asked."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from catalog.options import whmcs_options
from integrations.salesforce.schemas import ProvisionableItem, ProvisionableOrder
from integrations.whmcs.schemas import OrderLineRequest, OrderRequest, Service
from provisioning import whmcs_products
from provisioning.failures import Code, Failure

CYCLES = {"Monthly": "monthly", "Annually": "annually", "One-time": "onetime"}
ONE_LINE_PER_PIECE = "SIM"


@dataclass(frozen=True)
class Line:
    """One line of AddOrder and the item it comes from."""

    item_id: str
    item_class: str
    request: OrderLineRequest


def lines_of(order: ProvisionableOrder) -> tuple[Line, ...]:
    """The lines to order, in the items' order. Raises Failure(product_unmapped) naming item and reason.

    May ask WHMCS for its products once an hour.
    """
    if not order.items:
        raise Failure(Code.PRODUCT_UNMAPPED, "the order has no items")
    return tuple(line for item in order.items for line in _lines(order.id, item))


def request_of(order_id: str, client_id: int, lines: Sequence[Line]) -> OrderRequest:
    """AddOrder's request. The mark travels in each line's custom field and in the notes (decisions.md 21)."""
    return OrderRequest(client_id, [line.request for line in lines], notes=f"sfOrderId={order_id}")


def fingerprint(lines: Sequence[Line]) -> str:
    """Tells two requests apart by product, cycle, quantity, options and price (decisions.md 23)."""
    content = [asdict(line.request) for line in lines]
    for each in content:
        each["config_options"] = sorted(each["config_options"].items())
        each.pop("custom_fields")
    content.sort(key=lambda each: json.dumps(each, sort_keys=True))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def holds_all(lines: Sequence[Line], pids: Iterable[int]) -> bool:
    """Whether services of these products are enough for every line, and nothing else is among them."""
    wanted, there = Counter(line.request.pid for line in lines), Counter(pids)
    return wanted.keys() == there.keys() and all(there[pid] >= count for pid, count in wanted.items())


def services_by_item(lines: Sequence[Line], services: Iterable[Service]) -> dict[str, int]:
    """OrderItem id -> WHMCS service id: services are given to lines of their product by rising id."""
    free = sorted(services, key=lambda service: service.id)
    assigned: dict[str, int] = {}
    for line in lines:
        service = next((each for each in free if each.pid == line.request.pid), None)
        if service is not None:
            free.remove(service)
            assigned.setdefault(line.item_id, service.id)
    return assigned


def _lines(order_id: str, item: ProvisionableItem) -> list[Line]:
    pid = _pid(item)
    field = whmcs_products.mark_field(pid)
    if field is None:
        raise Failure(Code.PRODUCT_UNMAPPED, f"item {item.id} ({item.sku}): WHMCS product {pid} has no mark field")
    single = item.category == ONE_LINE_PER_PIECE and item.item_class == "Service"
    request = OrderLineRequest(
        pid=pid,
        cycle=_cycle(item),
        quantity=1 if single else item.quantity,
        price=item.unit_price,
        config_options=_config_options(item),
        custom_fields={field: order_id},
    )
    return [Line(item.id, item.item_class, request)] * (item.quantity if single else 1)


def _pid(item: ProvisionableItem) -> int:
    if not item.whmcs_product_id.strip().isdecimal():
        raise Failure(Code.PRODUCT_UNMAPPED, f"item {item.id} ({item.sku}) has no WHMCS product id")
    return int(item.whmcs_product_id)


def _cycle(item: ProvisionableItem) -> str:
    if item.item_class == "Activation":
        return "onetime"
    if item.billing_cycle not in CYCLES:
        raise Failure(Code.PRODUCT_UNMAPPED, f"item {item.id} ({item.sku}): cycle {item.billing_cycle or 'empty'}")
    return CYCLES[item.billing_cycle]


def _config_options(item: ProvisionableItem) -> dict[int, int]:
    try:
        return whmcs_options(item.options)
    except ValueError as error:
        raise Failure(Code.PRODUCT_UNMAPPED, f"item {item.id} ({item.sku}): {error}") from error
