"""Mirrors what Salesforce says about orders, by change and not by list (decisions.md 14): one query a round.

A customer who is new here has orders that do not change any more: theirs are read once, all new customers' together.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import DataError, IntegrityError, transaction
from django.db.models import F

from accounts.models import CustomerLink, SignupJourney
from integrations import gateway
from integrations.salesforce.orders import IDS_IN_ONE_QUERY
from integrations.salesforce.schemas import OrderChange
from orders.mirroring import mirror_change, owners
from orders.models import AccountRead, Order, RefreshCursor
from orders.transitions import log_event

log = structlog.get_logger(__name__)
CURSOR = "orders"
OVERLAP = timedelta(seconds=60)  # rows commit later than their SystemModstamp says


def refresh() -> dict[str, int]:
    """Reads the changes since the last round and mirrors them; returns counts. Safe to repeat and to run twice at once.

    Two queries when there are new customers. Raises an OutsideError of the read: nothing was changed then. Not to be
    called in a transaction.
    """
    cursor, new = RefreshCursor.objects.filter(name=CURSOR).first(), _new_customers()
    changes = gateway.salesforce().order_changes(since=cursor.modstamp - OVERLAP if cursor else None)
    theirs = gateway.salesforce().orders_of_accounts([link.sf_account_id for link in new]) if new else []
    users = owners([*theirs, *changes])
    changed = sum(_mirror(change, users.get(change.account_id)) for change in theirs + changes)
    _note_read(new)
    _advance(changes)
    return {"read": len(theirs) + len(changes), "changed": changed}


def _mirror(change: OrderChange, user_id: int | None) -> bool:
    """One order whose values cannot be kept here is left to staff; the others of the round go on."""
    try:
        return mirror_change(change, actor="salesforce", user_id=user_id)
    except (IntegrityError, DataError):
        log.exception("order_not_mirrored", order_id=change.id)
        return False


class NotThere(Exception):
    """Salesforce has no such Order (any more), or does not show it to the portal."""


def refresh_order(order: Order, *, actor: str) -> bool:
    """Reads one order now (a staff action); True when something changed. Raises OutsideError.

    Raises NotThere, which the order's log then tells, when it is not to be found; nothing else changes.
    """
    if not order.sf_order_id:
        return False
    change = gateway.salesforce().order_change(order.sf_order_id)
    if change is None:
        log_event(order, what="not_in_salesforce", actor=actor)
        raise NotThere
    return mirror_change(change, actor=actor)


def _new_customers() -> list[CustomerLink]:
    real = CustomerLink.objects.filter(state=CustomerLink.State.LINKED)
    # Before the write-back Salesforce does not count the Account as the portal's, and tells no changes of its Orders.
    settled = real.exclude(user__journey__step=SignupJourney.Step.WRITE_BACK)
    return list(settled.exclude(orders_read__sf_account_id=F("sf_account_id")).order_by("pk")[:IDS_IN_ONE_QUERY])


@transaction.atomic
def _note_read(links: Sequence[CustomerLink]) -> None:
    for link in links:
        AccountRead.objects.update_or_create(link=link, defaults={"sf_account_id": link.sf_account_id})


@transaction.atomic
def _advance(changes: Sequence[OrderChange]) -> None:
    newest: datetime | None = max((change.modstamp for change in changes), default=None)
    if newest is None:
        return
    cursor, is_new = RefreshCursor.objects.select_for_update().get_or_create(name=CURSOR, defaults={"modstamp": newest})
    if not is_new and newest > cursor.modstamp:
        cursor.modstamp = newest
        cursor.save(update_fields=["modstamp"])
