"""The one way an order's states change: a table of allowed moves, under the row's lock, with an OrderEvent.

Three things move by themselves: the local state (is it in Salesforce yet), what Salesforce says, and what the
provisioning attempt says. What a customer sees is made of all three by orders/status.py and orders/board.py.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from orders.models import Order, OrderEvent

Local, Progress = Order.Local, Order.Progress
LOCAL_MOVES: Mapping[str, frozenset[str]] = {
    Local.SUBMITTED: frozenset({Local.PLACED, Local.REFUSED}),
    Local.PLACED: frozenset(),
    # Support has it placed again; or it stands in Salesforce all the same.
    Local.REFUSED: frozenset({Local.SUBMITTED, Local.PLACED}),
}
PROGRESS_MOVES: Mapping[str, frozenset[str]] = {
    Progress.NONE: frozenset({Progress.ACTIVATING, Progress.CHECKING, Progress.PROVISIONED, Progress.FAILED}),
    Progress.ACTIVATING: frozenset({Progress.CHECKING, Progress.PROVISIONED, Progress.FAILED}),
    Progress.CHECKING: frozenset({Progress.ACTIVATING, Progress.PROVISIONED, Progress.FAILED}),
    Progress.FAILED: frozenset({Progress.ACTIVATING, Progress.CHECKING, Progress.PROVISIONED}),
    Progress.PROVISIONED: frozenset(),
}
# What the org's own rules let an order do. Salesforce is the truth for these: another move is mirrored too, but its
# event says `unexpected`, so that CS sees it.
SALESFORCE_MOVES: Mapping[str, frozenset[str]] = {
    "": frozenset({"Draft", "Pending Review", "Approved", "Activated", "Cancelled"}),
    "Draft": frozenset({"Pending Review", "Approved", "Cancelled"}),
    "Pending Review": frozenset({"Draft", "Approved", "Cancelled"}),
    "Approved": frozenset({"Pending Review", "Activated", "Cancelled"}),
    "Activated": frozenset({"Cancelled"}),
    "Cancelled": frozenset({"Draft", "Pending Review"}),
}
ACTIVATION_MOVES: Mapping[str, frozenset[str]] = {
    "": frozenset({"Pending Review", "Activating", "Provisioned", "Failed"}),
    "Pending Review": frozenset({"Activating", "Provisioned", "Failed"}),
    "Activating": frozenset({"Provisioned", "Failed", "Pending Review"}),
    "Failed": frozenset({"Activating", "Provisioned", "Pending Review"}),
    "Provisioned": frozenset({"Activating"}),
}


class ForbiddenMove(Exception):
    """The table does not allow this move; nothing was written."""


def log_event(order: Order, *, what: str, actor: str, detail: Mapping[str, Any] | None = None) -> None:
    """Adds one line to the order's log, in the caller's transaction."""
    OrderEvent.objects.create(order=order, what=what, actor=actor, detail=dict(detail or {}))


def log_news(order: Order, *, what: str, actor: str, detail: Mapping[str, Any]) -> None:
    """As `log_event`, at most once a day for the same: what is tried every hour for days says nothing new."""
    since = timezone.now() - timedelta(days=1)
    if not order.events.filter(what=what, detail=dict(detail), at__gt=since).exists():
        log_event(order, what=what, actor=actor, detail=detail)


def times(order: Order, what: str) -> int:
    """How often the order's log says `what`."""
    return order.events.filter(what=what).count()


def nth(number: int) -> str:
    """What tells the cause of the `number`-th from that of the one before; nothing for the first."""
    return f":{number}" if number > 1 else ""


def move_local(
    order: Order, to: Order.Local, *, actor: str, detail: Mapping[str, Any] | None = None, **columns: Any
) -> None:
    """Moves the local state and writes `columns` with it. The caller holds the row's lock. Raises ForbiddenMove."""
    if to not in LOCAL_MOVES[order.local_state]:
        raise ForbiddenMove(f"order {order.number}: {order.local_state} to {to}")
    _write(order, {"local_state": to, "lease_until": None, **columns})
    log_event(order, what=to, actor=actor, detail=detail)


def move_progress(order: Order, to: Order.Progress, *, detail: Mapping[str, Any] | None = None, **columns: Any) -> bool:
    """Moves what the attempt says; False (and nothing written) when it says nothing new. Caller holds the lock.

    A provisioned order stays provisioned: whatever a repeated attempt reports later is not the customer's concern.
    """
    if to not in PROGRESS_MOVES[order.progress]:
        return False
    _write(order, {"progress": to, **columns})
    log_event(order, what=f"progress:{to}", actor="portal", detail=detail)
    return True


def mirror(order: Order, *, status: str, activation: str, at: datetime, actor: str, **columns: Any) -> bool:
    """Writes what Salesforce says, with the times it implies; True when a status changed. Caller holds the lock."""
    old = (order.sf_status, order.sf_activation_status)
    _write(
        order,
        {"sf_status": status, "sf_activation_status": activation, **_times(order, status, activation, at), **columns},
    )
    if (status, activation) == old:
        return False
    expected = (status == old[0] or status in SALESFORCE_MOVES.get(old[0], frozenset())) and (
        activation == old[1] or activation in ACTIVATION_MOVES.get(old[1], frozenset())
    )
    detail = {"status": [old[0], status], "activation_status": [old[1], activation]}
    log_event(order, what="salesforce", actor=actor, detail=detail | ({} if expected else {"unexpected": True}))
    return True


def _times(order: Order, status: str, activation: str, at: datetime) -> dict[str, datetime]:
    happened = {
        "approved_at": status in {"Approved", "Activated"} or activation in {"Activating", "Provisioned"},
        "provisioned_at": activation == "Provisioned",
        "cancelled_at": status == "Cancelled",
    }
    stamps = {name: at for name, yes in happened.items() if yes and getattr(order, name) is None}
    if status == "Cancelled" != order.sf_status:
        stamps["cancelled_at"] = at  # the last time counts: an order may come back, and be cancelled once more
    return stamps


def _write(order: Order, columns: Mapping[str, Any]) -> None:
    """Only what differs; `updated_at` is the time of the last news, which a mere stamp of Salesforce's is not."""
    fresh = {name: value for name, value in columns.items() if getattr(order, name) != value}
    for name, value in fresh.items():
        setattr(order, name, value)
    if fresh:
        order.save(update_fields=[*fresh, *(["updated_at"] if fresh.keys() - {"sf_modstamp"} else [])])
