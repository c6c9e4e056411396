"""The one door through which provisioning tells what a customer sees (decisions.md 31)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.salesforce.schemas import ProvisionableItem
from orders.items import follow
from orders.models import Order, OrderLine
from orders.transitions import move_progress

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
        follow(order, items)
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
