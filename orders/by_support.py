"""What customer support decides about an order in the portal: each with a reason, in the order's log."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations import gateway
from journal import calls
from journal.models import RemoteFact
from orders import refusals, revived, telling
from orders.mirroring import after_cancelling
from orders.models import Cancellation, Order
from orders.status import Status, status_of
from orders.transitions import log_event, mirror, move_local

NOTE = 2000
ALIVE = frozenset({Order.Progress.ACTIVATING, Order.Progress.CHECKING})


class NotPossible(Exception):
    """The order does not stand as the decision needs it; the text is for staff. Nothing was changed."""


@dataclass(frozen=True)
class Decision:
    """Who decided (an e-mail address of staff) and why."""

    by: str
    reason: str


@transaction.atomic
def place_again(order_id: int, decision: Decision) -> None:
    """A refused order is submitted once more; the next round asks the gate and places it, or finds it where it stands.

    Whoever was written to that it cannot be hears of it. Raises NotPossible for any other order. Takes the order's
    lock.
    """
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.local_state != Order.Local.REFUSED:
        raise NotPossible(_("This order was not refused."))
    if order.refusal in refusals.ENDED:
        raise NotPossible(_("This order was taken back, and its customer was told so. It has to be ordered again."))
    if order.refusal in refusals.FOR_SUPPORT:  # the others are told by the page alone, which follows
        telling.taken_up(order)
    detail = {"reason": decision.reason, "refusal": order.refusal}
    looked_for = max(order.tries, 1)  # before it is sent, in case an earlier answer was lost
    move_local(
        order,
        Order.Local.SUBMITTED,
        actor=decision.by,
        detail=detail,
        refusal="",
        next_try_at=None,
        tries=looked_for,
        cleared_at=None,  # what was free when it was ordered may be taken by now
    )


@transaction.atomic
def customer_keeps(order_id: int, decision: Decision) -> None:
    """The customer agreed to an order that goes on though they had cancelled it: nobody owes them an answer any more.

    Raises NotPossible for any other order. Takes the order's lock.
    """
    order = Order.objects.select_for_update().get(pk=order_id)
    wish = Cancellation.objects.filter(order__in=revived.unwanted(), order=order)
    if not wish.update(state=Cancellation.State.KEPT, ended_at=timezone.now()):
        raise NotPossible(_("This order does not go on against its customer's wish."))
    log_event(order, what="customer_keeps", actor=decision.by, detail={"reason": decision.reason})


@transaction.atomic
def keep_note(order_id: int, note: str, *, by: str) -> None:
    """What colleagues should know of an order, at most NOTE characters; nothing is logged when it says the same."""
    order = Order.objects.select_for_update().get(pk=order_id)
    said = note.replace("\x00", "").strip()[:NOTE]
    if said != order.support_note:
        order.support_note = said
        order.save(update_fields=["support_note"])
        log_event(order, what="note", actor=by)


def look_that_it_is_gone(order_id: int) -> None:
    """Asks Salesforce whether it still has the order; not to be called in a transaction.

    Raises NotPossible for an order that stands there or never did; OutsideError.
    """
    order = Order.objects.get(pk=order_id)
    if not order.sf_order_id or gateway.salesforce().order_change(order.sf_order_id) is not None:
        raise NotPossible(_("Only an order that is gone from Salesforce is marked here. Cancel this one there."))


@transaction.atomic
def mark_cancelled(order_id: int, decision: Decision) -> None:
    """Ends an order that was deleted in Salesforce, where nobody can cancel it any more; its customer is written to.

    Only after `look_that_it_is_gone`. Raises NotPossible for one that is active, over or being provisioned, or that
    left something at WHMCS. Takes the order's lock.
    """
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.progress in ALIVE or status_of(order) in {Status.CANCELLED, Status.PROVISIONED}:
        raise NotPossible(_("This order is over already, active, or just being provisioned."))
    if _is_at_whmcs(order):
        raise NotPossible(_("WHMCS still holds something of this order, or may: end that there first."))
    before, now = order.sf_status, timezone.now()
    log_event(order, what="marked_cancelled", actor=decision.by, detail={"reason": decision.reason})
    mirror(order, status="Cancelled", activation=order.sf_activation_status, at=now, actor=decision.by)
    after_cancelling(order, before=before)


def _is_at_whmcs(order: Order) -> bool:
    """Whether something may have been made for it outside that a cancellation in Salesforce would clean away.

    The journal names an order as provisioning does; nobody cleans up what has no order in Salesforce.
    """
    subject = f"order:{order.sf_order_id}"
    is_live = RemoteFact.objects.filter(subject=subject, state=RemoteFact.State.LIVE).exists()
    return order.whmcs_order_id is not None or is_live or calls.open_calls(subject).exists()
