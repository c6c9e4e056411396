"""Mirrors what Salesforce says about our orders, by change and not by list (decisions.md 14): one query a round."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from integrations import gateway
from integrations.salesforce.schemas import OrderChange
from orders.models import Order, RefreshCursor
from orders.placing import adopt
from orders.transitions import log_event, mirror

log = structlog.get_logger(__name__)
CURSOR = "orders"
OVERLAP = timedelta(seconds=60)  # rows commit later than their SystemModstamp says


def refresh() -> dict[str, int]:
    """Reads the changes since the last round and mirrors them; returns counts. Safe to repeat and to run twice at once.

    Raises an OutsideError of the read: nothing was changed then. Not to be called in a transaction.
    """
    cursor = RefreshCursor.objects.filter(name=CURSOR).first()
    changes = gateway.salesforce().order_changes(since=cursor.modstamp - OVERLAP if cursor else None)
    changed = sum(_mirror(change, actor="salesforce") for change in changes)
    _advance(changes)
    return {"read": len(changes), "changed": changed}


def refresh_order(order: Order, *, actor: str) -> bool:
    """Reads one order now (a staff action); True when something changed. Raises OutsideError."""
    if not order.sf_order_id:
        return False
    change = gateway.salesforce().order_change(order.sf_order_id)
    return change is not None and _mirror(change, actor=actor)


@transaction.atomic
def _mirror(change: OrderChange, *, actor: str) -> bool:
    order = _ours(change)
    # Equal stamps are read again: Salesforce counts whole seconds, and two saves fit into one.
    if order is None or (order.sf_modstamp is not None and change.modstamp < order.sf_modstamp):
        return False
    if order.local_state == Order.Local.SUBMITTED:
        adopt(order, sf_order_id=change.id, sf_order_number=change.number, opportunity_id=change.opportunity_id)
    _log_error(order, change, actor=actor)
    return mirror(
        order,
        status=change.status,
        activation=change.activation_status,
        at=change.modstamp,
        actor=actor,
        sf_activation_error=change.activation_error,
        sf_opportunity_id=change.opportunity_id or order.sf_opportunity_id,
        sf_modstamp=change.modstamp,
        **({"whmcs_order_id": change.whmcs_order_id} if change.whmcs_order_id else {}),
    )


def _ours(change: OrderChange) -> Order | None:
    locked = Order.objects.select_for_update()
    return locked.filter(sf_order_id=change.id).first() or locked.filter(portal_ref=change.portal_ref).first()


def _log_error(order: Order, change: OrderChange, *, actor: str) -> None:
    if change.activation_error and change.activation_error != order.sf_activation_error:
        log_event(order, what="activation_error", actor=actor, detail={"text": change.activation_error[:255]})


@transaction.atomic
def _advance(changes: Sequence[OrderChange]) -> None:
    newest: datetime | None = max((change.modstamp for change in changes), default=None)
    if newest is None:
        return
    cursor, is_new = RefreshCursor.objects.select_for_update().get_or_create(name=CURSOR, defaults={"modstamp": newest})
    if not is_new and newest > cursor.modstamp:
        cursor.modstamp = newest
        cursor.save(update_fields=["modstamp"])
