"""Nonsense sent to every RPC: each is refused as what it is, none breaks the server and none is left without an answer.

FUZZ_CASES is how many calls each RPC gets; the random numbers are the same each time.
"""

import os
import queue
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import grpc
import pytest

from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from tests.sandbox.pubsub.raw import TOPIC, WITHIN_S, Raw
from tests.sandbox_process import Sandbox

CASES = int(os.environ.get("FUZZ_CASES", "400"))
UNARY = {"GetTopic": wire.TopicRequest, "GetSchema": wire.SchemaRequest, "Publish": wire.PublishRequest}
STREAMING = {
    "Subscribe": wire.FetchRequest,
    "ManagedSubscribe": wire.ManagedFetchRequest,
    "PublishStream": wire.PublishRequest,
}
# What a server answers that has lost its way; the deadline is ours and means that nothing came.
LOST = {"INTERNAL", "UNKNOWN", "DEADLINE_EXCEEDED", "UNAVAILABLE", "CANCELLED", "UNIMPLEMENTED"}
TEXTS = ["", TOPIC, "/data/ChangeEvents", "/event/Nothing__e", "18x000000000001AAA", "Managed_Sample", "../..", "注文"]
TEXTS += ["x" * 5000, "nul\0", "18x", "' OR 1=1"]
NUMBERS = [0, 1, -1, 5, 100, 101, 2**31 - 1, -(2**31)]


class Nonsense:
    """Random requests: bytes, messages of fields that may be right, and right ones with some bytes changed."""

    def __init__(self, seed: int, payload: bytes, schema_id: str) -> None:
        self.random = Random(seed)
        self._payload, self._schema_id = payload, schema_id

    def request(self, kind: Any) -> bytes:
        match self.random.randint(0, 3):
            case 0:
                return self.random.randbytes(self.random.choice((0, 1, 7, 60, 900)))
            case 1:
                return self._mangled(self._message(kind).SerializeToString())
            case _:
                return bytes(self._message(kind).SerializeToString())

    def _mangled(self, sent: bytes) -> bytes:
        changed = bytearray(sent)
        for _ in range(self.random.randint(1, 4)):
            if changed:
                changed[self.random.randrange(len(changed))] = self.random.randrange(256)
        return bytes(changed)

    def _message(self, kind: Any) -> Any:
        return {
            wire.TopicRequest: lambda: wire.TopicRequest(topic_name=self._text()),
            wire.SchemaRequest: lambda: wire.SchemaRequest(schema_id=self._text()),
            wire.PublishRequest: self._publish,
            wire.FetchRequest: self._fetch,
            wire.ManagedFetchRequest: self._managed,
        }[kind]()

    def _publish(self) -> wire.PublishRequest:
        events = [self._event() for _ in range(self.random.choice((0, 1, 2, 201)))]
        return wire.PublishRequest(topic_name=self._topic(), events=events, auth_refresh=self._seldom())

    def _event(self) -> wire.ProducerEvent:
        payload = self.random.choice((self._payload, self._mangled(self._payload), self.random.randbytes(30), b""))
        schema_id = self.random.choice((self._schema_id, self._text()))
        headers = [wire.EventHeader(key=self._text(), value=b"\xff")] if self.random.random() < 0.2 else []
        return wire.ProducerEvent(id=self._text(), schema_id=schema_id, payload=payload, headers=headers)

    def _fetch(self) -> wire.FetchRequest:
        return wire.FetchRequest(
            topic_name=self._topic(),
            replay_preset=self.random.choice((0, 1, 2, 3, -1)),  # type: ignore[arg-type]
            replay_id=self._replay_id(),
            num_requested=self.random.choice(NUMBERS),
            auth_refresh=self._seldom(),
        )

    def _managed(self) -> wire.ManagedFetchRequest:
        request = wire.ManagedFetchRequest(
            subscription_id=self._text() if self.random.random() < 0.3 else "",
            developer_name=self._text() if self.random.random() < 0.3 else "",
            num_requested=self.random.choice(NUMBERS),
            auth_refresh=self._seldom(),
        )
        if self.random.random() < 0.4:
            commit = wire.CommitReplayRequest(commit_request_id=self._text(), replay_id=self._replay_id())
            request.commit_replay_id_request.CopyFrom(commit)
        return request

    def _text(self) -> str:
        return self.random.choice(TEXTS)

    def _topic(self) -> str:
        return self.random.choice((TOPIC, TOPIC, self._text()))

    def _seldom(self) -> str:
        return "x" if self.random.random() < 0.1 else ""

    def _replay_id(self) -> bytes:
        return self.random.randbytes(self.random.choice((0, 3, 8, 8, 10, 10, 11)))


