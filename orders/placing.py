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
from integrations.errors import OutsideError, Rejected, Unavailable, UnknownOutcome, is_outage
from integrations.salesforce.orders import OPPORTUNITY_CLOSED, OPPORTUNITY_REFUSED
from integrations.salesforce.schemas import NewOrder, NewOrderItem, PlacedOrder
from journal.commits import commit
from orders import clearing, opportunities, outcomes
from orders.models import Order, of_open_accounts
from orders.transitions import log_news
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
        if time.monotonic() - began >= REQUEST_BUDGET_S or _is_away(_try(order_id)):
            return


def place_due(limit: int = 50) -> dict[str, int]:
    """Tries submitted orders that are due and whose customer has an account that is open; counts what came of it.

    It ends early when Salesforce is away: the others wait for the next round.
    """
    due = _due().filter(of_open_accounts()).values_list("pk", flat=True)
    tried = []
    for order_id in list(due[:limit]):
        tried.append(order_id)
        if _is_away(_try(order_id)):
            break
    states = list(Order.objects.filter(pk__in=tried).values_list("local_state", flat=True))
    return {
        "tried": len(states),
        "placed": states.count(Order.Local.PLACED),
        "refused": states.count(Order.Local.REFUSED),
    }


def place(order_id: int) -> Order:
    """Places one submitted order if nobody else is at it, and returns it as it is then; never raises for Salesforce.

    Safe to repeat and to run twice at once. Not to be called in a transaction. Without a real link (decisions.md 2)
    or with a closed account nothing happens: the order waits; so does one that something is missing for
    (orders.clearing).
    """
    _try(order_id)
    return Order.objects.get(pk=order_id)


def _try(order_id: int) -> OutsideError | None:
    order = Order.objects.select_related("user").get(pk=order_id)
    link = links.opened(order.user) if order.user else None
    if link is None or not _claim(order):
        return None
    with correlation.bound(order.correlation_id):
        try:
            if clearing.clear(order, link):
                outcomes.record(order.pk, _placed(order, link))
        except clearing.NotAsked as error:
            return error
        except OutsideError as error:
            outcomes.not_placed(order, error, link)
            return error
    return None


def _is_away(error: OutsideError | None) -> bool:
    return error is not None and is_outage(error)


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
    order.refresh_from_db(fields=["tries", "cleared_at"])
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
    except UnknownOutcome as lost:
        if found := _look_again(order, lost):
            return found
        raise


def _look_again(order: Order, lost: UnknownOutcome) -> PlacedOrder | None:
    """A look that fails as well says nothing of what was sent: that is still what has to be looked for."""
    try:
        return gateway.salesforce().order_by_ref(order.portal_ref)
    except OutsideError as error:
        raise lost from error


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
    log_news(order, what="opportunity_passed_over", actor="salesforce", detail={"id": opportunity, "code": why})
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
