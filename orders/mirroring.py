"""Writes what Salesforce says of one order over what we have of it (decisions.md 14, 16).

An Order that customer support made there for a customer of the portal becomes one here too: shown, never written.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import CustomerLink
from integrations.salesforce.schemas import OrderChange
from orders import items, revived, telling
from orders.models import Cancellation, Order
from orders.outcomes import adopt
from orders.status import Status, status_of
from orders.transitions import log_event, mirror

DRAFT = "Draft"


def owners(changes: Iterable[OrderChange]) -> Mapping[str, int]:
    """Account -> user, of the Accounts of `changes` that have a real link; one query."""
    accounts = {change.account_id for change in changes if change.account_id}
    links = CustomerLink.objects.filter(sf_account_id__in=accounts, state=CustomerLink.State.LINKED)
    return dict(links.values_list("sf_account_id", "user_id"))


@transaction.atomic
def mirror_change(change: OrderChange, *, actor: str, user_id: int | None = None) -> bool:
    """Mirrors one Order; True when something changed. `user_id` is its Account's customer, None without one.

    Takes the order's lock. Safe to repeat. Writes to the customer once for each time it was cancelled.
    """
    order = _known(change) or _made_there(change, user_id)
    # Equal stamps are read again: Salesforce counts whole seconds, and two saves fit into one.
    if order is None or (order.sf_modstamp is not None and change.modstamp < order.sf_modstamp):
        return False
    if order.local_state != Order.Local.PLACED:
        adopt(order, sf_order_id=change.id, sf_order_number=change.number, opportunity_id=change.opportunity_id)
    before = order.sf_status
    _log_error(order, change, actor=actor)
    moved = _write(order, change, actor=actor, user_id=user_id)
    changed = _follow_items(order, change)
    if revived.comes_back(order, change, before=before):
        revived.note(order, change)
    if change.status == "Cancelled":
        after_cancelling(order, before=before)
    return moved or changed


def after_cancelling(order: Order, *, before: str) -> None:
    """Ends the customer's own wish, and writes to the customer if the order went on until then (`before`: sf_status).

    The caller holds the order's lock.
    """
    wish = Cancellation.objects.filter(order=order, state=Cancellation.State.ASKED)
    wish.update(state=Cancellation.State.DONE, ended_at=timezone.now(), lease_until=None)
    if before not in {"", "Cancelled"} and status_of(order) is Status.CANCELLED:
        telling.cancelled(order)


def _known(change: OrderChange) -> Order | None:
    locked = Order.objects.select_for_update()
    order = locked.filter(sf_order_id=change.id).first()
    if order is None and change.portal_ref:
        order = locked.filter(portal_ref=change.portal_ref).first()
    return order


def _made_there(change: OrderChange, user_id: int | None) -> Order | None:
    """Drafts are support's own business until they are more; a reference that we do not know is another portal's."""
    if user_id is None or change.portal_ref or change.status == DRAFT:
        return None
    mark = f"sf:{change.id}"
    values = {
        "user_id": user_id,
        "portal_ref": mark,
        "cart_hash": mark,
        "correlation_id": change.correlation_id[:80],
        "local_state": Order.Local.PLACED,
        "sf_account_id": change.account_id,
        "sf_order_number": change.number,
        "category": items.service_category(change.items or ()),
        "placed_at": change.created,
    }
    order, is_new = Order.objects.get_or_create(sf_order_id=change.id, defaults=values)
    if is_new:
        Order.objects.filter(pk=order.pk).update(created_at=change.created)
        log_event(order, what="made_in_salesforce", actor="salesforce")
    return Order.objects.select_for_update().get(pk=order.pk)


def _write(order: Order, change: OrderChange, *, actor: str, user_id: int | None) -> bool:
    more: dict[str, Any] = {"whmcs_order_id": change.whmcs_order_id} if change.whmcs_order_id else {}
    if order.made_in_salesforce and user_id is not None:
        more |= {"user_id": user_id, "sf_account_id": change.account_id}
    return mirror(
        order,
        status=change.status,
        activation=change.activation_status,
        at=change.modstamp,
        actor=actor,
        sf_activation_error=change.activation_error,
        sf_opportunity_id=change.opportunity_id or order.sf_opportunity_id,
        sf_modstamp=change.modstamp,
        **more,
    )


def _log_error(order: Order, change: OrderChange, *, actor: str) -> None:
    if change.activation_error and change.activation_error != order.sf_activation_error:
        log_event(order, what="activation_error", actor=actor, detail={"text": change.activation_error[:255]})


def _follow_items(order: Order, change: OrderChange) -> bool:
    """Once it is active the page shows what was provisioned, whatever somebody edits later."""
    if change.items == () or order.progress == Order.Progress.PROVISIONED:
        return False
    return items.follow(order, change.items)
