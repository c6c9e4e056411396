"""The items of an order follow those in Salesforce: what support changes there is what one gets (decisions.md 16)."""

import json
from collections.abc import Sequence

from catalog.models import Product
from integrations.salesforce.schemas import ProvisionableItem
from orders.models import Order, OrderLine
from orders.transitions import log_event

CHANGED = "items_changed"
Goods = tuple[str, int, int, str]


def follow(order: Order, items: Sequence[ProvisionableItem]) -> bool:
    """Makes the lines of `order` what Salesforce holds; True when the customer ordered something else before.

    The caller holds the order's lock. Safe to repeat.
    """
    lines = list(order.lines.all())
    if _match(lines, items):
        return False
    if _same_goods(lines, items):  # the ids were not known yet: the answer to the placing was lost
        for line, item in zip(_by_goods(lines), sorted(items, key=_goods_of_item), strict=True):
            line.sf_order_item_id = item.id
        OrderLine.objects.bulk_update(lines, ["sf_order_item_id"])
        return False
    before = [_words(line.quantity, line.sku, line.unit_price) for line in lines]
    _replace(order, items)
    if not before:
        return False
    now = [_words(item.quantity, item.sku, item.unit_price) for item in items]
    log_event(order, what=CHANGED, actor="salesforce", detail={"before": before, "now": now})
    return True


def _replace(order: Order, items: Sequence[ProvisionableItem]) -> None:
    names = {product.sku: product for product in Product.objects.filter(sku__in=[item.sku for item in items])}
    order.lines.all().delete()
    OrderLine.objects.bulk_create(
        _line(order, place, item, names.get(item.sku)) for place, item in enumerate(_service_first(items))
    )


def _words(quantity: int, sku: str, unit_price: int) -> str:
    return f"{quantity} × {sku} à {unit_price}"


def _match(lines: Sequence[OrderLine], items: Sequence[ProvisionableItem]) -> bool:
    return _same_goods(lines, items) and {line.sf_order_item_id for line in lines} == {item.id for item in items}


def _same_goods(lines: Sequence[OrderLine], items: Sequence[ProvisionableItem]) -> bool:
    return [_goods_of_line(line) for line in _by_goods(lines)] == sorted(_goods_of_item(item) for item in items)


def _by_goods(lines: Sequence[OrderLine]) -> list[OrderLine]:
    return sorted(lines, key=_goods_of_line)


def _goods_of_line(line: OrderLine) -> Goods:
    return (line.sku, line.quantity, line.unit_price, json.dumps(line.options, sort_keys=True))


def _goods_of_item(item: ProvisionableItem) -> Goods:
    return (item.sku, item.quantity, item.unit_price, json.dumps(dict(item.options), sort_keys=True))


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
