"""/health/sf-events: the table of row and moment to verdict, and who really leads."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from provisioning.health import Status, sf_events_status, status_of
from provisioning.leader import lead
from provisioning.models import EventCursor
from tests.provisioning.responses import TOPIC, lead_now, received

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


HEALTHY = {
    "leader": "host:1",
    "connected": True,
    "saved_at": ago(seconds=40),
    "last_message_at": ago(seconds=40),
    "disconnected_at": None,
}


@pytest.mark.parametrize(
    ("row", "led", "verdict"),
    [
        ({}, True, "ok"),
        ({"last_event_at": None}, True, "ok"),
        ({"last_message_at": ago(seconds=599), "saved_at": ago(seconds=599)}, True, "ok"),
        ({"last_message_at": ago(seconds=601)}, True, "down"),
        ({"last_message_at": None}, True, "down"),
        ({"saved_at": None}, True, "ok"),
        ({"saved_at": ago(hours=25), "last_message_at": ago(seconds=1)}, True, "degraded"),
        ({"connected": False, "disconnected_at": ago(seconds=20)}, True, "degraded"),
        ({"connected": False, "disconnected_at": ago(minutes=4, seconds=59)}, True, "degraded"),
        ({"connected": False, "disconnected_at": ago(minutes=5)}, True, "down"),
        ({"connected": False, "disconnected_at": None}, True, "down"),
        ({"leader": ""}, True, "down"),
        ({}, False, "down"),
        ({"auth_refused": True}, True, "down"),
    ],
)
def test_the_verdict(row: dict[str, Any], led: bool, verdict: Status) -> None:
    assert status_of(EventCursor(topic=TOPIC, **{**HEALTHY, **row}), NOW, led=led) == verdict


@pytest.mark.django_db
def test_never_started_is_down_and_switched_off_is_disabled(settings: Any) -> None:
    assert sf_events_status(NOW)["status"] == "down"
    settings.SF_EVENTS_ENABLED = False
    assert sf_events_status(NOW) == {"status": "disabled", "topic": TOPIC}


@pytest.mark.django_db(transaction=True)
def test_the_row_alone_does_not_make_a_leader(client: Client) -> None:
    EventCursor.objects.create(topic=TOPIC, **HEALTHY)
    assert sf_events_status(NOW)["status"] == "down"
    leadership = lead(topic=TOPIC, wait_s=10)
    assert leadership is not None
    EventCursor.objects.update(**HEALTHY)
    answer = sf_events_status(NOW)
    assert answer["status"] == "ok"
    assert (answer["seconds_since_message"], answer["retention_left_seconds"]) == (40, 259_160)
    leadership.resign()
    assert sf_events_status(NOW)["status"] == "down"
    assert client.get("/health/sf-events").status_code == 503


@pytest.mark.django_db
def test_live_attempts_are_counted() -> None:
    from provisioning.intake import store
    from tests.provisioning.responses import response

    store(topic=TOPIC, leader_epoch=lead_now(), response=response(received()))
    answer = sf_events_status(datetime.now(UTC))
    assert answer["pending"] == 1
    assert answer["oldest_live_seconds"] >= 0
    assert answer["lag_seconds"] > 0
