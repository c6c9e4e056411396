"""The one door through which provisioning tells what a customer sees (decisions.md 31)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from catalog.models import Product
from integrations.salesforce.schemas import ProvisionableItem
from orders.models import Order, OrderLine
from orders.transitions import log_event, move_progress

# What only an approved order comes to. One that failed may never have been approved.
APPROVED = frozenset({Order.Progress.ACTIVATING, Order.Progress.PROVISIONED})


def record_progress(
    *,
    sf_order_id: str,
    progress: Order.Progress,
    at: datetime,
    whmcs_order_id: int | None = None,
    services: Mapping[str, int] | None = None,
    items: Sequence[ProvisionableItem] | None = None,
) -> None:
    """Writes what an attempt has come to, in the caller's transaction; takes the order's row lock.

    `services` maps OrderItem ids to WHMCS service ids; `items` are what the worker read from Salesforce: where they
    differ from the lines, they replace them (decisions.md 16). Safe to repeat. An order we do not have: nothing.
    """
    order = Order.objects.select_for_update().filter(sf_order_id=sf_order_id).first()
    if order is None:
        return
    move_progress(order, progress, **_columns(order, progress, at, whmcs_order_id))
    if items is not None:
        _follow_items(order, items)
    for item_id, service_id in (services or {}).items():
        OrderLine.objects.filter(order=order, sf_order_item_id=item_id).update(whmcs_service_id=service_id)


def _columns(order: Order, progress: Order.Progress, at: datetime, whmcs_order_id: int | None) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if whmcs_order_id is not None:
        columns["whmcs_order_id"] = whmcs_order_id
    if order.approved_at is None and progress in APPROVED:
        columns["approved_at"] = at  # the mirror may not have told us yet
    if progress == Order.Progress.PROVISIONED and order.provisioned_at is None:
        columns["provisioned_at"] = at
    return columns


def _follow_items(order: Order, items: Sequence[ProvisionableItem]) -> None:
    lines = list(order.lines.all())
    if _match(lines, items):
        return
    if _same_goods(lines, items):  # the ids were not known yet: the answer to the placing was lost
        for line, item in zip(_by_goods(lines), sorted(items, key=_goods_of_item), strict=True):
            line.sf_order_item_id = item.id
        OrderLine.objects.bulk_update(lines, ["sf_order_item_id"])
        return
    names = {product.sku: product for product in Product.objects.filter(sku__in=[item.sku for item in items])}
    before = [str(line) for line in lines]
    order.lines.all().delete()
    OrderLine.objects.bulk_create(
        _line(order, place, item, names.get(item.sku)) for place, item in enumerate(_service_first(items))
    )
    now = [f"{item.quantity} × {item.sku}" for item in items]
    log_event(order, what="items_changed", actor="salesforce", detail={"before": before, "now": now})


def _match(lines: Sequence[OrderLine], items: Sequence[ProvisionableItem]) -> bool:
    return _same_goods(lines, items) and {line.sf_order_item_id for line in lines} == {item.id for item in items}


def _same_goods(lines: Sequence[OrderLine], items: Sequence[ProvisionableItem]) -> bool:
    return [_goods_of_line(line) for line in _by_goods(lines)] == sorted(_goods_of_item(item) for item in items)


def _by_goods(lines: Sequence[OrderLine]) -> list[OrderLine]:
    return sorted(lines, key=_goods_of_line)


def _goods_of_line(line: OrderLine) -> tuple[str, int, int]:
    return (line.sku, line.quantity, line.unit_price)


def _goods_of_item(item: ProvisionableItem) -> tuple[str, int, int]:
    return (item.sku, item.quantity, item.unit_price)


def _service_first(items: Sequence[ProvisionableItem]) -> list[ProvisionableItem]:
    rank = {"Service": 0, "Activation": 1}
    return sorted(items, key=lambda item: rank.get(item.item_class, 2))


def _line(order: Order, position: int, item: ProvisionableItem, product: Product | None) -> OrderLine:
    return OrderLine(
        order=order,
        position=position,
        sku=item.sku,
        name_en=product.name_en if product else item.name,
        name_ja=product.name_ja if product else "",
        item_class=item.item_class,
        billing_cycle=item.billing_cycle,
        quantity=item.quantity,
        unit_price=item.unit_price,
        options=dict(item.options),
        sf_order_item_id=item.id,
    )
