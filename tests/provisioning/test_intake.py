"""Storing a response: everything or nothing, each event once, and nothing stops the stream."""

from collections.abc import Callable
from typing import Any

import django_rq
import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.backoff import NoBackoff
from redis.retry import Retry

from integrations import failpoints
from integrations.salesforce.pubsub import ReceivedEvent
from provisioning.intake import StaleLeader, store
from provisioning.models import Attempt, EventCursor, InboxEvent
from sandbox.embedded.processes import free_port
from tests.provisioning.responses import ORDERS, TOPIC, lead_now, position, received, response, unreadable

pytestmark = pytest.mark.django_db
State = InboxEvent.State


@pytest.fixture
def take(db: None) -> Callable[..., int]:
    """take(event, …) stores one response with these events as the leader."""
    epoch = lead_now()

    def stored(*events: ReceivedEvent, latest: bytes | None = None) -> int:
        return store(topic=TOPIC, leader_epoch=epoch, response=response(*events, latest=latest))

    return stored


Take = Callable[..., int]


def test_a_good_event_is_kept_raw_and_becomes_an_attempt(take: Take) -> None:
    event = received(OrderId__c=ORDERS[0])
    assert take(event) == 1
    row = InboxEvent.objects.get()
    assert (row.event_uuid, row.state, row.source) == (event.event_uuid, State.ACCEPTED, InboxEvent.Source.STREAM)
    assert bytes(row.payload) == event.payload
    assert bytes(row.replay_id or b"") == event.replay_id
    assert row.schema_id == "schema-1"
    assert row.published_at is not None
    attempt = Attempt.objects.get()
    assert (attempt.order_id, attempt.event, attempt.state) == (ORDERS[0], row, Attempt.State.QUEUED)
    assert attempt.correlation_id == "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000"
    assert position() == event.replay_id


def test_an_order_id_of_15_characters_is_kept_as_18(take: Take) -> None:
    take(received(OrderId__c=ORDERS[0][:15]))
    assert InboxEvent.objects.get().order_id == ORDERS[0]


def test_the_same_event_again_changes_nothing(take: Take) -> None:
    event = received()
    assert take(event, event) == 1
    assert take(event) == 0
    assert InboxEvent.objects.count() == Attempt.objects.count() == 1


def test_another_event_with_the_same_key_is_a_duplicate(take: Take) -> None:
    first, second = received(IdemKey__c="key-1"), received(IdemKey__c="key-1")
    take(first, second)
    assert list(InboxEvent.objects.order_by("id").values_list("state", flat=True)) == [State.ACCEPTED, State.DUPLICATE]
    assert Attempt.objects.count() == 1


def test_events_of_one_response_are_judged_in_their_order(take: Take) -> None:
    take(received(), received(), received(OrderId__c=ORDERS[1]))
    states = list(InboxEvent.objects.order_by("id").values_list("order_id", "state"))
    assert states == [(ORDERS[0], State.ACCEPTED), (ORDERS[0], State.WAITING), (ORDERS[1], State.ACCEPTED)]


def test_an_event_without_a_key_gets_its_own_id_as_key(take: Take) -> None:
    take(received("abc", IdemKey__c=None))
    assert InboxEvent.objects.get().idem_key == "event:abc"
    assert Attempt.objects.get().idem_key == "event:abc"


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"OrderId__c": None}, "OrderId__c is missing"),
        ({"OrderId__c": ""}, "OrderId__c is missing"),
        ({"OrderId__c": 801.0}, "OrderId__c is missing"),
        ({"OrderId__c": "801"}, "not the id of an Order"),
        ({"OrderId__c": "0065j00000abcDEAAY"}, "not the id of an Order"),
        ({"OrderId__c": ORDERS[0][:15] + "AAA"}, "not the id of an Order"),
        ({"OrderId__c": ORDERS[0] + "'; DROP TABLE"}, "not the id of an Order"),
        ({"IdemKey__c": "k" * 81}, "IdemKey__c"),
        ({"IdemKey__c": "with a \0 in it"}, "IdemKey__c"),
        ({"IdemKey__c": 7.0}, "IdemKey__c"),
        ({"Version__c": 2.0}, "Version__c"),
        ({"Version__c": 1.5}, "Version__c"),
        ({"Version__c": float("nan")}, "Version__c"),
        ({"Version__c": "one"}, "Version__c"),
    ],
)
def test_an_event_that_makes_no_sense_is_poison_and_the_stream_goes_on(
    take: Take, fields: dict[str, Any], note: str
) -> None:
    bad, good = received(**fields), received(OrderId__c=ORDERS[1])
    assert take(bad, good) == 2
    row = InboxEvent.objects.get(event_uuid=bad.event_uuid)
    assert row.state == State.POISON
    assert note in row.note
    assert Attempt.objects.get().order_id == ORDERS[1]
    assert position() == good.replay_id


