"""ManagedSubscribe on the wire: the server keeps the place (salesforce-wire.md §1.2 and the last row of §1.5)."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from tests.sandbox.pubsub.raw import TOPIC, Deliveries, Raw, error_code
from tests.sandbox_process import Sandbox
from tests.waiting import until

NAME = "Portal_Orders"
Publish = Callable[..., dict[str, Any]]
Configure = Callable[..., dict[str, Any]]
Managed = Deliveries[wire.ManagedFetchRequest, wire.ManagedFetchResponse]


@pytest.fixture
def configure(bus: Sandbox) -> Iterator[Configure]:
    """Makes or changes the subscription; it is forgotten afterwards."""

    def put(**metadata: str) -> dict[str, Any]:
        body = {"developer_name": NAME, "metadata": metadata}
        answer: dict[str, Any] = bus.control("/control/pubsub/managed", body)
        return answer

    yield put
    bus.control("/control/pubsub/managed", {"developer_name": NAME, "metadata": {"topicName": TOPIC}, "delete": True})


@pytest.fixture
def managed(configure: Configure) -> str:
    """The id of a subscription that begins with what is published from now on."""
    return str(configure(topicName=TOPIC)["Id"])


def commit(stream: Managed, replay_id: bytes, request_id: str = "c1") -> wire.CommitReplayResponse:
    stream.send(commit_replay_id_request=wire.CommitReplayRequest(commit_request_id=request_id, replay_id=replay_id))
    while not (response := stream.read()).HasField("commit_response"):
        pass
    assert len(response.latest_replay_id) == 10
    return response.commit_response


def reopened(raw: Raw, bus: Sandbox, **first: Any) -> Managed:
    """A new stream, once the server has noticed the end of the last one."""
    until(lambda: bus.get("/control/pubsub/streams")["streams"] == 0, what="the last stream to end")
    return raw.manage(**first)


def read_until(stream: Managed, event_id: str) -> list[wire.ConsumerEvent]:
    events: list[wire.ConsumerEvent] = []
    while event_id not in [each.event.id for each in events]:
        response = stream.read()
        events += response.events
        stream.ask(len(response.events) or 1)
    return events


@pytest.mark.parametrize("form", [18, 15])
def test_it_is_opened_by_id_in_either_form(raw: Raw, publish: Publish, managed: str, form: int) -> None:
    stream = raw.manage(subscription_id=managed[:form]).accepted()
    published = publish()["event_id"]
    assert [each.event.id for each in stream.read_events(1)] == [published]
    stream.close()


def test_it_begins_where_its_configuration_says(raw: Raw, publish: Publish, configure: Configure) -> None:
    configure(topicName=TOPIC, defaultReplay="EARLIEST")
    first, second = publish()["event_id"], publish()["event_id"]
    stream = raw.manage(developer_name=NAME, num_requested=100)
    assert [each.event.id for each in read_until(stream, second)][-2:] == [first, second]
    stream.close()


def test_it_resumes_behind_what_was_committed(raw: Raw, bus: Sandbox, publish: Publish, managed: str) -> None:
    stream = raw.manage(developer_name=NAME).accepted()
    first, second, third = (publish() for _ in range(3))
    stream.read_events(3)
    answer = commit(stream, bytes.fromhex(first["replay_id"]))
    assert answer.commit_request_id == "c1"
    assert answer.replay_id == bytes.fromhex(first["replay_id"])
    assert answer.process_time > 1_700_000_000_000
    assert not answer.HasField("error")
    stream.close()
    resumed = reopened(raw, bus, developer_name=NAME)
    assert [each.event.id for each in resumed.read_events(2)] == [second["event_id"], third["event_id"]]
    resumed.close()


def test_the_position_of_a_keep_alive_can_be_committed(raw: Raw, bus: Sandbox, publish: Publish, managed: str) -> None:
    stream = raw.manage(subscription_id=managed).accepted()
    assert not commit(stream, stream.read_keepalive().latest_replay_id).HasField("error")
    stream.close()
    later = publish()["event_id"]
    resumed = reopened(raw, bus, subscription_id=managed)
    assert resumed.read_events(1)[0].event.id == later
    resumed.close()


def test_eight_bytes_are_enough_for_a_commit(raw: Raw, bus: Sandbox, publish: Publish, managed: str) -> None:
    stream = raw.manage(subscription_id=managed).accepted()
    publish()
    position = stream.read_events(1)[0].replay_id
    assert not commit(stream, position[:8]).HasField("error")
    assert bus.control("/control/pubsub/managed", {"developer_name": NAME})["committed"] == int.from_bytes(
        position[:8], "big"
    )
    stream.close()


def test_a_commit_that_cannot_be_is_answered_and_the_stream_goes_on(raw: Raw, publish: Publish, managed: str) -> None:
    stream = raw.manage(subscription_id=managed).accepted()
    first, second = publish(), publish()
    stream.read_events(2)
    commit(stream, bytes.fromhex(second["replay_id"]))
    wrong = {
        "missing": b"",
        "malformed": b"\1\2\3",
        "never given out": b"\x7f" + b"\0" * 9,
        "older than the committed one": bytes.fromhex(first["replay_id"]),
    }
    for name, replay_id in wrong.items():
        answer = commit(stream, replay_id, name)
        assert answer.commit_request_id == name
        assert answer.error.code == wire.COMMIT, name
        assert answer.error.msg, name
    assert not commit(stream, bytes.fromhex(second["replay_id"]), "again").HasField("error")
    stream.close()


def test_an_event_that_was_not_delivered_cannot_be_committed(raw: Raw, publish: Publish, managed: str) -> None:
    stream = raw.manage(subscription_id=managed, num_requested=1).accepted()
    publish()
    unseen = publish()
    stream.read_events(1)
    answer = commit(stream, bytes.fromhex(unseen["replay_id"]))
    assert "delivered" in answer.error.msg
    stream.close()


def test_one_at_a_time(raw: Raw, bus: Sandbox, managed: str) -> None:
    holder = raw.manage(subscription_id=managed).accepted()
    holder.read_keepalive()
    error = raw.manage(developer_name=NAME).end()
    assert error.code() is grpc.StatusCode.ALREADY_EXISTS
    assert error_code(error) == "managed.subscription.already.active"
    holder.half_close()
    assert holder.end() is None
    next_one = reopened(raw, bus, developer_name=NAME)
    assert next_one.read_keepalive().latest_replay_id
    next_one.close()


def test_a_broken_connection_sets_the_subscription_free(raw: Raw, bus: Sandbox, managed: str) -> None:
    raw.manage(subscription_id=managed).accepted().read_keepalive()
    bus.control("/control/pubsub/cut", {"status": "RST"})
    stream = reopened(raw, bus, subscription_id=managed)
    assert stream.read_keepalive().latest_replay_id
    stream.close()


@pytest.mark.parametrize(
    ("first", "code", "status"),
    [
        ({}, "id.or.developer.name.empty", "INVALID_ARGUMENT"),
        ({"developer_name": NAME, "subscription_id": "18x000000000001AAA"}, "id.or.developer.name.empty", ""),
        ({"developer_name": "Nobody"}, "developer.name.not.found", "NOT_FOUND"),
        ({"subscription_id": "18x000000000009"}, "subscription.id.not.found", "NOT_FOUND"),
        ({"subscription_id": "18x"}, "subscription.id.invalid", "INVALID_ARGUMENT"),
        ({"developer_name": NAME, "num_requested": -1}, "fetch.request.events.invalid", "INVALID_ARGUMENT"),
        ({"developer_name": NAME, "auth_refresh": "x"}, "fetch.request.auth.request.restricted", "INVALID_ARGUMENT"),
        (
            {"developer_name": NAME, "commit_replay_id_request": wire.CommitReplayRequest(replay_id=b"\0" * 10)},
            "fetch.request.commit.request.restricted",
            "INVALID_ARGUMENT",
        ),
    ],
)
def test_wrong_first_requests_are_refused(
    raw: Raw, managed: str, first: dict[str, Any], code: str, status: str
) -> None:
    error = raw.manage(**first).end()
    assert error_code(error) == f"managed.subscription.{code}"
    assert error.code().name == (status or "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("later", "code"),
    [
        ({}, "managed.subscription.fetch.request.invalid"),
        ({"num_requested": -5}, "managed.subscription.fetch.request.events.invalid"),
        ({"num_requested": 1, "developer_name": "Another"}, "managed.subscription.fetch.request.invalid"),
        ({"num_requested": 1, "subscription_id": "18x000000000009AAA"}, "managed.subscription.fetch.request.invalid"),
        ({"num_requested": 1, "auth_refresh": "x"}, "service.auth.refresh.invalid"),
    ],
)
def test_wrong_later_requests_end_the_stream(raw: Raw, managed: str, later: dict[str, Any], code: str) -> None:
    stream = raw.manage(subscription_id=managed).accepted()
    stream.send(**later)
    error = stream.end()
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error_code(error) == code


def test_a_stopped_one_is_refused_and_ended(raw: Raw, managed: str, configure: Configure) -> None:
    stream = raw.manage(subscription_id=managed).accepted()
    stream.read_keepalive()
    configure(state="STOP")
    assert error_code(stream.end()) == "managed.subscription.config.stopped"
    assert error_code(raw.manage(subscription_id=managed).end()) == "managed.subscription.config.stopped"


def test_a_deleted_one_is_ended(raw: Raw, bus: Sandbox, managed: str) -> None:
    stream = raw.manage(subscription_id=managed).accepted()
    stream.read_keepalive()
    bus.control("/control/pubsub/managed", {"developer_name": NAME, "delete": True})
    assert error_code(stream.end()) == "managed.subscription.config.deleted"


def test_without_commits_it_is_closed_after_a_time(raw: Raw, bus: Sandbox, managed: str) -> None:
    bus.control("/control/pubsub/pace", {"commit_idle_s": 0.5})
    error = raw.manage(subscription_id=managed).accepted().end()
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "No CommitReplayRequests sent" in error.details()


@pytest.mark.parametrize("preset", ["EARLIEST", "LATEST"])
def test_a_committed_position_that_is_past_retention_gives_way_to_the_configured_one(
    raw: Raw, bus: Sandbox, publish: Publish, configure: Configure, preset: str
) -> None:
    configure(topicName=TOPIC, errorRecoveryReplay=preset)
    stream = raw.manage(developer_name=NAME).accepted()
    commit(stream, stream.read_keepalive().latest_replay_id)
    stream.close()
    bus.control("/control/pubsub/age", {"hours": 73})
    missed = publish()["event_id"]
    raw = Raw(bus)  # the session has expired meanwhile
    resumed = reopened(raw, bus, developer_name=NAME).accepted()
    later = publish()["event_id"]
    assert resumed.read_events(1)[0].event.id == (missed if preset == "EARLIEST" else later)
    resumed.close()


def test_the_ledger_notes_who_opened_it_and_what_was_committed(
    raw: Raw, bus: Sandbox, publish: Publish, managed: str
) -> None:
    before = bus.last_ledger_id()
    stream = raw.manage(subscription_id=managed).accepted()
    publish()
    position = stream.read_events(1)[0].replay_id
    commit(stream, position)
    stream.close()
    opened, committed = bus.ledger(system="pubsub", operation="ManagedSubscribe", after=before)
    assert opened["key"] == committed["key"] == managed
    assert committed["detail"]["committed"] == int.from_bytes(position[:8], "big")
