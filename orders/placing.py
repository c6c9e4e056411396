"""Brings a submitted order into Salesforce: one Composite, found again by its reference when the answer was lost.

The reference (Portal_Ref__c) is unique there, so a second try can only adopt the first (decisions.md 5, 11).
"""

import time
from collections.abc import Callable, Collection
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts import links
from accounts.models import CustomerLink
from catalog.models import EligibilityRequest, Product
from integrations import correlation, failpoints, gateway
from integrations.errors import OutsideError, Rejected, Unavailable, UnknownOutcome
from integrations.salesforce.orders import OPPORTUNITY_CLOSED, OPPORTUNITY_REFUSED
from integrations.salesforce.schemas import NewOrder, NewOrderItem, PlacedOrder
from journal.commits import commit
from orders import clearing, opportunities
from orders.models import Order, OrderLine
from orders.transitions import log_event, move_local
from support import cases

log = structlog.get_logger(__name__)
COMMODITIES = {
    Product.Category.INTERNET: "Personal SonixNet Home Internet",
    Product.Category.SIM: "SIM",
    Product.Category.VPN: "VPN",
}
MOST_OPPORTUNITIES = 2  # that are tried before an order makes its own
CLOSE_AFTER = timedelta(days=30)
REQUEST_BUDGET_S = 20  # a customer waits for the page; what is not placed by then is placed by the sweep


def place_submission(submission: UUID) -> None:
    """Places the orders of one submit while the customer waits; what does not succeed is left to the sweep."""
    began = time.monotonic()
    for order_id in list(
        Order.objects.filter(submission=submission).order_by("cart_line").values_list("pk", flat=True)
    ):
        if time.monotonic() - began < REQUEST_BUDGET_S:
            place(order_id)


def place_due(limit: int = 50) -> dict[str, int]:
    """Tries every submitted order that is due and whose customer is known in Salesforce; counts what came of it."""
    tried = list(_due().filter(user__link__state=CustomerLink.State.LINKED).values_list("pk", flat=True)[:limit])
    states = [place(order_id).local_state for order_id in tried]
    return {
        "tried": len(states),
        "placed": states.count(Order.Local.PLACED),
        "refused": states.count(Order.Local.REFUSED),
    }


def place(order_id: int) -> Order:
    """Places one submitted order if nobody else is at it, and returns it as it is then; never raises for Salesforce.

    Safe to repeat and to run twice at once. Not to be called in a transaction. Without a real link (decisions.md 2)
    nothing happens: the order waits; so does one that something is missing for (orders.clearing).
    """
    order = Order.objects.select_related("user").get(pk=order_id)
    link = links.linked(order.user) if order.user else None
    if link is None or not _claim(order):
        return order
    with correlation.bound(order.correlation_id):
        try:
            if clearing.clear(order, link):
                _record(order.pk, _placed(order, link))
        except Rejected as error:
            _refuse(order, error, link)
        except OutsideError as error:
            _try_later(order, error)
    return Order.objects.get(pk=order_id)


def _due() -> QuerySet[Order]:
    now = timezone.now()
    return Order.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now),
        Q(next_try_at=None) | Q(next_try_at__lte=now),
        local_state=Order.Local.SUBMITTED,
    ).order_by("pk")


def _claim(order: Order) -> bool:
    # Nine calls at most: two of the gate's; look up; opportunities and Composite, twice; Composite with one of its own;
    # look up a lost answer.
    lease = timezone.now() + timedelta(seconds=9 * settings.READ_DEADLINE_S + settings.DEADLINE_MARGIN_S)
    with failpoints.around("order.claim"):
        claimed = _due().filter(pk=order.pk).order_by().update(lease_until=lease, tries=F("tries") + 1)
    order.refresh_from_db(fields=["tries"])
    return bool(claimed)


def _placed(order: Order, link: CustomerLink) -> PlacedOrder:
    if order.tries > 1 and (found := gateway.salesforce().order_by_ref(order.portal_ref)):
        return found
    passed_over: set[str] = set()
    for turn in range(MOST_OPPORTUNITIES):
        if turn or order.tries > 1 or not _take_known_opportunity(order, link):
            _take_open_opportunity(order, link, besides=passed_over)
        try:
            return _sent(order, link)
        except (Unavailable, Rejected) as error:
            if error.code not in {OPPORTUNITY_CLOSED, OPPORTUNITY_REFUSED}:
                raise
            passed_over.add(order.sf_opportunity_id)
            if error.code == OPPORTUNITY_REFUSED:
                _note_passed_over(order, link, why=error.text)
    _take_opportunity(order, link, lambda taken: "")  # its own
    return _sent(order, link)


