"""What a seed finds when it begins, what befalls it from outside, and how the cell is made whole after it."""

import uuid

import django_rq
from django.utils import timezone

from accounts.models import CustomerLink
from integrations import gateway
from journal import calls
from orders.models import Order
from provisioning import mapping, pause
from provisioning.models import Attempt, InboxEvent, Outbox
from provisioning.remote_orders import subject_of
from tests.campaign.circumstances import CIRCUMSTANCES
from tests.campaign.seeds import Fault, Seed
from tests.campaign.shop import Customer, Shop
from tests.people import make_user

USUAL_ESIM = {"processing_s": 0, "fail": "", "reject": ""}


def orders_of(seed: Seed, shop: Shop) -> list[str]:
    """The orders of the seed, placed and not yet approved, and what its circumstance did to them before."""
    circumstance = CIRCUMSTANCES[seed.circumstance]
    shop.buttons.control("/control/whmcs/settings", dict(circumstance.settings))
    shop.buttons.control("/control/esim/settings", {**USUAL_ESIM, **circumstance.esim})
    orders = []
    for goods in [circumstance.goods or each for each in seed.goods]:
        customer = shop.customer()
        order_id = shop.place(customer, goods)
        if seed.portal_order:
            _known_to_the_portal(order_id, customer)
        _before(circumstance.before, order_id, customer)
        orders.append(order_id)
    shop.placed_at = shop.last_row()
    return orders


def place_faults(seed: Seed, shop: Shop) -> None:
    for rule in CIRCUMSTANCES[seed.circumstance].faults:
        shop.buttons.control("/control/faults", dict(rule))
    for fault in seed.faults:
        shop.buttons.control("/control/faults", _rule(fault))


def lose_report(seed: Seed, orders: list[str]) -> None:
    """Somebody takes a report out of the outbox before it has gone."""
    if CIRCUMSTANCES[seed.circumstance].before == "report lost":
        first = Outbox.objects.filter(order_id__in=orders).order_by("id").first()
        if first is not None:
            Outbox.objects.filter(pk=first.pk, state=Outbox.State.PENDING).update(state=Outbox.State.SUPERSEDED)


def cancel(seed: Seed, orders: list[str], shop: Shop) -> None:
    """The customer has an order cancelled as soon as its attempt is in the state that the circumstance names."""
    when = CIRCUMSTANCES[seed.circumstance].cancel_when
    ripe = Attempt.objects.filter(order_id__in=orders, state=when) if when else Attempt.objects.none()
    for order_id in set(ripe.values_list("order_id", flat=True)):
        if shop.order(order_id)["Status"] == "Approved":
            shop.desk(order_id, "cancel")


def heal(seed: Seed, shop: Shop) -> None:
    """The outside world is on its best behaviour again."""
    shop.buttons.delete("/control/faults")
    if CIRCUMSTANCES[seed.circumstance].usual:
        shop.buttons.control("/control/whmcs/settings", dict(CIRCUMSTANCES[seed.circumstance].usual))


def resume() -> None:
    """Whoever pressed pause may have died before the other button; a colleague presses it."""
    pause.resume(by="op@portal.test", reason="campaign")


def flush_redis() -> None:
    """Redis loses everything of this cell."""
    django_rq.get_connection("provisioning").flushdb()


def all_received(shop: Shop, orders: list[str]) -> bool:
    """Whether every event that the org published for these orders has a row of its own in the inbox."""
    rows = shop.buttons.ledger(system="salesforce", operation="event.publish", after=shop.placed_at)
    published = {row["key"] for row in rows if row["detail"].get("OrderId__c") in orders}
    return InboxEvent.objects.filter(event_uuid__in=published).count() == len(published)


def is_quarantined(order_id: str) -> bool:
    """Whether a call that was sent for the order may still be executing there."""
    return calls.open_calls(subject_of(order_id)).filter(quarantine_until__gt=calls.database_clock()).exists()


def _rule(fault: Fault) -> dict[str, object]:
    rule = {"system": fault.system, "kind": fault.kind, "operation": fault.operation, "parameters": fault.parameters}
    return {**rule, "when": "once", "skip": fault.nth - 1}


def _before(what: str, order_id: str, customer: Customer) -> None:
    """What WHMCS holds under the order's mark before anybody here has heard of it."""
    copies = {"two orders": 2, "other items": 1, "cancelled there": 1}.get(what, 0)
    if not copies:
        return
    order = gateway.salesforce().order_for_provisioning(order_id)
    assert order is not None
    lines = mapping.lines_of(order)
    request = mapping.request_of(order_id, customer.client_id, lines[:1] if what == "other items" else lines)
    for _copy in range(copies):
        added = gateway.whmcs().add_order(request)
    if what == "cancelled there":
        gateway.whmcs().cancel_order(added.order_id)


def _known_to_the_portal(order_id: str, customer: Customer) -> None:
    """The portal's row of the order, as placing leaves it; its customer is written to."""
    link = CustomerLink.objects.filter(whmcs_client_id=customer.client_id).select_related("user").first()
    if link is None:
        link = CustomerLink.objects.create(
            user=make_user(customer.email),
            state=CustomerLink.State.LINKED,
            sf_account_id=customer.account_id,
            sf_account_no=f"C{customer.client_id}",
            whmcs_client_id=customer.client_id,
            portal_status="Active",
        )
    Order.objects.create(
        user=link.user,
        cart_hash=uuid.uuid4().hex,
        portal_ref=str(uuid.uuid4()),
        correlation_id=f"campaign-{order_id}",
        local_state=Order.Local.PLACED,
        sf_order_id=order_id,
        category="Internet",
        terms_version="2026-10-01",
        terms_accepted_at=timezone.now(),
        placed_at=timezone.now(),
    )
