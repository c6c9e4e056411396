"""Putting many events on the bus as Salesforce's flow does: each the first request of an order of its own."""

import io
import json
import time
from typing import Any

import fastavro
import grpc

from benchmarks.sandbox.deliveries import TOPIC, Headers, channel_to, headers_of
from sandbox.salesforce.ids import make
from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire

AT_A_TIME = 200  # of one request
ORDER = "801"


def publish(ready: dict[str, Any], first: int, count: int) -> None:
    """Publishes the requests of the orders number `first` and on, `count` of them."""
    with channel_to(ready) as channel:
        bus = _Bus(channel, headers_of(ready))
        for start in range(first, first + count, AT_A_TIME):
            bus.publish([make(ORDER, number) for number in range(start, min(start + AT_A_TIME, first + count))])


class _Bus:
    def __init__(self, channel: grpc.Channel, headers: Headers) -> None:
        self._channel, self._headers = channel, headers
        self._schema_id = self._call("GetTopic", wire.TopicRequest(topic_name=TOPIC), wire.TopicInfo).schema_id
        asked = wire.SchemaRequest(schema_id=self._schema_id)
        self._schema = fastavro.parse_schema(json.loads(self._call("GetSchema", asked, wire.SchemaInfo).schema_json))

    def publish(self, orders: list[str]) -> None:
        events = [wire.ProducerEvent(schema_id=self._schema_id, payload=self._payload(each)) for each in orders]
        answer = self._call("Publish", wire.PublishRequest(topic_name=TOPIC, events=events), wire.PublishResponse)
        if refused := [each.error.msg for each in answer.results if not each.replay_id]:
            raise RuntimeError(f"{len(refused)} events were refused: {refused[0]}")

    def _payload(self, order: str) -> bytes:
        fields = {
            "CreatedDate": int(time.time() * 1000),
            "CreatedById": "005000000000000AAA",
            "OrderId__c": order,
            "IdemKey__c": f"{order}-2026-11-21 01:02:03Z-1",
            "CorrelationId__c": f"bench-{order}",
            "Version__c": 1.0,
        }
        payload = io.BytesIO()
        fastavro.schemaless_writer(payload, self._schema, fields)
        return payload.getvalue()

    def _call(self, method: str, request: Any, answer: Any) -> Any:
        path = f"/eventbus.v1.PubSub/{method}"
        call = self._channel.unary_unary(path, type(request).SerializeToString, answer.FromString)
        return call(request, metadata=self._headers, timeout=60)
