"""A customer does not want an order that is still in review (product.md §7).

The wish is stored and carried out by a job; it counts once Salesforce has it. An approval that came first wins: the
Order is cancelled only while it stands there in review.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts import links
from accounts.models import User
from integrations import correlation, failpoints, gateway
from integrations.errors import OutsideError, Rejected, Unavailable, is_outage
from integrations.salesforce import fields as f
from integrations.salesforce.schemas import OrderChange, OrderInReview
from journal.commits import commit
from journal.waking import wake
from orders.mirroring import mirror_change
from orders.models import Cancellation, Order
from orders.opportunities import stage_after_cancel
from orders.status import can_be_cancelled
from orders.transitions import log_event
from support import cases

log = structlog.get_logger(__name__)
State = Cancellation.State
CARRY_OUT = "orders.jobs.cancel"


class TooLate(Exception):
    """The order is not in review (any more); nothing was changed."""


@commit("cancel.ask")
def ask(user: User, number: str) -> Cancellation:
    """Stores that `user` wants the order cancelled and wakes a worker. The same wish twice is one.

    Raises Order.DoesNotExist for an order of somebody else, TooLate.
    """
    order = Order.objects.for_user(user).select_for_update(of=("self",)).get(number=number)
    wish = Cancellation.objects.filter(order=order).first()
    if wish is not None and wish.state == State.ASKED:
        return wish
    if not can_be_cancelled(order):
        raise TooLate
    now = timezone.now()
    fresh = {"state": State.ASKED, "asked_at": now, "ended_at": None, "tries": 0, "next_try_at": now, "last_error": ""}
    wish, _is_new = Cancellation.objects.update_or_create(order=order, defaults=fresh)
    log_event(order, what="cancel_asked", actor="customer")
    wake("cases", CARRY_OUT, wish.pk)
    return wish


def carry_out_due(limit: int = 50) -> dict[str, int]:
    """Carries out the wishes whose job got lost or whose last try failed; counts what came of it. Needs no Redis."""
    tried = []
    for wish_id in list(_due().order_by("next_try_at").values_list("pk", flat=True)[:limit]):
        tried.append(wish_id)
        error = _try(wish_id)
        if error is not None and is_outage(error):
            break  # the others wait for the next round
    states = list(Cancellation.objects.filter(pk__in=tried).values_list("state", flat=True))
    return {"tried": len(states), "cancelled": states.count(State.DONE), "too_late": states.count(State.TOO_LATE)}


def carry_out(wish_id: int) -> str:
    """Carries out one wish if it is due and nobody else is at it; its state then. Never raises for Salesforce.

    Safe to repeat and to run twice at once. Not to be called in a transaction.
    """
    _try(wish_id)
    return str(Cancellation.objects.values_list("state", flat=True).get(pk=wish_id))


def _try(wish_id: int) -> OutsideError | None:
    wish = _claim(wish_id)
    if wish is None:
        return None
    order = wish.order
    with correlation.bound(order.correlation_id):
        try:
            change, opportunity_refused = _in_salesforce(order)
            _end(wish, change, opportunity_refused=opportunity_refused)
        except Rejected as error:
            _refuse(wish, error)
            return error
        except OutsideError as error:
            _try_later(wish, error)
            return error
    return None


def _in_salesforce(order: Order) -> tuple[OrderChange, bool]:
    """The Order as it stands after the try, and whether its Opportunity had to be left as it was.

    Whatever the try was refused for: who approved the order meanwhile wins. Four calls at most.
    """
    seen = _look(order)
    if not seen.waits:  # approved, or cancelled already: by support, or by a try whose answer was lost
        return seen.order, False
    stage = stage_after_cancel(seen.opportunity, portal_ref=order.portal_ref) if seen.opportunity else ""
    try:
        return _cancelled(seen, stage)
    except Rejected as error:
        refusal = error
    seen = _look(order)
    if not seen.waits:
        return seen.order, False
    if refusal.code == "not_in_review":
        raise Unavailable("salesforce", "cancel_order", "order_moved", "somebody moves the order just now")
    raise refusal


def _cancelled(seen: OrderInReview, stage: str) -> tuple[OrderChange, bool]:
    """Cancelled, with its Opportunity if that may go. One that another order has is nothing to tell anybody about."""
    try:
        return gateway.salesforce().cancel_order(seen, stage=stage), False
    except Rejected as error:
        if not stage or error.code not in {"opportunity", "opportunity_shared"}:
            raise
        refused = error.code == "opportunity"
    return gateway.salesforce().cancel_order(seen, stage=""), refused


def _look(order: Order) -> OrderInReview:
    seen = gateway.salesforce().order_in_review(order.sf_order_id or "")
    if seen is None:
        text = f"Order {order.sf_order_id} is not to be seen any more."
        raise Rejected("salesforce", "order_in_review", "not_found", text)
    return seen


def _due() -> QuerySet[Cancellation]:
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return Cancellation.objects.filter(free, state=State.ASKED, next_try_at__lte=now)


def _claim(wish_id: int) -> Cancellation | None:
    # Four calls at most: look, cancel, and one of both once more.
    lease = timezone.now() + timedelta(seconds=4 * settings.READ_DEADLINE_S + settings.DEADLINE_MARGIN_S)
    with failpoints.around("cancel.claim"):
        if not _due().filter(pk=wish_id).update(lease_until=lease, tries=F("tries") + 1):
            return None
    return Cancellation.objects.select_related("order").get(pk=wish_id)


@commit("cancel.record")
def _end(wish: Cancellation, change: OrderChange, *, opportunity_refused: bool) -> None:
    order = Order.objects.select_for_update().get(pk=wish.order_id)
    is_cancelled = change.status == f.CANCELLED
    if not _ended(wish, State.DONE if is_cancelled else State.TOO_LATE):
        return
    log_event(order, what="cancel_done" if is_cancelled else "cancel_too_late", actor="portal")
    mirror_change(change, actor="customer" if is_cancelled else "salesforce")
    if opportunity_refused:
        text = f"Salesforce did not let the portal change the Opportunity of order {order.number}, which its customer "
        _tell_support(order, "opportunity_left", "Opportunity of a cancelled order", text + "cancelled. Set its stage.")


@commit("cancel.refuse")
def _refuse(wish: Cancellation, error: Rejected) -> None:
    order = Order.objects.select_for_update().get(pk=wish.order_id)
    if not _ended(wish, State.REFUSED):
        return
    log_event(order, what="cancel_refused", actor="salesforce", detail={"code": error.code, "text": error.text})
    text = (
        f"The customer asked to cancel order {order.number}, and Salesforce refused it ({error.code}). Cancel it for "
    )
    _tell_support(order, "cancel_refused", "An order could not be cancelled", text + "the customer, or say why not.")
    log.error("order.cancel_refused", order_id=order.number, error_code=error.code)


def _ended(wish: Cancellation, state: str) -> bool:
    asked = Cancellation.objects.filter(pk=wish.pk, state=State.ASKED)
    return bool(asked.update(state=state, ended_at=timezone.now(), lease_until=None))


@commit("cancel.try_later")
def _try_later(wish: Cancellation, error: OutsideError) -> None:
    next_try = timezone.now() + cases.back_off(wish.tries)
    asked = Cancellation.objects.filter(pk=wish.pk, state=State.ASKED)
    asked.update(next_try_at=next_try, lease_until=None, last_error=error.code[:255])
    log.warning("order.not_cancelled_yet", order_id=wish.order.number, error_code=error.code, count=wish.tries)


def _tell_support(order: Order, cause: str, subject: str, description: str) -> None:
    link = links.linked(order.user) if order.user else None
    cases.open_case(
        cause=f"{cause}:{order.pk}",
        kind="General Inquiry",
        subject=f"{subject}: {order.number}",
        description=description,
        user_id=order.user_id,
        sf_account_id=link.sf_account_id if link else "",
        sf_opportunity_id=order.sf_opportunity_id,
    )
