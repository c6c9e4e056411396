"""The items of an order follow those in Salesforce: what support changes there is what one gets (decisions.md 16)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from django.db import DataError, IntegrityError, transaction

from accounts import links
from catalog.models import Product
from integrations.salesforce.schemas import ProvisionableItem
from orders.models import Order, OrderLine
from orders.transitions import log_event
from support import cases

log = structlog.get_logger(__name__)
CHANGED = "items_changed"
UNUSABLE = "items_unusable"
Goods = tuple[str, int, int, str]


def follow(order: Order, items: Sequence[ProvisionableItem] | None) -> bool:
    """Makes the lines of `order` what Salesforce holds; True when the customer ordered something else before.

    Items with a value that cannot be read (None) or kept here leave the lines as they are, and support is told, once
    per order: what else Salesforce says of it is not held up. The caller holds the order's lock. Safe to repeat.
    """
    if items is None:
        return _left_to_support(order, "unreadable")
    _follow_category(order, items)
    try:
        with transaction.atomic():
            return _follow(order, items)
    except (DataError, IntegrityError) as error:
        return _left_to_support(order, type(error).__name__)


def service_category(items: Sequence[ProvisionableItem]) -> str:
    """The family of the service among `items`; empty without one, or for one that the portal does not sell."""
    category = next((item.category for item in items if item.item_class == "Service"), "")
    return category if category in Product.Category.values else ""


def _follow_category(order: Order, items: Sequence[ProvisionableItem]) -> None:
    """The rules of the shop and the words of the order's page go by it."""
    category = service_category(items)
    if category and category != order.category:
        order.category = category
        order.save(update_fields=["category", "updated_at"])


def _left_to_support(order: Order, why: str) -> bool:
    if order.events.filter(what=UNUSABLE).exists():
        return False
    log_event(order, what=UNUSABLE, actor="portal", detail={"why": why})
    log.error("order.items_unusable", order_id=order.number, reason=why)
    link = links.linked(order.user) if order.user else None
    cases.open_case(
        cause=f"{UNUSABLE}:{order.pk}",
        kind="General Inquiry",
        subject=f"The items of order {order.number} cannot be shown",
        description=f"An item of order {order.number} ({order.sf_order_number} in Salesforce) has a value that the "
        "portal cannot read or keep. The customer still sees the items as they were before. Look at quantity, price "
        "(whole yen), billing cycle and options of each item, and at the class and SKU of its product.",
        user_id=order.user_id,
        sf_account_id=link.sf_account_id if link else "",
        sf_opportunity_id=order.sf_opportunity_id,
    )
    return False


def _follow(order: Order, items: Sequence[ProvisionableItem]) -> bool:
    lines = list(order.lines.all())
    if _match(lines, items):
        return False
    if _same_goods(lines, items):  # the ids were not known yet: the answer to the placing was lost
        for line, item in zip(_by_goods(lines), sorted(items, key=_goods_of_item), strict=True):
            line.sf_order_item_id = item.id
        OrderLine.objects.bulk_update(lines, ["sf_order_item_id"])
        return False
    before = [_words(line.quantity, line.sku, line.unit_price) for line in lines]
    _replace(order, items, lines)
    if not before:
        return False
    now = [_words(item.quantity, item.sku, item.unit_price) for item in items]
    log_event(order, what=CHANGED, actor="salesforce", detail={"before": before, "now": now})
    return True


def _replace(order: Order, items: Sequence[ProvisionableItem], before: Sequence[OrderLine]) -> None:
    """What was chosen keeps its words where the choice is still the same."""
    names = {product.sku: product for product in Product.objects.filter(sku__in=[item.sku for item in items])}
    chosen = {(line.sku, _as_text(line.options)): line.options_in_words for line in before}
    order.lines.all().delete()
    lines = [_line(order, place, item, names.get(item.sku)) for place, item in enumerate(_service_first(items))]
    for line in lines:
        line.options_in_words = chosen.get((line.sku, _as_text(line.options)), {})
    OrderLine.objects.bulk_create(lines)
    order.save(update_fields=["updated_at"])  # the page of whoever watches is renewed


def _words(quantity: int, sku: str, unit_price: int) -> str:
    return f"{quantity} × {sku} à {unit_price}"


def _match(lines: Sequence[OrderLine], items: Sequence[ProvisionableItem]) -> bool:
    return _same_goods(lines, items) and {line.sf_order_item_id for line in lines} == {item.id for item in items}


def _same_goods(lines: Sequence[OrderLine], items: Sequence[ProvisionableItem]) -> bool:
    return [_goods_of_line(line) for line in _by_goods(lines)] == sorted(_goods_of_item(item) for item in items)


def _by_goods(lines: Sequence[OrderLine]) -> list[OrderLine]:
    return sorted(lines, key=_goods_of_line)


def _goods_of_line(line: OrderLine) -> Goods:
    return (line.sku, line.quantity, line.unit_price, _as_text(line.options))


def _goods_of_item(item: ProvisionableItem) -> Goods:
    return (item.sku, item.quantity, item.unit_price, _as_text(item.options))


def _as_text(options: Mapping[str, Any]) -> str:
    return json.dumps(dict(options), sort_keys=True)


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
