"""Asks of an order what the checkout could not ask, before Salesforce hears of it (decisions.md 2).

Whoever orders while support compares the customer number has no account yet: no payment method, no address check, no
services. Once the link is real the same gate is asked; what is missing keeps the order here, what cannot be ends it.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.utils import timezone

from accounts.models import CustomerLink, User
from integrations.errors import Unavailable
from journal.commits import commit
from orders import gate, held, places, refusals, telling
from orders.gate import Task
from orders.models import Order
from orders.places import Place
from orders.transitions import log_event, move_local, nth, times
from support import cases

log = structlog.get_logger(__name__)
LOOK_AGAIN = timedelta(minutes=5)


class NotAsked(Unavailable):
    """WHMCS does not answer, and would not for the next order either; this one waits already."""

    def __init__(self) -> None:
        super().__init__("whmcs", "clear", "unasked")


def clear(order: Order, link: CustomerLink) -> bool:
    """Whether the order may go to Salesforce. False: it waits and is looked at again by itself, or it was refused.

    Raises NotAsked when WHMCS does not answer, and the order waits; Rejected or Misconfigured for a no of WHMCS.
    Asks WHMCS, once for an order; so not to be called in a transaction. The caller holds the order's lease. Repeatable.
    """
    if order.cleared_at is not None:
        return True
    plans = [held.plan_of(order)]
    open_ones = gate.open_tasks(gate.tasks(gate.situation(user=link.user, lines=plans, order=order), plans))
    ruled_out = next((task for task in open_ones if task.why == "ruled_out"), None)
    if ruled_out is not None:
        _refuse(order.pk, ruled_out.key, link)
    elif open_ones:
        _hold(order.pk, open_ones, link.user)
        if any(task.why == "unasked" for task in open_ones):
            raise NotAsked
    else:
        return _note_cleared(order.pk, places.of_order(link.user, order, plans[0].product))
    return False


@commit("order.clear")
def _note_cleared(order_id: int, place: Place | None) -> bool:
    """Whether the order may go: its customer may have taken it back while the gate was asked, but cannot from here."""
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.local_state != Order.Local.SUBMITTED:
        return False
    order.cleared_at, order.on_hold = timezone.now(), []
    if place is not None:  # what the customer said while they were no customer may be another address, or none
        order.place = place.as_json()
    order.save(update_fields=["cleared_at", "on_hold", "place", "updated_at"])
    log_event(order, what="cleared", actor="portal")
    return True


@commit("order.hold")
def _hold(order_id: int, open_ones: Sequence[Task], user: User) -> None:
    """Nothing was sent, so this try does not count. Who has to do something is written to once."""
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.local_state != Order.Local.SUBMITTED:
        return
    missing = [task.key for task in open_ones if task.why == "missing"]
    if missing and missing != order.on_hold:
        log_event(order, what="on_hold", actor="portal", detail={"missing": missing})
        log.info("order.on_hold", order_id=order.number, count=len(missing))
    order.on_hold = missing or order.on_hold  # nobody answered: what was missing still is, as far as we know
    order.tries = max(order.tries - 1, 0)  # an order placed again is looked for before it is sent
    order.lease_until, order.next_try_at = None, timezone.now() + LOOK_AGAIN
    order.save(update_fields=["on_hold", "tries", "lease_until", "next_try_at", "updated_at"])
    if any(task.why == "missing" and task.state == "todo" for task in open_ones):
        telling.on_hold(user, order)


@commit("order.rule_out")
def _refuse(order_id: int, why: str, link: CustomerLink) -> None:
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.local_state != Order.Local.SUBMITTED:
        return
    move_local(order, Order.Local.REFUSED, actor="portal", detail={"code": why}, refusal=why, on_hold=[])
    telling.not_accepted(link.user, order)
    cases.open_case(
        cause=f"order_ruled_out:{order.pk}{nth(times(order, Order.Local.REFUSED))}",
        kind="General Inquiry",
        subject=f"Order {order.number} was not placed",
        description=f"Order {order.number} was submitted before the customer number was confirmed. "
        f"{refusals.FOR_SUPPORT[why]} The customer was told by e-mail.",
        user_id=order.user_id,
        sf_account_id=link.sf_account_id,
    )
    log.warning("order.ruled_out", order_id=order.number, error_code=why)
