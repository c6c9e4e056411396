"""Orders that Salesforce holds as Activating and nobody here works on: taken in, or given back as Failed."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from integrations import correlation, gateway
from integrations.salesforce.schemas import ActivatingOrder
from journal.calls import database_clock
from journal.commits import commit, settled
from provisioning import outcome
from provisioning.attempts import live_attempt, lock_order, take_in
from provisioning.models import Attempt, InboxEvent, Outbox
from provisioning.steps import INTERRUPTIONS
from provisioning.verdicts import UNSEEN
from provisioning.wakeups import wake

log = structlog.get_logger(__name__)
AT_ONCE = 500  # orders asked for in one statement
MOST_WAKE_UPS = 8
UNREPORTED = (Outbox.State.PENDING, Outbox.State.REFUSED)


def reconcile() -> dict[str, int]:
    """One round over the orders that have been Activating for longer than a quarantine lasts.

    Never seen: taken in as if its event had come. Seen and dealt with: reported Failed(lost_request). Returns action
    -> count. Off without event intake. One query; repeatable; an order that cannot be dealt with is left for the next
    round and keeps no other from it. Raises the errors of the Salesforce client.
    """
    done = {"taken_in": 0, "given_back": 0}
    if not settings.SF_EVENTS_ENABLED:
        return done
    read_at = database_clock()
    before = read_at - timedelta(seconds=settings.QUARANTINE_S)
    orders = gateway.salesforce().activating_orders(before=before)
    for first in range(0, len(orders), AT_ONCE):
        for order in _idle(orders[first : first + AT_ONCE]):
            action = _reconcile_one(order, read_at)
            if action:
                done[action] = done.get(action, 0) + 1
    if done["taken_in"]:
        wake(min(done["taken_in"], MOST_WAKE_UPS))
    return done


def _idle(orders: Sequence[ActivatingOrder]) -> list[ActivatingOrder]:
    """Those that nobody works on, in one statement: after a burst most of thousands have a live attempt."""
    ids = [order.id for order in orders]
    live = set(Attempt.objects.filter(order_id__in=ids, state__in=Attempt.LIVE).values_list("order_id", flat=True))
    return [order for order in orders if order.id not in live]


def _reconcile_one(order: ActivatingOrder, read_at: datetime) -> str:
    with correlation.bound(order.correlation_id):
        try:
            action = _reconcile(order, read_at)
        except INTERRUPTIONS:
            raise
        except Exception:
            log.exception("reconcile_left", order_id=order.id)
            return "left"
    if action:
        log.warning("reconciled", order_id=order.id, action=action)
    return action


@settled
def _reconcile(order: ActivatingOrder, read_at: datetime) -> str:
    key = order.idem_key or f"reconcile:{order.id}:{order.modstamp:%Y%m%dT%H%M%S}"
    with commit("reconcile.order"):
        lock_order(order.id)
        if live_attempt(order.id) or _is_still_to_be_reported(order) or _was_reported_since(order, read_at):
            return ""
        if InboxEvent.objects.filter(order_id=order.id, idem_key=key).exclude(state__in=UNSEEN).exists():
            lost = outcome.lost(order_id=order.id, idem_key=key, correlation_id=order.correlation_id)
            return "given_back" if lost else ""
        return "taken_in" if _take_in(order, key) else ""


def _was_reported_since(order: ActivatingOrder, read_at: datetime) -> bool:
    """Whether what was read is old: an outcome reached Salesforce after it."""
    return bool(Outbox.objects.filter(order_id=order.id, kind=Outbox.Kind.OUTCOME, sent_at__gte=read_at).exists())


def _is_still_to_be_reported(order: ActivatingOrder) -> bool:
    """Whether an outcome of this very request is on its way; one of an older request says nothing about it."""
    rows = Outbox.objects.filter(order_id=order.id, kind=Outbox.Kind.OUTCOME, state__in=UNREPORTED)
    return bool(rows.filter(payload__idem_key__in=["", order.idem_key]).exists())


def _take_in(order: ActivatingOrder, key: str) -> bool:
    event = InboxEvent(
        event_uuid=f"reconcile:{hashlib.sha256(key.encode()).hexdigest()[:40]}",
        source=InboxEvent.Source.RECONCILER,
        topic=settings.SF_PROVISION_EVENT_CHANNEL,
        order_id=order.id,
        idem_key=key,
        correlation_id=order.correlation_id,
    )
    if InboxEvent.objects.filter(event_uuid=event.event_uuid).exists():
        return False
    return take_in(event=event) is not None
