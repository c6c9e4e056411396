"""One leads; who lost the lead can write nothing."""

import time
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace

import psycopg
import pytest
from django.db import connection

from integrations.salesforce.pubsub import Start
from provisioning import cursor
from provisioning.intake import StaleLeader, store
from provisioning.leader import Leadership, LostLeadership, lead, somebody_leads
from provisioning.models import EventCursor
from tests.provisioning.responses import TOPIC, lead_now, received, response
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
HOLDERS = """
    SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE datname = current_database() AND locktype = 'advisory' AND objsubid = 2
"""  # other tests of this run lead in databases of their own


def leading(wait_s: float = 10) -> Leadership:
    leadership = lead(topic=TOPIC, wait_s=wait_s)
    assert leadership is not None
    return leadership


def test_the_second_one_stands_by_until_the_first_resigns() -> None:
    first = leading()
    assert somebody_leads(TOPIC)
    assert lead(topic=TOPIC, wait_s=10) is None
    first.resign()
    assert not somebody_leads(TOPIC)
    second = leading()
    assert second.epoch == first.epoch + 1
    second.resign()


def test_topics_are_led_apart() -> None:
    first = leading()
    other = lead(topic="/event/Other__e", wait_s=10)
    assert other is not None
    other.resign()
    first.resign()


def test_a_leader_that_is_frozen_loses_the_lock_and_notices() -> None:
    frozen = leading(wait_s=0.1)
    until(lambda: not somebody_leads(TOPIC), what="PostgreSQL to end the idle session", timeout_s=10)
    with pytest.raises(LostLeadership):
        frozen.hold()
    successor = leading()
    with pytest.raises(StaleLeader):
        store(topic=TOPIC, leader_epoch=frozen.epoch, response=response(received()))
    frozen.resign()
    assert EventCursor.objects.get().leader  # the successor's, untouched by the one who resigned too late
    successor.resign()


def test_a_leader_that_answers_does_not_count_as_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    leadership = leading(wait_s=10)
    before = _last_query_of_the_lock()
    monkeypatch.setattr("provisioning.leader.time", SimpleNamespace(monotonic=lambda: now + 2))
    leadership.hold()
    assert _last_query_of_the_lock() == before
    monkeypatch.setattr("provisioning.leader.time", SimpleNamespace(monotonic=lambda: now + 8))
    leadership.hold()
    assert _last_query_of_the_lock() > before
    leadership.resign()


def _last_query_of_the_lock() -> datetime:
    """When the session that holds the lock last asked something, as PostgreSQL saw it."""
    with connection.cursor() as row:
        row.execute(f"SELECT query_start FROM pg_stat_activity WHERE pid IN ({HOLDERS})")
        at = row.fetchone()[0]
    assert isinstance(at, datetime)
    return at


def test_a_killed_lock_is_noticed() -> None:
    leadership = leading(wait_s=0.1)
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute(f"SELECT pg_terminate_backend(pid) FROM ({HOLDERS}) AS holders")

    def lost() -> bool:
        try:
            leadership.hold()
        except LostLeadership:
            return True
        return False

    until(lost, what="the loss to be noticed")
    leadership.resign()


def test_every_note_of_a_stale_leader_is_refused() -> None:
    old = lead_now()
    lead_now()
    notes: tuple[Callable[[], None], ...] = (
        lambda: cursor.connected(topic=TOPIC, leader_epoch=old),
        lambda: cursor.disconnected(topic=TOPIC, leader_epoch=old, error="x"),
        lambda: cursor.position_lost(topic=TOPIC, leader_epoch=old, error="x"),
        lambda: cursor.resigned(topic=TOPIC, leader_epoch=old),
    )
    for note in notes:
        with pytest.raises(StaleLeader):
            note()


def test_where_a_stream_starts() -> None:
    epoch = lead_now()
    assert cursor.start(topic=TOPIC, first=Start.LATEST) is Start.LATEST
    assert cursor.start(topic=TOPIC, first=Start.EARLIEST) is Start.EARLIEST
    cursor.connected(topic=TOPIC, leader_epoch=epoch)
    # It ended before the first message: what came meanwhile must not be skipped.
    assert cursor.start(topic=TOPIC, first=Start.LATEST) is Start.EARLIEST
    store(topic=TOPIC, leader_epoch=epoch, response=response(latest=b"keep-alive"))
    assert cursor.start(topic=TOPIC, first=Start.LATEST) == b"keep-alive"
    cursor.position_lost(topic=TOPIC, leader_epoch=epoch, error="replay")
    assert cursor.start(topic=TOPIC, first=Start.LATEST) is Start.EARLIEST
    assert EventCursor.objects.get().gap_at is not None
