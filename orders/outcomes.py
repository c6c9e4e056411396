"""What a try to bring an order into Salesforce came to, written down: placed, refused, or to be tried again."""

import structlog
from django.utils import timezone

from accounts.models import CustomerLink
from integrations.errors import Misconfigured, OutsideError, Rejected
from integrations.salesforce.schemas import PlacedOrder
from journal.commits import commit
from orders.models import Order, OrderLine
from orders.transitions import log_news, move_local, nth, times
from support import cases

log = structlog.get_logger(__name__)
# What Salesforce says of the order's own values. Every other refusal (a rule, a Flow, a full storage) is the org's,
# meets all orders alike, and ends when somebody mends it there.
OWN_FAULTS = frozenset(
    {
        "field_integrity_exception",  # such as a pricebook entry that is not active any more
        "invalid_cross_reference_key",
        "entity_is_deleted",
        "malformed_id",
        "number_outside_valid_range",
        "string_too_long",
    }
)
TRIES_BEFORE_A_CASE = 3  # of a mistake in the set-up, which may be mended in the same minute


@commit("order.record")
def record(order_id: int, placed: PlacedOrder) -> None:
    """Notes that the order stands in Salesforce, with its items. Safe to repeat."""
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.local_state != Order.Local.SUBMITTED:
        return
    adopt(order, sf_order_id=placed.id, sf_order_number=placed.number, opportunity_id=placed.opportunity_id)
    lines = list(order.lines.all())
    if len(lines) == len(placed.item_ids):
        for line, item_id in zip(lines, placed.item_ids, strict=True):
            line.sf_order_item_id = item_id
        OrderLine.objects.bulk_update(lines, ["sf_order_item_id"])


def adopt(order: Order, *, sf_order_id: str, sf_order_number: str, opportunity_id: str) -> None:
    """Notes that an order stands in Salesforce, also one that was taken for refused. The caller holds its lock."""
    opportunity = {"id": opportunity_id, "was": "open" if opportunity_id == order.sf_opportunity_id else "made"}
    move_local(
        order,
        Order.Local.PLACED,
        actor="portal",
        detail={"sf_order_id": sf_order_id, "opportunity": opportunity, "tries": order.tries},
        sf_order_id=sf_order_id,
        sf_order_number=sf_order_number,
        sf_opportunity_id=opportunity_id,
        sf_status=order.sf_status or "Pending Review",
        sf_activation_status=order.sf_activation_status or "Pending Review",
        placed_at=timezone.now(),
        refusal="",
    )


def not_placed(order: Order, error: OutsideError, link: CustomerLink) -> None:
    """Refused for what the order itself holds, else to be tried again; support is told what a person has to mend."""
    if is_own_fault(error):
        _refuse(order, error, link)
    else:
        _try_later(order, error)


def is_own_fault(error: OutsideError) -> bool:
    """Whether placing this order anew would end the same while others are placed. A look-up refuses no order."""
    placing = (error.system, error.operation.partition(".")[0]) == ("salesforce", "place_order")
    return placing and isinstance(error, Rejected) and error.code in OWN_FAULTS


@commit("order.refuse")
def _refuse(order: Order, error: OutsideError, link: CustomerLink) -> None:
    order = Order.objects.select_for_update().get(pk=order.pk)
    if order.local_state != Order.Local.SUBMITTED:
        return
    move_local(
        order,
        Order.Local.REFUSED,
        actor="salesforce",
        detail={"code": error.code, "text": error.text},
        refusal=error.code[:40],
    )
    cases.open_case(
        cause=f"order_refused:{order.pk}{nth(times(order, Order.Local.REFUSED))}",
        kind="General Inquiry",
        subject=f"Order {order.number} was refused",
        description=f"Salesforce refused order {order.number} of the portal ({error.code}). Mend what it names and "
        'choose "Place again" in the portal\'s list of orders, or tell the customer why it cannot be.',
        user_id=order.user_id,
        sf_account_id=link.sf_account_id,
    )
    log.error("order.refused", order_id=order.number, error_code=error.code)


@commit("order.try_later")
def _try_later(order: Order, error: OutsideError) -> None:
    order = Order.objects.select_for_update().get(pk=order.pk)
    if order.local_state != Order.Local.SUBMITTED:
        return
    order.next_try_at = timezone.now() + cases.back_off(order.tries)
    order.lease_until = None
    order.save(update_fields=["next_try_at", "lease_until", "updated_at"])
    log_news(order, what="not_placed_yet", actor="portal", detail={"kind": type(error).__name__, "code": error.code})
    log.warning("order.not_placed", order_id=order.number, error_code=error.code, kind=type(error).__name__)
    if isinstance(error, Rejected) or (isinstance(error, Misconfigured) and order.tries >= TRIES_BEFORE_A_CASE):
        _tell_support(order, error)


def _tell_support(order: Order, error: OutsideError) -> None:
    """Once a day for each kind of error: it meets all orders alike, and the first stands for them."""
    cases.open_case(
        cause=f"orders_not_placed:{error.system}:{error.code}:{timezone.localdate()}",
        kind="General Inquiry",
        subject=f"Orders cannot be placed: {error.code}",
        description=f"Order {order.number}, and perhaps others, cannot be placed: {error}. The portal keeps them and "
        "tries again by itself, at least once an hour. They stand in its list of orders, filter: submitted.",
    )
