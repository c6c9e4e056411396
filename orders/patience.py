"""How long each state of an order may last before its customer reads that it takes longer than we said."""

from datetime import datetime, timedelta

from django.utils import timezone

from catalog.models import Product
from orders.models import Order
from orders.status import Status

REGISTERED_WITHIN = timedelta(minutes=1)  # in Salesforce; nearly always at once
LINE_WITHIN = timedelta(days=14)  # until the engineer's date, as the page says
# Weekends are in it.
PATIENCE = {
    Status.SUBMITTED: timedelta(hours=1),
    Status.PENDING_REVIEW: timedelta(days=4),
    Status.APPROVED: timedelta(hours=1),
    Status.ACTIVATING: timedelta(hours=1),
}
WAITING = timedelta(days=4)  # for support to confirm a customer number, or for what the customer has to bring
ALWAYS_LATE = frozenset({Status.CHECKING, Status.FAILED})


def is_delayed(order: Order) -> bool:
    """Whether registering a submitted order failed once, or takes longer than anybody notices."""
    return order.tries > 0 or timezone.now() - order.created_at > REGISTERED_WITHIN


def is_late(order: Order, status: Status, *, waits: bool) -> bool:
    """Whether the page says whom to call. `waits`: a submitted order is kept here for something that is missing."""
    if status in ALWAYS_LATE:
        return True
    patience = WAITING if waits and status is Status.SUBMITTED else _patience(order, status)
    return patience is not None and timezone.now() - _begin(order, status) > patience


def _patience(order: Order, status: Status) -> timedelta | None:
    if status is Status.ACTIVATING and order.category == Product.Category.INTERNET:
        return LINE_WITHIN
    return PATIENCE.get(status)


def _begin(order: Order, status: Status) -> datetime:
    begins = {
        Status.SUBMITTED: None,
        Status.PENDING_REVIEW: order.placed_at,
        Status.APPROVED: order.approved_at,
        Status.ACTIVATING: order.approved_at,
    }
    return begins.get(status) or order.created_at
