"""The event subscription as its own row and the inbox have it."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import Count, F
from prometheus_client import Metric

from portal.metrics.families import Pair, counter, durations, gauge, histogram
from provisioning.leader import somebody_leads
from provisioning.models import EventCursor, InboxEvent

State = InboxEvent.State
RESULT_OF = {
    State.ACCEPTED: "accepted",
    State.WAITING: "accepted",
    State.ANSWERED: "accepted",
    State.REPLACED: "accepted",
    State.DUPLICATE: "duplicate",
    State.POISON: "poison",
    State.IGNORED: "ignored",
}
LAG_S = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600)


def families(now: datetime) -> Iterable[Metric]:
    """Everything about the stream at this moment. Raises DatabaseError."""
    yield from _events()
    if settings.SF_EVENTS_ENABLED:
        yield from _subscriber(settings.SF_PROVISION_EVENT_CHANNEL, now)


def _events() -> Iterable[Metric]:
    rows = InboxEvent.objects.order_by().values_list("state").annotate(count=Count("pk"))
    labels = {"result": ("accepted", "duplicate", "poison", "ignored")}
    counts = (((RESULT_OF[State(state)],), count) for state, count in rows)
    yield counter("portal_sf_events_received", "Events of the stream by what became of them.", labels, counts)
    streamed = InboxEvent.objects.filter(source=InboxEvent.Source.STREAM, published_at__isnull=False)
    lags = durations(streamed, "source", F("received_at") - F("published_at"), LAG_S)
    text = "From the publishing of an event to its commit."
    yield histogram("portal_sf_event_lag_seconds", text, "source", ("stream",), LAG_S, lags)


def _subscriber(topic: str, now: datetime) -> Iterable[Metric]:
    row = EventCursor.objects.filter(topic=topic).first() or EventCursor(topic=topic)
    led = somebody_leads(topic)
    values: dict[str, tuple[str, float]] = {
        "portal_sf_stream_last_message_timestamp_seconds": (
            "Last event or keep-alive, 0 if never.",
            _at(row.last_message_at),
        ),
        "portal_sf_stream_connected": ("1 while the leader is connected.", float(row.connected and led)),
        "portal_sf_stream_leader": ("1 while a process leads.", float(led)),
        "portal_sf_stream_leader_epoch": ("How often the leader changed.", float(row.leader_epoch)),
        "portal_sf_stream_auth_refused": ("1 while Salesforce refuses the credentials.", float(row.auth_refused)),
        "portal_sf_stream_gap_timestamp_seconds": ("When the position was last lost, 0 if never.", _at(row.gap_at)),
        "portal_sf_cursor_age_seconds": ("Age of the position; 259200 is its end.", _age(row.saved_at, now)),
    }
    labels, pair = {"topic": (topic,)}, Pair((topic,))
    for name, (text, value) in values.items():
        yield gauge(name, text, labels, {pair: value})


def _at(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _age(moment: datetime | None, now: datetime) -> float:
    return (now - moment).total_seconds() if moment else 0.0
