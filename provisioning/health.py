"""How the event subscription is (observability.md §4): the cursor's row, and whether anybody leads it."""

import base64
from datetime import datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.db.models import Count, Min

from provisioning.leader import somebody_leads
from provisioning.models import Attempt, EventCursor

Status = Literal["ok", "degraded", "down", "disabled"]
RETENTION = timedelta(hours=72)
RECONNECTING_AT_MOST = timedelta(minutes=5)
SILENT_AT_MOST = timedelta(seconds=600)  # keep-alives come within 270
POSITION_OLD = timedelta(hours=24)


def sf_events_status(now: datetime) -> dict[str, Any]:
    """What /health/sf-events shows. Three queries; raises DatabaseError."""
    topic = settings.SF_PROVISION_EVENT_CHANNEL
    if not settings.SF_EVENTS_ENABLED:
        return {"status": "disabled", "topic": topic}
    row = EventCursor.objects.filter(topic=topic).first() or EventCursor(topic=topic)
    led = somebody_leads(topic)
    return {"status": status_of(row, now, led=led), **_facts(row, now, led), **_work(now)}


def status_of(row: EventCursor, now: datetime, *, led: bool) -> Status:
    """The verdict on a row at a moment. A quiet topic is ok: keep-alives count as messages."""
    if row.auth_refused or not row.leader or not led:
        return "down"
    if not row.connected:
        return "degraded" if _age(row.disconnected_at, now) < RECONNECTING_AT_MOST else "down"
    if _age(row.last_message_at, now) > SILENT_AT_MOST:
        return "down"
    return "degraded" if row.saved_at and _age(row.saved_at, now) > POSITION_OLD else "ok"


def _age(moment: datetime | None, now: datetime) -> timedelta:
    """What never happened is infinitely long ago."""
    return now - moment if moment else timedelta.max


def _facts(row: EventCursor, now: datetime, led: bool) -> dict[str, Any]:
    seconds_left = (RETENTION - (now - row.saved_at)).total_seconds() if row.saved_at else None
    return {
        "topic": row.topic,
        "connected": row.connected and led,
        "leader": row.leader if led else "",
        "cursor": base64.b64encode(row.replay_id).decode() if row.replay_id else None,
        "cursor_saved_at": _iso(row.saved_at),
        "last_event_at": _iso(row.last_event_at),
        "last_message_at": _iso(row.last_message_at),
        "seconds_since_message": round((now - row.last_message_at).total_seconds()) if row.last_message_at else None,
        "lag_seconds": row.lag_seconds,
        "gap_at": _iso(row.gap_at),
        "retention_seconds": round(RETENTION.total_seconds()),
        "retention_left_seconds": None if seconds_left is None else round(seconds_left),
        "last_error": row.last_error or None,
    }


def _work(now: datetime) -> dict[str, Any]:
    live = Attempt.objects.filter(state__in=Attempt.LIVE).aggregate(count=Count("pk"), oldest=Min("created_at"))
    oldest = live["oldest"]
    return {"pending": live["count"], "oldest_live_seconds": round((now - oldest).total_seconds()) if oldest else 0}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
