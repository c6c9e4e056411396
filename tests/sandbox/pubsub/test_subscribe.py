"""What a subscriber sees on the wire (salesforce-wire.md §1.4)."""

import base64
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from tests.sandbox.pubsub.raw import TOPIC, Raw, RawStream, error_code, trailers
from tests.sandbox_process import Sandbox
from tests.waiting import until

Publish = Callable[..., dict[str, Any]]
PREFIX = "sfdc.platform.eventbus.grpc."


def test_latest_gives_what_is_published_from_now_on(raw: Raw, publish: Publish) -> None:
    publish()
    stream = raw.subscribe().accepted()
    new = publish()
    assert [each.event.id for each in stream.read_events(1)] == [new["event_id"]]
    stream.close()


def test_earliest_gives_everything_kept_in_order(raw: Raw, publish: Publish) -> None:
    published = [publish()["event_id"] for _ in range(3)]
    stream = raw.subscribe(replay_preset=wire.EARLIEST, num_requested=100)
    seen: list[str] = []
    while published[-1] not in seen:
        response = stream.read()
        seen += [each.event.id for each in response.events]
        stream.ask(100 - response.pending_num_requested or 1)
    assert seen[-3:] == published
    stream.close()


@pytest.mark.parametrize("length", [8, 10])
def test_custom_gives_what_is_strictly_after_an_id_in_either_form(raw: Raw, publish: Publish, length: int) -> None:
    first, second, third = publish(), publish(), publish()
    replay_id = bytes.fromhex(first["replay_id"])
    assert len(replay_id) == 10
    stream = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=replay_id[:length])
    assert [each.event.id for each in stream.read_events(2)] == [second["event_id"], third["event_id"]]
    stream.close()


def test_every_response_says_how_much_credit_is_left_and_where_it_stands(raw: Raw, publish: Publish) -> None:
    stream = raw.subscribe(num_requested=3).accepted()
    published = publish()
    response = next(each for each in iter(stream.read, None) if each.events)
    assert response.pending_num_requested == 2
    assert response.latest_replay_id == response.events[-1].replay_id == bytes.fromhex(published["replay_id"])
    assert response.rpc_id
    stream.close()


def test_delivery_stops_when_the_credit_is_used_up_and_goes_on_with_new_credit(raw: Raw, publish: Publish) -> None:
    start = bytes.fromhex(publish()["replay_id"])
    published = [publish()["event_id"] for _ in range(5)]
    stream = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=start, num_requested=2)
    first = stream.read_events(2)
    stream.ask(3)
    rest = stream.read_events(3)
    assert [each.event.id for each in first + rest] == published
    stream.close()


def test_credit_adds_up_to_a_hundred_at_most(raw: Raw) -> None:
    stream = raw.subscribe(num_requested=80).accepted()
    stream.ask(80)
    pending = 80
    while pending == 80:
        pending = stream.read_keepalive().pending_num_requested
    assert pending == 100
    stream.close()


def test_keep_alives_come_while_there_is_credit_and_carry_a_position_to_resume_from(
    raw: Raw, publish: Publish, bus: Sandbox
) -> None:
    stream = raw.subscribe().accepted()
    first, second = stream.read_keepalive(), stream.read_keepalive()
    assert len(first.latest_replay_id) == len(second.latest_replay_id) == 10
    stream.close()
    published = publish()
    resumed = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=second.latest_replay_id)
    assert resumed.read_events(1)[0].event.id == published["event_id"]
    resumed.close()


def test_the_position_of_keep_alives_stays_young_on_a_quiet_topic(raw: Raw, bus: Sandbox) -> None:
    stream = raw.subscribe().accepted()
    bus.control("/control/pubsub/age", {"hours": 80})
    stream.read_keepalive()
    young = stream.read_keepalive().latest_replay_id
    stream.close()
    raw = Raw(bus)  # the session has expired meanwhile
    resumed = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=young)
    assert resumed.read_keepalive().latest_replay_id
    resumed.close()