@pytest.fixture
def nonsense(raw: Raw) -> Callable[[int], Nonsense]:
    schema_id = raw.topic(TOPIC).schema_id
    return partial(Nonsense, payload=raw.encode(schema_id, OrderId__c="801000000000001AAA"), schema_id=schema_id)


@pytest.fixture
def log(bus: Sandbox) -> Callable[[], str]:
    """What the server has complained of since."""
    before = len(bus.log.read_text())
    return lambda: bus.log.read_text()[before:]


@pytest.mark.parametrize("method", UNARY)
def test_unary_calls(raw: Raw, nonsense: Callable[[int], Nonsense], log: Callable[[], str], method: str) -> None:
    source, call = nonsense(1), _unary(raw, method)
    for _ in range(CASES):
        request = source.request(UNARY[method])
        status = _status(partial(call, request, metadata=raw.metadata(), timeout=WITHIN_S))
        assert status not in LOST, (status, request)
    assert raw.topic(TOPIC).topic_name == TOPIC
    assert "Traceback" not in log()


@pytest.mark.parametrize("method", STREAMING)
def test_streaming_calls(
    raw: Raw, bus: Sandbox, nonsense: Callable[[int], Nonsense], log: Callable[[], str], method: str
) -> None:
    metadata = {"topicName": TOPIC, "defaultReplay": "EARLIEST"}
    bus.control("/control/pubsub/managed", {"developer_name": "Managed_Sample", "metadata": metadata})
    source, call = nonsense(2), _streaming(raw, method)
    for _ in range(CASES):
        requests = [source.request(STREAMING[method]) for _ in range(source.random.randint(0, 4))]
        stream: Any = call(iter(requests), metadata=raw.metadata(), timeout=WITHIN_S)
        status = _status(partial(_first, stream))
        stream.cancel()
        assert status not in LOST, (status, requests)
    assert raw.topic(TOPIC).topic_name == TOPIC
    assert "Traceback" not in log()


def _first(stream: Any) -> None:
    """The first response, or the end."""
    next(stream, None)


@pytest.mark.parametrize("seed", range(3))
def test_headers(raw: Raw, log: Callable[[], str], seed: int) -> None:
    random, call = Random(seed), _unary(raw, "GetTopic")
    request = wire.TopicRequest(topic_name=TOPIC).SerializeToString()
    for _ in range(CASES // 3):
        odd = ("", "x" * 500, "00D!", "~ {} %")
        headers = {name: random.choice((value, value[::-1], *odd)) for name, value in raw.headers.items()}
        kept = [(name, value) for name, value in headers.items() if random.random() < 0.8]
        more = [("x-client-trace-id", "~ odd"), ("odd-bin", random.randbytes(5))] if random.random() < 0.3 else []
        status = _status(partial(call, request, metadata=(*kept, *more), timeout=WITHIN_S))
        assert status == ("OK" if dict(kept) == raw.headers else "UNAUTHENTICATED")
    assert "Traceback" not in log()


def test_a_client_that_opens_a_stream_and_says_nothing_keeps_nobody_from_anything(raw: Raw, bus: Sandbox) -> None:
    silent: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    calls: list[Any] = [
        _streaming(raw, method)(iter(silent.get, None), metadata=raw.metadata(), timeout=WITHIN_S)
        for method in STREAMING
    ]
    assert raw.topic(TOPIC).topic_name == TOPIC
    for call in calls:
        silent.put(None)
        call.cancel()


def _unary(raw: Raw, method: str) -> Any:
    """Takes and gives bytes."""
    return raw.channel.unary_unary(f"/eventbus.v1.PubSub/{method}", None, None)


def _streaming(raw: Raw, method: str) -> Any:
    """Takes and gives bytes."""
    return raw.channel.stream_stream(f"/eventbus.v1.PubSub/{method}", None, None)


def _status(act: Callable[[], Any]) -> str:
    try:
        act()
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"
