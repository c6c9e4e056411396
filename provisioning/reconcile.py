"""Orders that Salesforce holds as Activating and nobody here works on: taken in, or given back as Failed."""

import hashlib
from datetime import timedelta

import structlog
from django.conf import settings

from integrations import correlation, gateway
from integrations.salesforce.schemas import ActivatingOrder
from journal.calls import database_clock
from journal.commits import commit
from provisioning import outcome
from provisioning.attempts import live_attempt, lock_order, take_in
from provisioning.models import InboxEvent, Outbox
from provisioning.verdicts import UNSEEN
from provisioning.wakeups import wake

log = structlog.get_logger(__name__)
UNREPORTED = (Outbox.State.PENDING, Outbox.State.REFUSED)


def reconcile() -> dict[str, int]:
    """One round over the orders that have been Activating for longer than a quarantine lasts.

    Never seen: taken in as if its event had come. Seen and dealt with: reported Failed(lost_request). Returns action
    -> count. Off without event intake. One query; repeatable. Raises the errors of the Salesforce client.
    """
    done = {"taken_in": 0, "given_back": 0}
    if not settings.SF_EVENTS_ENABLED:
        return done
    before = database_clock() - timedelta(seconds=settings.QUARANTINE_S)
    for order in gateway.salesforce().activating_orders(before=before):
        with correlation.bound(order.correlation_id):
            action = _reconcile(order)
        if action:
            done[action] += 1
            log.warning("reconciled", order_id=order.id, action=action)
    if done["taken_in"]:
        wake()
    return done


def _reconcile(order: ActivatingOrder) -> str:
    key = order.idem_key or f"reconcile:{order.id}:{order.modstamp:%Y%m%dT%H%M%S}"
    with commit("reconcile.order"):
        lock_order(order.id)
        if live_attempt(order.id) or _is_still_to_be_reported(order):
            return ""
        if InboxEvent.objects.filter(order_id=order.id, idem_key=key).exclude(state__in=UNSEEN).exists():
            outcome.lost(order_id=order.id, idem_key=key, correlation_id=order.correlation_id)
            return "given_back"
        return "taken_in" if _take_in(order, key) else ""


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