def test_a_position_older_than_the_retention_is_refused(raw: Raw, publish: Publish, bus: Sandbox) -> None:
    old = bytes.fromhex(publish()["replay_id"])
    bus.control("/control/pubsub/age", {"hours": 73})
    publish()
    error = Raw(bus).subscribe(replay_preset=wire.CUSTOM, replay_id=old).end()
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert trailers(error)["error-code"] == PREFIX + "subscription.fetch.replayid.corrupted"


def test_what_is_past_retention_is_not_among_the_earliest(raw: Raw, publish: Publish, bus: Sandbox) -> None:
    old = publish()["event_id"]
    bus.control("/control/pubsub/age", {"hours": 73})
    new = publish()["event_id"]
    stream = Raw(bus).subscribe(replay_preset=wire.EARLIEST, num_requested=100)
    seen = [each.event.id for each in stream.read_events(1)]
    assert seen == [new]
    assert old not in seen
    stream.close()


@pytest.mark.parametrize("replay_id", [b"\xff" * 10, b"\0" * 7, b"\x7f" + b"\0" * 9, b"\0" * 8 + b"\1\0"])
def test_a_position_that_never_was_is_refused_with_code_rpc_id_and_type(raw: Raw, replay_id: bytes) -> None:
    error = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=replay_id).end()
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    said = trailers(error)
    assert said["error-code"] == PREFIX + "subscription.fetch.replayid.corrupted"
    assert said["type"] == "Subscribe"
    assert error.details().endswith(f"rpcId: {said['rpc-id']}")


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"num_requested": 0}, "subscription.fetch.requested.events.invalid"),
        ({"num_requested": -1}, "subscription.fetch.requested.events.invalid"),
        ({"replay_preset": 7}, "subscription.fetch.request.invalid"),
        ({"auth_refresh": "x"}, "service.auth.refresh.invalid"),
        ({"topic_name": ""}, "topic.validation.empty"),
        ({"topic_name": "/event/Nothing__e"}, "topic.not.found"),
        ({"replay_preset": wire.CUSTOM}, "subscription.fetch.replayid.validation.failed"),
    ],
)
def test_wrong_first_requests_are_refused(raw: Raw, first: dict[str, Any], code: str) -> None:
    error = raw.subscribe(**first).end()
    assert error_code(error) == code


def test_a_later_request_cannot_change_the_topic_and_its_replay_options_are_ignored(raw: Raw) -> None:
    stream = raw.subscribe().accepted()
    stream.ask(1, topic_name=TOPIC, replay_preset=wire.CUSTOM, replay_id=b"nonsense")
    assert stream.read_keepalive().latest_replay_id
    stream.ask(1, topic_name="/event/Other__e")
    error = stream.end()
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert trailers(error)["error-code"] == PREFIX + "subscription.fetch.topic.mismatch"


def test_a_stream_without_credit_is_ended_in_good_order(raw: Raw, publish: Publish, bus: Sandbox) -> None:
    bus.control("/control/pubsub/pace", {"idle_s": 0.3})
    stream = raw.subscribe(num_requested=1).accepted()
    publish()
    stream.read_events(1)
    assert stream.end() is None


@pytest.mark.parametrize("status", ["OK", "UNAVAILABLE"])
def test_streams_can_be_cut(raw: Raw, bus: Sandbox, status: str) -> None:
    stream = raw.subscribe().accepted()
    stream.read_keepalive()
    bus.control("/control/pubsub/cut", {"status": status})
    error = stream.end()
    assert (error.code().name if error else "OK") == status


def test_connections_can_be_reset_and_the_next_call_opens_another(raw: Raw, bus: Sandbox) -> None:
    stream = raw.subscribe().accepted()
    stream.read_keepalive()
    assert bus.control("/control/pubsub/cut", {"status": "RST"})["cut"] >= 1
    error = stream.end()
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert "error-code" not in trailers(error)
    until(lambda: bus.get("/control/pubsub/streams")["streams"] == 0, what="the server to notice")
    raw.subscribe().accepted().close()


