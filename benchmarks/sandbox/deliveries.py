"""How fast stored events reach one subscriber of the Pub/Sub API, who asks for more in good time."""

import json
import queue
import time
import urllib.request
from pathlib import Path
from typing import Any

import grpc

from benchmarks.sandbox.calls import Wire, token
from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire

EVENTS = 20_000
TOPIC = "/event/OrderProvisionRequested__e"
MOST_CREDIT = 100
# When so much is left, more is asked for: neither side ever waits for the other.
LOW = 50
Headers = tuple[tuple[str, str], ...]


def measure(ready: dict[str, Any], events: int = EVENTS) -> float:
    """Events per second of a subscription to so many stored ones, the first response included."""
    headers = headers_of(ready)
    first = _publish(ready, 1)
    last = _publish(ready, events)
    with channel_to(ready) as channel:
        _topic(channel, headers)  # the connection stands
        began = time.perf_counter()
        received = _receive(channel, headers, bytes.fromhex(first["replay_id"]), last["event_id"])
        seconds = time.perf_counter() - began
    if received != events:
        raise RuntimeError(f"{received} events came instead of {events}")
    return events / seconds


def _publish(ready: dict[str, Any], count: int) -> dict[str, Any]:
    fields = {"OrderId__c": "801000000000001AAA", "IdemKey__c": "801000000000001AAA-1", "Version__c": 1.0}
    body = json.dumps({"topic": TOPIC, "fields": fields, "count": count}).encode()
    request = urllib.request.Request(f"{ready['people_url']}/control/pubsub/publish", body)
    with urllib.request.urlopen(request, timeout=120) as answer:
        published: dict[str, Any] = json.loads(answer.read())
    return published


def channel_to(ready: dict[str, Any]) -> grpc.Channel:
    """A channel to the Pub/Sub API; use it as a context manager."""
    roots = grpc.ssl_channel_credentials(Path(ready["ca"]).read_bytes())
    return grpc.secure_channel(ready["pubsub_endpoint"], roots)


def headers_of(ready: dict[str, Any]) -> Headers:
    """What every call of the integration user carries."""
    access = token(Wire(ready["salesforce_url"], ready["ca"]), ready)
    return (
        ("accesstoken", access),
        ("instanceurl", ready["salesforce_url"]),
        ("tenantid", access.partition("!")[0]),
    )


def _receive(channel: grpc.Channel, headers: Headers, start: bytes, last: str) -> int:
    requests: queue.SimpleQueue[wire.FetchRequest | None] = queue.SimpleQueue()
    first = wire.FetchRequest(topic_name=TOPIC, replay_preset=wire.CUSTOM, replay_id=start, num_requested=MOST_CREDIT)
    requests.put(first)
    subscribe = channel.stream_stream(
        "/eventbus.v1.PubSub/Subscribe", wire.FetchRequest.SerializeToString, wire.FetchResponse.FromString
    )
    responses: Any = subscribe(iter(requests.get, None), metadata=headers)
    received = 0
    for response in responses:
        received += len(response.events)
        if response.events and response.events[-1].event.id == last:
            requests.put(None)
            return received
        if response.pending_num_requested <= LOW:
            requests.put(wire.FetchRequest(num_requested=MOST_CREDIT - response.pending_num_requested))
    return received


def _topic(channel: grpc.Channel, headers: Headers) -> None:
    call = channel.unary_unary(
        "/eventbus.v1.PubSub/GetTopic", wire.TopicRequest.SerializeToString, wire.TopicInfo.FromString
    )
    call(wire.TopicRequest(topic_name=TOPIC), metadata=headers)