def test_bytes_that_cannot_be_read_are_kept_as_poison(take: Take) -> None:
    bad = unreadable(payload=b"\x00\xff\x80")
    take(bad)
    row = InboxEvent.objects.get()
    assert (row.state, bytes(row.payload)) == (State.POISON, b"\x00\xff\x80")
    assert "does not fit" in row.note
    assert not Attempt.objects.exists()
    assert position() == bad.replay_id


@pytest.mark.parametrize("version", [None, 1, 1.0])
def test_an_event_of_the_first_version_or_without_one_is_read(take: Take, version: float | None) -> None:
    take(received(Version__c=version))
    assert InboxEvent.objects.get().state == State.ACCEPTED


def test_unknown_fields_and_odd_companions_are_no_obstacle(take: Take) -> None:
    take(received(Campaign__c="spring", CorrelationId__c="no\nid", RequestedBy__c="\0", CreatedDate=2**70))
    row = InboxEvent.objects.get()
    assert (row.state, row.correlation_id, row.requested_by, row.published_at) == (State.ACCEPTED, "", "", None)


def test_an_event_without_an_id_is_known_by_what_it_is(take: Take) -> None:
    nameless = ReceivedEvent("", b"12345678\0\0", "schema-1", b"payload", received().fields)
    assert take(nameless) == 1
    assert take(nameless) == 0
    assert InboxEvent.objects.get().event_uuid.startswith("sha256:")


ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary())
NAMES = ("OrderId__c", "IdemKey__c", "CorrelationId__c", "RequestedBy__c", "Version__c", "CreatedDate")
FIELDS = st.none() | st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, ANYTHING))


@given(uuid=st.text(max_size=100), schema_id=st.text(max_size=100), payload=st.binary(max_size=50), fields=FIELDS)
@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_an_event_may_hold_stops_the_stream(
    take: Take, uuid: str, schema_id: str, payload: bytes, fields: dict[str, Any] | None
) -> None:
    take(ReceivedEvent(uuid, b"\x01" * 10, schema_id, payload, fields, "unreadable"))
    assert position() == b"\x01" * 10


def test_a_keep_alive_stores_its_position_and_touches_no_event_time(take: Take) -> None:
    take(latest=b"keep-alive")
    row = EventCursor.objects.get()
    assert position() == b"keep-alive"
    assert row.saved_at is not None
    assert row.last_message_at is not None
    assert row.last_event_at is None


def test_a_response_without_a_position_never_takes_the_stored_one_away(take: Take) -> None:
    take(latest=b"keep-alive")
    take(latest=b"")
    assert position() == b"keep-alive"
    event = received()
    take(event, latest=b"")
    assert position() == event.replay_id


def test_with_events_the_position_is_that_of_the_last_of_them(take: Take) -> None:
    """What else the response names may lie beyond events that are still to come."""
    event = received()
    take(event, latest=b"further on")
    assert position() == event.replay_id


def test_the_lag_is_the_time_since_publication(take: Take) -> None:
    take(received())
    lag = EventCursor.objects.get().lag_seconds
    assert lag is not None
    assert lag > 0
    take(received(CreatedDate=32_503_680_000_000))  # a clock that is ahead
    assert EventCursor.objects.get().lag_seconds == 0


def test_a_stale_leader_stores_nothing(take: Take) -> None:
    take(latest=b"before")
    lead_now()
    with pytest.raises(StaleLeader):
        take(received())
    assert not InboxEvent.objects.exists()
    assert position() == b"before"


@pytest.mark.django_db(transaction=True)
def test_what_dies_before_the_commit_is_undone_and_comes_again(take: Take) -> None:
    take(latest=b"before")
    first, second = received(), received(OrderId__c=ORDERS[1])
    with failpoints.arm("intake.store:before=raise"), pytest.raises(failpoints.Died):
        take(first, second)
    assert (InboxEvent.objects.count(), Attempt.objects.count(), position()) == (0, 0, b"before")
    assert take(first, second) == 2
    assert Attempt.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_workers_are_woken_once_after_the_commit(take: Take) -> None:
    queue = django_rq.get_queue("provisioning")
    take(received(), received(OrderId__c=ORDERS[1]))
    assert [job.func_name for job in queue.jobs] == ["provisioning.jobs.provision"]
    take(unreadable(), latest=b"later")
    take(latest=b"keep-alive")
    assert queue.count == 1


@pytest.mark.django_db(transaction=True)
def test_a_lost_wake_up_loses_nothing(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_there = django_rq.get_queue(
        "provisioning", connection=redis.Redis(port=free_port(), retry=Retry(NoBackoff(), 0))
    )
    monkeypatch.setattr("provisioning.wakeups.queue", lambda: nobody_there)
    assert take(received()) == 1
    assert Attempt.objects.count() == 1


def test_a_keep_alive_costs_one_statement(take: Take) -> None:
    with CaptureQueriesContext(connection) as queries:
        take(latest=b"keep-alive")
    statements = [each["sql"] for each in queries if not each["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) == 1
