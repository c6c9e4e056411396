"""Publish and PublishStream on the wire (salesforce-wire.md §1.6)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import grpc
import pytest

from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from tests.sandbox.pubsub.raw import TOPIC, Raw, error_code
from tests.sandbox_process import Sandbox

MEGABYTE = 1024 * 1024
CHANGES = "/data/OrderChangeEvent"


def refused(call: Callable[[], Any]) -> Any:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


@pytest.fixture
def schema_id(raw: Raw) -> str:
    return str(raw.topic(TOPIC).schema_id)


@pytest.fixture
def event(raw: Raw, schema_id: str) -> Callable[..., wire.ProducerEvent]:
    """event("801…", id="mine") is ready to be published."""

    def make(order: str = "801000000000001AAA", **more: Any) -> wire.ProducerEvent:
        fields = {"schema_id": schema_id, "payload": raw.encode(schema_id, OrderId__c=order), **more}
        return wire.ProducerEvent(**fields)

    return make


Event = Callable[..., wire.ProducerEvent]


def test_published_events_are_delivered_under_the_publishers_ids(raw: Raw, event: Event) -> None:
    stream = raw.subscribe().accepted()
    answer = raw.publish(event("801000000000001AAA", id="first"), event("801000000000002AAA", id="second"))
    delivered = stream.read_events(2)
    assert [each.event.id for each in delivered] == [each.correlation_key for each in answer.results]
    assert [each.correlation_key for each in answer.results] == ["first", "second"]
    assert [each.replay_id for each in delivered] == [each.replay_id for each in answer.results]
    assert [raw.decode(each.event)["OrderId__c"] for each in delivered] == ["801000000000001AAA", "801000000000002AAA"]
    assert not any(each.HasField("error") for each in answer.results)
    assert answer.rpc_id
    stream.close()


def test_an_event_without_an_id_is_given_one(raw: Raw, event: Event, schema_id: str) -> None:
    answer = raw.publish(event(), event())
    first, second = (each.correlation_key for each in answer.results)
    assert first != second
    assert len(first) == 36
    assert answer.schema_id == schema_id


def test_each_event_stands_for_itself(raw: Raw, event: Event, schema_id: str) -> None:
    broken = {
        "too large": event(payload=raw.encode(schema_id, OrderId__c="x" * MEGABYTE)),
        "no schema": event(schema_id=""),
        "unknown schema": event(schema_id="K98aAtiNFBjA-PJlcvaQ2g"),
        "another topic's schema": event(schema_id=raw.topic(CHANGES).schema_id),
        "garbage": event(payload=b"\xff\xff\xff"),
        "empty": event(payload=b""),
        "more than the schema says": event(payload=event().payload + b"\0"),
        "a user that is none": event(payload=raw.encode(schema_id, CreatedById="nobody")),
    }
    answer = raw.publish(event(id="before"), *broken.values(), event(id="after"))
    good, bad = [answer.results[0], answer.results[-1]], answer.results[1:-1]
    assert [each.correlation_key for each in good] == ["before", "after"]
    assert all(len(each.replay_id) == 10 for each in good)
    for name, result in zip(broken, bad, strict=True):
        assert result.error.code == wire.PUBLISH, name
        assert result.error.msg, name
        assert result.replay_id == b"", name


def test_an_event_of_an_older_schema_can_still_be_published(raw: Raw, event: Event, bus: Sandbox) -> None:
    old = event("801000000000001AAA")
    stream = raw.subscribe().accepted()
    evolved = bus.control("/control/pubsub/schema", {"topic": TOPIC, "add": {"Season__c": "string"}})["schema_id"]
    new = wire.ProducerEvent(schema_id=evolved, payload=raw.encode(evolved, Season__c="spring"))
    answer = raw.publish(old, new)
    assert answer.schema_id == evolved
    assert [each.event.schema_id for each in stream.read_events(2)] == [old.schema_id, evolved]
    assert raw.schema(old.schema_id).schema_id == old.schema_id
    stream.close()


@pytest.mark.parametrize(
    ("request_", "code", "status"),
    [
        ({"topic_name": ""}, "publish.topic.validation.empty", "INVALID_ARGUMENT"),
        ({"topic_name": "/event/Nothing__e"}, "topic.not.found", "NOT_FOUND"),
        ({"events": []}, "publish.event.count.invalid", "INVALID_ARGUMENT"),
        ({"events": [wire.ProducerEvent()] * 201}, "publish.event.count.invalid", "INVALID_ARGUMENT"),
        ({"auth_refresh": "x"}, "publish.auth.refresh.invalid", "INVALID_ARGUMENT"),
        ({"topic_name": CHANGES}, "topic.meta.permission", "PERMISSION_DENIED"),
    ],
)
def test_a_wrong_request_is_refused_and_publishes_nothing(
    raw: Raw, bus: Sandbox, event: Event, request_: dict[str, Any], code: str, status: str
) -> None:
    before = bus.get("/control/pubsub/streams")["tip"]
    request = wire.PublishRequest(**{"topic_name": TOPIC, "events": [event()], **request_})
    error = refused(lambda: raw.call("Publish", request, wire.PublishResponse))
    assert error.code().name == status
    assert error_code(error) == code
    assert bus.get("/control/pubsub/streams")["tip"] == before


def test_more_than_four_megabytes_are_too_much_for_grpc(raw: Raw, event: Event) -> None:
    large = [event(payload=b"x" * 900_000)] * 5
    error = refused(partial(raw.publish, *large))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_without_permission_nothing_is_published(raw: Raw, bus: Sandbox, event: Event) -> None:
    bus.control("/control/pubsub/permit", {"topic": TOPIC, "publish": False})
    try:
        assert not raw.topic(TOPIC).can_publish
        assert error_code(refused(partial(raw.publish, event()))) == "topic.meta.permission"
    finally:
        bus.control("/control/pubsub/permit", {"topic": TOPIC})
    assert raw.topic(TOPIC).can_publish


def test_a_publish_stream_answers_each_request(raw: Raw, event: Event) -> None:
    subscriber = raw.subscribe().accepted()
    stream = raw.publish_stream(topic_name=TOPIC, events=[event(id="a"), event(id="b")])
    assert [each.correlation_key for each in stream.read().results] == ["a", "b"]
    stream.send(events=[event(id="c")])  # the topic is known by now
    assert [each.correlation_key for each in stream.read().results] == ["c"]
    assert [each.event.id for each in subscriber.read_events(3)] == ["a", "b", "c"]
    stream.half_close()
    assert stream.end() is None
    subscriber.close()


def test_a_quiet_publish_stream_is_kept_alive(raw: Raw, event: Event) -> None:
    stream = raw.publish_stream(topic_name=TOPIC, events=[event()])
    stream.read()
    alive = stream.read()
    assert not alive.results
    assert alive.rpc_id
    stream.close()


@pytest.mark.parametrize(
    ("later", "code"),
    [
        ({"topic_name": CHANGES}, "publish.topic.mismatch"),
        ({"events": []}, "publish.event.count.invalid"),
        ({"auth_refresh": "x"}, "publish.auth.refresh.invalid"),
    ],
)
def test_a_wrong_request_ends_a_publish_stream_after_what_came_before(
    raw: Raw, event: Event, later: dict[str, Any], code: str
) -> None:
    stream = raw.publish_stream(topic_name=TOPIC, events=[event(id="good")])
    stream.send(**{"events": [event()], **later})
    assert stream.read().results[0].correlation_key == "good"
    error = stream.end()
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error_code(error) == code


def test_a_publish_stream_without_requests_is_swept_up(raw: Raw, event: Event, bus: Sandbox) -> None:
    bus.control("/control/pubsub/pace", {"publish_idle_s": 0.4})
    stream = raw.publish_stream(topic_name=TOPIC, events=[event()])
    assert error_code(stream.end()) == "publish.stream.sweeper.timeout"


def test_the_ledger_notes_what_was_published_and_refused(raw: Raw, bus: Sandbox, event: Event) -> None:
    before = bus.last_ledger_id()
    raw.publish(event(id="kept"), event(payload=b"\xff"))
    (row,) = bus.ledger(system="pubsub", operation="Publish", after=before)
    assert (row["key"], row["detail"]["events"], row["detail"]["refused"]) == (TOPIC, 2, 1)
    assert [each["key"] for each in bus.ledger(system="pubsub", operation="event", after=before)] == ["kept"]
