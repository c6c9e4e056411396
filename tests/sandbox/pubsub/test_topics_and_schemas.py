"""GetTopic, GetSchema, and who may ask."""

import io
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import fastavro
import grpc
import pytest

from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from tests.sandbox.pubsub.raw import TOPIC, Raw, trailers
from tests.sandbox_process import Sandbox

PREFIX = "sfdc.platform.eventbus.grpc."


def refused(call: Callable[[], Any]) -> Any:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


def test_a_topic_names_the_schema_its_events_are_written_with(raw: Raw, bus: Sandbox) -> None:
    info = raw.topic(TOPIC)
    assert info.can_subscribe
    assert info.topic_name == TOPIC
    schema = raw.schema(info.schema_id)
    assert json.loads(schema.schema_json)["uuid"] == info.schema_id
    assert len(info.schema_id) == 22


def test_an_event_is_read_with_the_schema_it_names(raw: Raw, bus: Sandbox) -> None:
    stream = raw.subscribe().accepted()
    body = {"topic": TOPIC, "fields": {"OrderId__c": "801000000000001AAA", "Version__c": 1.0}}
    bus.control("/control/pubsub/publish", body)
    event = stream.read_events(1)[0].event
    schema = fastavro.parse_schema(json.loads(raw.schema(event.schema_id).schema_json))
    fields: Any = fastavro.schemaless_reader(io.BytesIO(event.payload), schema, None)
    assert fields["OrderId__c"] == "801000000000001AAA"
    assert fields["IdemKey__c"] is None
    assert fields["CreatedDate"] > 1_700_000_000_000
    stream.close()


def test_an_unknown_topic_and_a_blank_schema_id_are_refused(raw: Raw) -> None:
    error = refused(lambda: raw.topic("/event/Nothing__e"))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert trailers(error)["error-code"] == PREFIX + "topic.not.found"
    assert trailers(error)["type"] == "GetTopic"
    for schema_id in ("", "K98aAtiNFBjA-PJlcvaQ2g", "../../etc/passwd"):
        error = refused(partial(raw.schema, schema_id))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert trailers(error)["error-code"] == PREFIX + "schema.validation.failed"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"accesstoken": "00D000000000001!stale"}, "service.auth.error"),
        ({"instanceurl": "https://elsewhere.my.salesforce.com"}, "service.auth.error"),
        ({"tenantid": "00D000000000009EAA"}, "service.auth.error"),
        ({"tenantid": ""}, "service.auth.headers.invalid"),
    ],
)
def test_each_of_the_three_headers_is_checked(raw: Raw, headers: dict[str, str], code: str) -> None:
    error = refused(lambda: raw.topic(TOPIC, **headers))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert trailers(error)["error-code"] == PREFIX + code


def test_what_is_not_offered_says_so(raw: Raw) -> None:
    call = raw.channel.unary_unary(
        "/eventbus.v1.PubSub/Unpublish", wire.PublishRequest.SerializeToString, wire.PublishResponse.FromString
    )
    error = refused(lambda: call(wire.PublishRequest(), metadata=raw.metadata(), timeout=10))
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


def test_refusals_can_be_planned(raw: Raw, bus: Sandbox) -> None:
    bus.control("/control/pubsub/refuse", {"operation": "GetTopic", "code": "service.unavailable"})
    error = refused(lambda: raw.topic(TOPIC))
    assert trailers(error)["error-code"] == PREFIX + "service.unavailable"
    assert raw.topic(TOPIC).can_subscribe