def _sent(order: Order, link: CustomerLink) -> PlacedOrder:
    try:
        return gateway.salesforce().place_order(_new_order(order, link))
    except UnknownOutcome:
        if found := gateway.salesforce().order_by_ref(order.portal_ref):
            return found
        raise


def _take_known_opportunity(order: Order, link: CustomerLink) -> bool:
    """That of the address check which let the customer order: no question, and Salesforce says if it is open."""
    if order.category != Product.Category.INTERNET:
        return False
    checks = EligibilityRequest.objects.filter(user_id=link.user_id, sf_account_id=link.sf_account_id, offered=True)
    known = checks.exclude(sf_opportunity_id="").values_list("sf_opportunity_id", flat=True).first()
    return _take_opportunity(order, link, lambda taken: known if known and known not in taken else "")


def _take_open_opportunity(order: Order, link: CustomerLink, *, besides: Collection[str]) -> bool:
    commodity = COMMODITIES[Product.Category(order.category)]
    candidates = gateway.salesforce().open_opportunities(account_id=link.sf_account_id, commodity=commodity)

    def newest(taken: Collection[str]) -> str:
        found = opportunities.match(candidates, commodity=commodity, taken={*taken, *besides})
        return found.id if found else ""

    return _take_opportunity(order, link, newest)


def _take_opportunity(order: Order, link: CustomerLink, choose: Callable[[Collection[str]], str]) -> bool:
    """Writes down which one the order is about to take, or that it makes its own, before Salesforce is told."""
    with commit("order.take_opportunity"):
        CustomerLink.objects.select_for_update().get(pk=link.pk)  # a customer's orders choose one after the other
        others = Order.objects.filter(user_id=link.user_id).under_way().exclude(pk=order.pk)
        order.sf_opportunity_id = choose(set(others.values_list("sf_opportunity_id", flat=True)))
        unplaced = Order.objects.filter(pk=order.pk, local_state=Order.Local.SUBMITTED)
        unplaced.update(sf_opportunity_id=order.sf_opportunity_id)
    return bool(order.sf_opportunity_id)


@commit("order.pass_over")
def _note_passed_over(order: Order, link: CustomerLink, *, why: str) -> None:
    """Sales would go on working on it: support is told, once per order and Opportunity."""
    opportunity = order.sf_opportunity_id
    log_event(order, what="opportunity_passed_over", actor="salesforce", detail={"id": opportunity, "code": why})
    cases.open_case(
        cause=f"opportunity_passed_over:{order.pk}:{opportunity}",
        kind="General Inquiry",
        subject=f"Opportunity of order {order.number} could not be taken",
        description=f"Salesforce did not let the portal change this open Opportunity ({why}), so order {order.number} "
        "stands with another one. Close it, or say why it stays open.",
        user_id=order.user_id,
        sf_account_id=link.sf_account_id,
        sf_opportunity_id=opportunity,
    )


def _new_order(order: Order, link: CustomerLink) -> NewOrder:
    today, user = timezone.localdate(), link.user
    return NewOrder(
        ref=order.portal_ref,
        account_id=link.sf_account_id,
        account_name=user.get_full_name(),
        commodity=COMMODITIES[Product.Category(order.category)],
        opportunity_id=order.sf_opportunity_id,
        correlation_id=order.correlation_id,
        effective_date=today.isoformat(),
        close_date=(today + CLOSE_AFTER).isoformat(),
        items=[
            NewOrderItem(line.sf_pricebook_entry_id, line.quantity, line.unit_price, line.billing_cycle, line.options)
            for line in order.lines.all()
        ],
    )


@commit("order.record")
def _record(order_id: int, placed: PlacedOrder) -> None:
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
    """Notes that a submitted order stands in Salesforce. The caller holds the row's lock."""
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
    )


@commit("order.refuse")
def _refuse(order: Order, error: Rejected, link: CustomerLink) -> None:
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
        cause=f"order_refused:{order.pk}",
        kind="General Inquiry",
        subject=f"Order {order.number} was refused",
        description=f"Salesforce refused order {order.number} of the portal ({error.code}). Place it for the customer "
        "or tell them why it cannot be.",
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
    log_event(order, what="not_placed_yet", actor="portal", detail={"kind": type(error).__name__, "code": error.code})
    log.warning("order.not_placed", order_id=order.number, error_code=error.code, kind=type(error).__name__)
