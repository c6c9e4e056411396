"""What goes wrong with RPCs, streams and events, as a bare gRPC client sees it."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from tests.faults import Faults
from tests.sandbox.pubsub.raw import TOPIC, Raw, RawStream, trailers
from tests.sandbox_process import Sandbox
from tests.waiting import until

Publish = Callable[..., dict[str, Any]]
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def faults(bus_faults: Faults) -> Faults:
    return bus_faults


@pytest.fixture
def stream(raw: Raw) -> Iterator[RawStream]:
    """A subscription from now on."""
    opened = raw.subscribe().accepted()
    yield opened
    opened.close()


def refusal(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    error: Any = refused.value
    return error.code(), trailers(error).get("error-code", "").removeprefix("sfdc.platform.eventbus.grpc.")


def delivered_before_the_end(stream: RawStream) -> list[str]:
    """What comes until the stream breaks."""
    received: list[str] = []
    try:
        while True:
            received += [each.event.id for each in stream.read().events]
    except grpc.RpcError:
        return received


def test_each_rpc_is_refused_by_its_name(raw: Raw, faults: Faults) -> None:
    schema_id = raw.topic(TOPIC).schema_id
    faults.rpc_refused("GetSchema", "schema.api.unavailable")
    faults.rpc_refused("GetTopic", "service.auth.error", times=2)
    faults.rpc_refused("Subscribe", "subscription.limit.exceeded")
    assert refusal(lambda: raw.schema(schema_id)) == (UNAVAILABLE, "schema.api.unavailable")
    for _ in range(2):
        assert refusal(lambda: raw.topic(TOPIC)) == (grpc.StatusCode.UNAUTHENTICATED, "service.auth.error")
    error = raw.subscribe().end()
    assert (error.code(), trailers(error)["type"]) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "Subscribe")
    assert raw.schema(schema_id).schema_id == schema_id == raw.topic(TOPIC).schema_id


def test_a_proxy_drops_the_trailers(raw: Raw, faults: Faults) -> None:
    faults.rpc_refused("GetTopic", "", status="UNAVAILABLE")
    assert refusal(lambda: raw.topic(TOPIC)) == (UNAVAILABLE, "")


def test_an_event_is_published_and_the_publisher_never_hears_of_it(
    raw: Raw, faults: Faults, stream: RawStream, bus: Sandbox
) -> None:
    rule = faults.rpc_refused("Publish", "", status="UNAVAILABLE", at="after")
    call = raw.channel.unary_unary(
        "/eventbus.v1.PubSub/Publish", wire.PublishRequest.SerializeToString, wire.PublishResponse.FromString
    )
    known = bus.control("/control/pubsub/publish", {"topic": TOPIC, "fields": {}})
    (first,) = stream.read_events(1)
    event = wire.ProducerEvent(id="mine", schema_id=first.event.schema_id, payload=first.event.payload)
    request = wire.PublishRequest(topic_name=TOPIC, events=[event])
    assert refusal(lambda: call(request, metadata=raw.metadata(), timeout=15))[0] == UNAVAILABLE
    assert (first.event.id, rule.acted) == (known["event_id"], 1)
    assert [each.event.id for each in stream.read_events(1)] == ["mine"]


def test_a_stored_position_is_refused_and_any_other_place_is_not(raw: Raw, faults: Faults, publish: Publish) -> None:
    replay_id = bytes.fromhex(publish()["replay_id"])
    faults.add("pubsub", "replay_refused")
    error = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=replay_id).end()
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert trailers(error)["error-code"].endswith("subscription.fetch.replayid.corrupted")
    resumed = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=replay_id)
    sent = publish()
    assert [each.event.id for each in resumed.read_events(1)] == [sent["event_id"]]
    resumed.close()


@pytest.mark.parametrize(
    ("status", "code"), [("OK", None), ("UNAVAILABLE", UNAVAILABLE), ("INTERNAL", grpc.StatusCode.INTERNAL)]
)
def test_live_streams_are_cut_now(
    faults: Faults, stream: RawStream, bus: Sandbox, status: str, code: grpc.StatusCode | None
) -> None:
    until(lambda: bus.get("/control/pubsub/streams")["streams"] == 1, what="earlier streams to be over")
    rule = faults.cut_streams(status)
    error = stream.end()
    assert (error.code() if error else None) is code
    assert (rule.acted, rule.facts()["state"]) == (1, "spent")


def test_a_connection_is_reset_under_its_streams(faults: Faults, stream: RawStream) -> None:
    rule = faults.cut_streams("RST")
    assert stream.end().code() is UNAVAILABLE
    assert rule.acted == 1


@pytest.mark.parametrize(("at", "delivered"), [("before", 0), ("after", 1)])
def test_a_stream_ends_at_a_delivery(
    faults: Faults, stream: RawStream, publish: Publish, raw: Raw, at: str, delivered: int
) -> None:
    faults.add("pubsub", "stream_cut", parameters={"status": "UNAVAILABLE", "at": at}, nth=2)
    first = publish()
    assert [each.event.id for each in stream.read_events(1)] == [first["event_id"]]
    second = publish()
    assert delivered_before_the_end(stream) == [second["event_id"]][:delivered]
    resumed = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=bytes.fromhex(first["replay_id"]))
    assert [each.event.id for each in resumed.read_events(1)] == [second["event_id"]]
    resumed.close()


def test_streams_say_nothing_until_the_rule_is_gone(faults: Faults, stream: RawStream, publish: Publish) -> None:
    rule = faults.silence()
    sent = publish()
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(each.event.id for each in stream.read_events(1)))
    reader.start()
    reader.join(1)  # longer than three keep-alives
    assert seen == []
    rule.remove()
    reader.join(15)
    assert seen == [sent["event_id"]]


def test_a_connection_freezes_and_goes_on(faults: Faults, stream: RawStream, publish: Publish) -> None:
    rule = faults.add("pubsub", "connections_frozen")
    sent = publish()
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(each.event.id for each in stream.read_events(1)))
    reader.start()
    reader.join(1)
    assert seen == []
    rule.remove()
    reader.join(15)
    assert seen == [sent["event_id"]]


@pytest.mark.parametrize("new_id", [False, True])
def test_an_event_is_on_the_bus_more_than_once(
    faults: Faults, stream: RawStream, publish: Publish, new_id: bool
) -> None:
    faults.add("pubsub", "event_duplicated", "", {"copies": 3, "new_id": new_id}, contains="801000000000007")
    publish("801000000000001AAA")
    sent = publish("801000000000007AAA")
    _, *copies = stream.read_events(4)
    assert copies[0].event.id == sent["event_id"]
    assert len({each.event.payload for each in copies}) == 1
    assert len({each.replay_id for each in copies}) == 3
    assert len({each.event.id for each in copies}) == (3 if new_id else 1)


def test_an_event_is_delivered_twice_and_events_come_in_reverse(faults: Faults, raw: Raw, publish: Publish) -> None:
    before = bytes.fromhex(publish()["replay_id"])
    one, two = publish()["event_id"], publish()["event_id"]
    faults.add("pubsub", "event_repeated")
    twice = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=before, num_requested=5)
    assert [each.event.id for each in twice.read().events] == [one, one, two]
    faults.add("pubsub", "events_reordered")
    reverse = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=before, num_requested=5)
    assert [each.event.id for each in reverse.read().events] == [two, one]
    for each in (twice, reverse):
        each.close()


@pytest.mark.parametrize("how", ["garbage", "truncated", "empty", "unknown_schema"])
def test_an_unreadable_event_stays_on_the_bus(
    faults: Faults, stream: RawStream, raw: Raw, publish: Publish, how: str
) -> None:
    good = publish()
    faults.add("pubsub", "poison", parameters={"how": how})
    bad = publish()
    whole, poisoned = stream.read_events(2)
    assert (whole.event.id, poisoned.event.id) == (good["event_id"], bad["event_id"])
    if how == "unknown_schema":
        assert refusal(lambda: raw.schema(poisoned.event.schema_id))[1] == "schema.validation.failed"
    else:
        assert poisoned.event.payload != whole.event.payload
        assert len(poisoned.event.payload) < len(whole.event.payload) or how == "garbage"
    again = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=whole.replay_id)
    assert again.read_events(1)[0].event == poisoned.event
    again.close()


def test_a_topic_gets_a_new_schema_and_keeps_the_old_one(
    faults: Faults, stream: RawStream, raw: Raw, publish: Publish
) -> None:
    before = raw.topic(TOPIC).schema_id
    publish()
    field = f"Added{before[:6].replace('-', '_')}__c"
    rule = faults.add("pubsub", "new_schema", parameters={"add": {field: "double"}})
    publish()
    old, new = (each.event.schema_id for each in stream.read_events(2))
    assert old == before != new == raw.topic(TOPIC).schema_id
    assert field in raw.schema(new).schema_json
    assert field not in raw.schema(old).schema_json
    assert rule.acted == 1


def test_an_org_moves_and_stored_positions_mean_nothing(
    faults: Faults, stream: RawStream, raw: Raw, publish: Publish
) -> None:
    sent = publish()
    stored = bytes.fromhex(sent["replay_id"])
    faults.add("pubsub", "renumbered")
    stream.end()
    error = raw.subscribe(replay_preset=wire.CUSTOM, replay_id=stored).end()
    assert trailers(error)["error-code"].endswith("replayid.corrupted")
    everything = raw.subscribe(replay_preset=wire.EARLIEST, num_requested=100)
    while sent["event_id"] not in (found := {each.event.id: each.replay_id for each in everything.read().events}):
        everything.ask(100)
    assert found[sent["event_id"]] > stored
    everything.close()


def test_a_call_is_held_and_a_new_connection_refused(faults: Faults, raw: Raw, bus: Sandbox) -> None:
    topics: list[wire.TopicInfo] = []
    caller = threading.Thread(target=lambda: topics.append(raw.topic(TOPIC)))
    with faults.hold("pubsub", "GetTopic", key=TOPIC) as held:
        caller.start()
        held.arrived()
        assert topics == []
        held.release()
        caller.join(15)
    assert topics[0].topic_name == TOPIC
    rule = faults.refuse("pubsub", times=100)
    other = Raw(bus)
    call = other.channel.unary_unary(
        "/eventbus.v1.PubSub/GetTopic", wire.TopicRequest.SerializeToString, wire.TopicInfo.FromString
    )
    assert refusal(lambda: call(wire.TopicRequest(topic_name=TOPIC), metadata=other.metadata(), timeout=5))
    assert rule.acted >= 1
    other.channel.close()


def test_nobody_listens_until_the_rule_is_gone(faults: Faults, stream: RawStream, raw: Raw) -> None:
    rule = faults.close_port("pubsub")
    assert stream.end().code() is UNAVAILABLE
    assert refusal(lambda: raw.topic(TOPIC)) == (UNAVAILABLE, "")
    rule.remove()
    until(lambda: _answers(raw), what="the port to listen again", timeout_s=30)


def _answers(raw: Raw) -> bool:
    try:
        return raw.topic(TOPIC).topic_name == TOPIC
    except grpc.RpcError:
        return False


def test_a_slow_call_is_answered(faults: Faults, raw: Raw) -> None:
    rule = faults.slow("pubsub", "GetTopic", ms=1, at="after")
    assert raw.topic(TOPIC).topic_name == TOPIC
    assert rule.acted == 1