def test_a_frozen_connection_looks_open_but_answers_no_ping(raw: Raw, publish: Publish, bus: Sandbox) -> None:
    often = (("grpc.keepalive_time_ms", 300), ("grpc.http2.max_pings_without_data", 0))
    pinging = raw.another(*often, ("grpc.http2.ping_timeout_ms", 300))
    patient, watchful = raw.subscribe().accepted(), pinging.subscribe().accepted()
    watchful.read_keepalive()
    bus.control("/control/pubsub/freeze")
    published = publish()
    error = watchful.end()
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    bus.control("/control/pubsub/freeze", {"frozen": False})
    assert patient.read_events(1)[0].event.id == published["event_id"]
    patient.close()


def test_events_can_come_twice_and_in_reverse_within_the_credit(raw: Raw, publish: Publish, bus: Sandbox) -> None:
    start = bytes.fromhex(publish()["replay_id"])
    published = [publish()["event_id"] for _ in range(3)]
    bus.control("/control/pubsub/repeat")
    bus.control("/control/pubsub/reverse")
    stream = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=start, num_requested=5)
    response = stream.read()
    assert [each.event.id for each in response.events] == [*published[::-1], published[0]]
    assert response.pending_num_requested == 1
    newest = max(each.replay_id for each in response.events)
    assert response.latest_replay_id == newest
    stream.close()


def test_a_migrated_org_knows_no_position_of_before(raw: Raw, publish: Publish, bus: Sandbox) -> None:
    published = publish()
    bus.control("/control/pubsub/renumber")
    error = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=bytes.fromhex(published["replay_id"])).end()
    assert error_code(error) == "subscription.fetch.replayid.corrupted"
    stream = raw.subscribe(replay_preset=wire.EARLIEST, num_requested=100)
    seen: list[wire.ConsumerEvent] = []
    while published["event_id"] not in [each.event.id for each in seen]:
        response = stream.read()
        seen += response.events
        stream.ask(len(response.events) or 1)
    assert seen[-1].replay_id != bytes.fromhex(published["replay_id"])
    stream.close()


def test_a_permission_that_is_taken_away_ends_the_stream(raw: Raw, bus: Sandbox) -> None:
    stream = raw.subscribe().accepted()
    bus.control("/control/pubsub/permit", {"topic": TOPIC, "subscribe": False})
    try:
        assert error_code(stream.end()) == "subscription.topic.cannot.subscribe"
        error = raw.subscribe().end()
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED
        assert error_code(error) == "subscription.topic.cannot.subscribe"
        assert not raw.topic(TOPIC).can_subscribe
    finally:
        bus.control("/control/pubsub/permit", {"topic": TOPIC})
    assert raw.topic(TOPIC).can_subscribe


def test_a_muted_stream_says_nothing_and_speaks_again(raw: Raw, publish: Publish, bus: Sandbox) -> None:
    stream = raw.subscribe().accepted()
    bus.control("/control/pubsub/mute", {"muted": True})
    published = publish()
    bus.control("/control/pubsub/mute", {"muted": False})
    assert stream.read_events(1)[0].event.id == published["event_id"]
    stream.close()


def test_large_events_are_split_over_responses_of_three_megabytes(raw: Raw, publish: Publish) -> None:
    start = bytes.fromhex(publish()["replay_id"])
    for _ in range(5):
        publish(payload=base64.b64encode(b"x" * 900_000).decode())
    stream = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=start)
    assert _sizes(stream, 5) == [3, 2]
    stream.close()


def _sizes(stream: RawStream, total: int) -> list[int]:
    sizes: list[int] = []
    while sum(sizes) < total:
        sizes += [len(response.events) for response in [stream.read()] if response.events]
    return sizes


def test_the_ledger_notes_each_subscription(raw: Raw, bus: Sandbox) -> None:
    before = max((row["number"] for row in bus.ledger()), default=0)
    stream = raw.subscribe().accepted()
    stream.close()
    (row,) = bus.ledger(system="pubsub", operation="Subscribe", after=before)
    assert row["key"] == TOPIC
    assert row["detail"]["preset"] == "LATEST"
