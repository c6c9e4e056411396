"""The loop against the sandbox: it comes back from everything, and nothing is lost or taken twice."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import InterfaceError, connection

from integrations.errors import Misconfigured
from integrations.salesforce.pubsub import EventStream, FetchResult, Start
from provisioning.intake import store
from provisioning.models import Attempt, EventCursor, InboxEvent
from tests.integrations.streams import Calls, event_stream, token_source
from tests.provisioning.responses import ORDERS, TOPIC, position
from tests.provisioning.subscribing import row, running, subscriber, until_connected, until_stored
from tests.sandbox_process import Sandbox
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
Publish = Callable[..., dict[str, Any]]


@pytest.fixture
def stream(bus: Sandbox) -> Iterator[EventStream]:
    found = event_stream(bus)
    yield found
    found.close()


def subscriptions(bus: Sandbox, after: int) -> list[str]:
    return [each["detail"]["preset"] for each in bus.ledger(system="pubsub", operation="Subscribe", after=after)]


@pytest.fixture
def before(bus: Sandbox) -> int:
    """The number of the ledger's last row."""
    return max((each["number"] for each in bus.ledger()), default=0)


def test_an_event_becomes_an_inbox_row_and_an_attempt(stream: EventStream, publish: Publish) -> None:
    with running(subscriber(stream)):
        until_connected()
        sent = publish(ORDERS[0])
        until_stored(sent["event_id"])
    assert Attempt.objects.get().order_id == ORDERS[0]
    assert position() is not None


def test_stopping_says_so_at_once(stream: EventStream) -> None:
    with running(subscriber(stream)):
        until_connected()
        assert row().leader
    assert (row().connected, row().leader) == (False, "")


def test_what_was_published_while_nobody_listened_is_caught_up(bus: Sandbox, publish: Publish, before: int) -> None:
    with running(subscriber(event_stream(bus))):
        until_stored(_first(publish))
    missed = [publish(ORDERS[0])["event_id"] for _ in range(3)]
    with running(subscriber(event_stream(bus))):
        for each in missed:
            until_stored(each)
    assert subscriptions(bus, before) == ["LATEST", "CUSTOM"]


def _first(publish: Publish) -> str:
    until_connected()
    return str(publish(ORDERS[0])["event_id"])


def test_poison_of_every_kind_is_stored_and_the_stream_goes_on(stream: EventStream, publish: Publish) -> None:
    with running(subscriber(stream)):
        until_connected()
        bad = [
            publish(payload=base64.b64encode(b"\xff" * 30).decode()),
            publish(schema_id="AAAAAAAAAAAAAAAAAAAAAA"),
            publish(fields={}),
            publish("not an id"),
            publish("0068a00000abcDEAAY"),
        ]
        good = publish(ORDERS[0])
        until_stored(good["event_id"])
    poison = InboxEvent.objects.filter(state=InboxEvent.State.POISON)
    assert set(poison.values_list("event_uuid", flat=True)) == {each["event_id"] for each in bad}
    assert all(poison.values_list("note", flat=True))
    assert Attempt.objects.count() == 1


def test_the_same_event_five_times_is_one_attempt(stream: EventStream, publish: Publish) -> None:
    with running(subscriber(stream)):
        until_connected()
        for _ in range(5):
            publish(ORDERS[0], event_id="the-same-one")
        until_stored(publish(ORDERS[1])["event_id"])
    assert InboxEvent.objects.count() == Attempt.objects.count() == 2


@pytest.mark.parametrize("status", ["OK", "UNAVAILABLE", "INTERNAL"])
def test_the_end_of_a_stream_is_a_reason_to_come_back(
    stream: EventStream, bus: Sandbox, publish: Publish, before: int, status: str
) -> None:
    with running(subscriber(stream)):
        until_stored(_first(publish))
        bus.control("/control/pubsub/cut", {"status": status})
        until_stored(publish(ORDERS[0])["event_id"])
    assert subscriptions(bus, before) == ["LATEST", "CUSTOM"]


def test_a_silent_stream_is_given_up(bus: Sandbox, publish: Publish, before: int) -> None:
    with running(subscriber(event_stream(bus, silence_s=1))):
        until_connected()
        bus.control("/control/pubsub/mute")
        until(lambda: row().last_error == "silent", what="the silence to be noticed")
        bus.control("/control/pubsub/mute", {"muted": False})
        until_stored(publish(ORDERS[0])["event_id"])
    assert len(subscriptions(bus, before)) > 1


def test_a_lost_position_means_everything_that_is_kept_and_a_noted_gap(
    bus: Sandbox, publish: Publish, before: int
) -> None:
    with running(subscriber(event_stream(bus))):
        first = until_stored(_first(publish))
    missed = publish(ORDERS[1])["event_id"]
    EventCursor.objects.update(replay_id=b"\x7f" * 10)
    with running(subscriber(event_stream(bus))):
        until_stored(missed)
        until(lambda: row().connected and row().replay_id, what="a new position")
    assert subscriptions(bus, before) == ["LATEST", "EARLIEST"]
    assert row().gap_at is not None
    assert InboxEvent.objects.filter(event_uuid=first.event_uuid).count() == 1


