"""An order that Salesforce has not heard of is taken back: by its customer, or by support with a reason.

Whatever is missing for it then keeps its customer from nothing any more (docs/decisions.md 84, 115).
"""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from integrations import gateway
from journal.commits import commit
from orders import refusals, telling
from orders.by_support import Decision, NotPossible
from orders.cancelling import TooLate
from orders.models import Order
from orders.status import can_be_withdrawn
from orders.transitions import move_local


def ask(user: User, number: str) -> None:
    """`user` does not want the order any more; done at once, and confirmed by e-mail.

    Not to be called in a transaction. Raises Order.DoesNotExist for an order of somebody else, TooLate when Salesforce
    may have heard of it, OutsideError. Takes the order's lock, as the step does that lets an order go
    (orders.clearing): one of the two comes first.
    """
    mine = Order.objects.for_user(user)
    seen = mine.get(number=number)
    if not can_be_withdrawn(seen) or _stands_there(seen):
        raise TooLate
    with commit("order.withdraw"):
        order = mine.select_for_update(of=("self",)).get(number=number)
        if not can_be_withdrawn(order):
            raise TooLate
        _take_back(order, refusals.WITHDRAWN, actor="customer")


def look(order_id: int) -> Order:
    """The order as support sees it before it is ended. Asks Salesforce, so not to be called in a transaction.

    Raises NotPossible for one that stands there, OutsideError.
    """
    seen = Order.objects.get(pk=order_id)
    if seen.local_state == Order.Local.SUBMITTED and _stands_there(seen):
        raise NotPossible(_("This order stands in Salesforce. Cancel it there."))
    return seen


@commit("order.withdraw")
def withdraw(seen: Order, decision: Decision) -> None:
    """Support ends an order that is not in Salesforce, such as that of a closed account; its customer is written to.

    `seen` is from `look`. Raises NotPossible when the order is, or just was, sent. Takes the order's lock.
    """
    order = Order.objects.select_for_update().get(pk=seen.pk)
    if order.local_state != Order.Local.SUBMITTED:
        raise NotPossible(_("Only an order that is not in Salesforce yet is taken back here."))
    if not can_be_withdrawn(order) and not _rests_since(seen, order):
        raise NotPossible(_("This order is being placed at this very moment. Try again in a minute."))
    _take_back(order, refusals.TAKEN_BACK, actor=decision.by, reason=decision.reason)


def _stands_there(order: Order) -> bool:
    """Whether Salesforce has it: asked only where it was let go once, or tried; also if it is placed again."""
    may_have_been_sent = order.cleared_at is not None or order.tries > 0
    return may_have_been_sent and gateway.salesforce().order_by_ref(order.portal_ref) is not None


def _rests_since(seen: Order, order: Order) -> bool:
    """Whether nobody tried to place the order between the look and the lock."""
    return seen.cleared_at is not None and order.tries == seen.tries and not _is_being_placed(seen)


def _is_being_placed(order: Order) -> bool:
    return order.lease_until is not None and order.lease_until > timezone.now()


def _take_back(order: Order, code: str, *, actor: str, **detail: Any) -> None:
    now = timezone.now()
    columns = {"refusal": code, "on_hold": [], "cancelled_at": now}
    move_local(order, Order.Local.REFUSED, actor=actor, detail={"code": code, **detail}, **columns)
    telling.cancelled(order)
