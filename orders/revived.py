"""A cancelled order that lives again in Salesforce: approved over a cancellation, or put back into review.

An approval counts there, and the order is provisioned (decisions.md 20). Its customer holds an e-mail that says
"cancelled", perhaps by their own wish; so they are told at once, and a person has to talk to them. In review nothing
has gone wrong yet; the approval that follows is told for itself.
"""

import structlog

from accounts import links
from integrations.salesforce import fields as f
from integrations.salesforce.schemas import OrderChange
from orders import telling
from orders.models import Cancellation, Order, OrderQuerySet
from orders.transitions import log_event, nth, times
from support import cases

log = structlog.get_logger(__name__)
APPROVED = frozenset({"Approved", "Activated"})


def comes_back(order: Order, change: OrderChange, *, before: str) -> bool:
    """Whether `change` of an order that stood at `before` in Salesforce brings it back, or approves what came back."""
    if before == f.CANCELLED:
        return change.status != f.CANCELLED
    return before in f.IN_REVIEW and change.status in APPROVED and _was_wished(order)


def note(order: Order, change: OrderChange) -> None:
    """Writes the event, the e-mail and, where the customer had cancelled it, the Case. The caller holds the lock.

    Once for each time that the order came back.
    """
    wished = _was_wished(order)
    detail = {"status": change.status, "activation_status": change.activation_status, "customer_cancelled": wished}
    log_event(order, what="revived", actor="salesforce", detail=detail)
    log.error("order.revived", order_id=order.number, state=change.status)
    telling.revived(order, approved=change.status in APPROVED)
    if wished:
        _tell_support(order, change)


def unwanted() -> OrderQuerySet:
    """Orders that live though their customers cancelled them."""
    return Order.objects.filter(cancellation__state=Cancellation.State.DONE).exclude(sf_status="Cancelled")


def _was_wished(order: Order) -> bool:
    return Cancellation.objects.filter(order=order, state=Cancellation.State.DONE).exists()


def _tell_support(order: Order, change: OrderChange) -> None:
    link = links.linked(order.user) if order.user else None
    to_do = (
        "The portal provisions an approved order. Talk to the customer: keep it with their consent, or end the service "
        "without a charge."
        if change.status in APPROVED
        else "Talk to the customer before anybody approves it, or cancel it again."
    )
    cases.open_case(
        cause=f"order_revived:{order.pk}{nth(times(order, 'revived'))}",
        kind="General Inquiry",
        subject=f"Order {order.number} goes on though its customer cancelled it",
        description=f"The customer cancelled order {order.number}, Salesforce confirmed it, and then somebody set it "
        f'to {change.status}. {to_do} If they keep it, say so with "The customer keeps it" in the portal\'s list of '
        "orders.",
        user_id=order.user_id,
        sf_account_id=link.sf_account_id if link else "",
        sf_opportunity_id=order.sf_opportunity_id,
    )