@pytest.mark.parametrize(
    "code",
    ["service.unavailable", "concurrent.client.limit.exceeded", "subscription.limit.exceeded", "topic.meta.permission"],
)
def test_whatever_the_server_says_it_is_asked_again(
    stream: EventStream, bus: Sandbox, publish: Publish, code: str
) -> None:
    bus.control("/control/pubsub/refuse", {"operation": "Subscribe", "code": code, "times": 2})
    with running(subscriber(stream, first=Start.EARLIEST)):
        until(lambda: row().last_error == code, what="the refusal to be noted")
        assert row().auth_refused is False
        until_stored(publish(ORDERS[0])["event_id"])
    assert row().last_error == ""


def test_refused_tokens_are_replaced_quickly_three_times_and_then_rarely(bus: Sandbox) -> None:
    calls = Calls()
    stream = event_stream(bus, calls, tokens=token_source(bus, calls))
    bus.control("/control/pubsub/refuse", {"operation": "GetTopic", "code": "service.auth.error", "times": 8})
    with running(subscriber(stream)):
        until(lambda: row().auth_refused, what="the refusal to be noted")
        assert [name for name, _ in calls.made].count("token") <= 5
        until_connected()
        until(lambda: not row().auth_refused, what="the refusal to be over")


def test_an_expired_session_is_no_reason_to_stop(bus: Sandbox, publish: Publish) -> None:
    with running(subscriber(event_stream(bus))):
        until_connected()
        bus.control("/control/pubsub/age", {"hours": 3})
        bus.control("/control/pubsub/cut")
        until_stored(publish(ORDERS[0])["event_id"])


def test_a_broken_database_connection_ends_the_stream_and_not_the_subscriber(
    stream: EventStream, publish: Publish, before: int, bus: Sandbox
) -> None:
    with running(subscriber(stream)):
        until_stored(_first(publish))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        until_stored(publish(ORDERS[0])["event_id"])
    assert subscriptions(bus, before) == ["LATEST", "CUSTOM"]


@contextmanager
def database_away() -> Iterator[None]:
    """PostgreSQL ends every session but this one, and lets nobody in."""
    name = connection.settings_dict["NAME"]
    elsewhere = {**connection.get_connection_params(), "dbname": "postgres"}
    with psycopg.connect(**elsewhere, autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (ours,) = cursor.fetchone()
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"
            admin.execute(others, [name, ours])
            yield
        finally:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def test_while_the_database_is_away_nothing_is_asked_for_and_then_it_goes_on_where_it_was(
    stream: EventStream, publish: Publish, before: int, bus: Sandbox
) -> None:
    with running(subscriber(stream)):
        until_stored(_first(publish))
        with database_away():
            until(lambda: bus.get("/control/pubsub/streams")["streams"] == 0, what="the stream to be closed")
            missed = [publish(order)["event_id"] for order in ORDERS]
            assert subscriptions(bus, before) == ["LATEST"]
        for each in missed:
            until_stored(each)
    assert subscriptions(bus, before) == ["LATEST", "CUSTOM"]


def test_a_commit_that_fails_is_made_up_for(
    stream: EventStream, publish: Publish, monkeypatch: pytest.MonkeyPatch, before: int, bus: Sandbox
) -> None:
    failed: list[FetchResult] = []

    def fails_once(**arguments: Any) -> int:
        if arguments["response"].events and not failed:
            failed.append(arguments["response"])
            raise InterfaceError("the connection is gone")
        return store(**arguments)

    monkeypatch.setattr("provisioning.subscriber.store", fails_once)
    with running(subscriber(stream)):
        until(lambda: row().replay_id, what="a position")
        until_stored(publish(ORDERS[0])["event_id"])
    assert failed
    assert Attempt.objects.count() == 1
    assert subscriptions(bus, before) == ["LATEST", "CUSTOM"]


def test_of_two_subscribers_one_listens_and_the_other_takes_over(bus: Sandbox, publish: Publish, before: int) -> None:
    first, second = subscriber(event_stream(bus)), subscriber(event_stream(bus))
    with running(second):
        with running(first):
            until_stored(_first(publish))
            assert len(subscriptions(bus, before)) == 1
        until_stored(publish(ORDERS[0])["event_id"])
    assert row().leader_epoch >= 1


def test_wrong_credentials_at_start_are_an_error(bus: Sandbox) -> None:
    calls = Calls()
    stream = event_stream(bus, calls, tokens=token_source(bus, calls, audience="https://wrong.example"))
    with pytest.raises(Misconfigured):
        subscriber(stream).run()
    assert not EventCursor.objects.filter(topic=TOPIC).exists()


def test_events_far_beyond_one_credit_come_in_order(stream: EventStream, publish: Publish) -> None:
    with running(subscriber(stream)):
        until_connected()
        sent = [publish(ORDERS[0])["event_id"] for _ in range(250)]
        until_stored(sent[-1])
    stored = list(InboxEvent.objects.order_by("id").values_list("event_uuid", flat=True))
    assert stored == sent
