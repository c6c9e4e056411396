"""Receiving platform events by the Pub/Sub API (salesforce-wire.md §1). Knows no model: gives decoded events and
positions, and says by typed exceptions (stream_errors.py) why a stream ended."""

import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

import grpc

from integrations import failpoints
from integrations.errors import Misconfigured
from integrations.http import CallRecorder
from integrations.salesforce.auth import Token, TokenSource
from integrations.salesforce.credit import MOST, Credit
from integrations.salesforce.event_schemas import EventSchemas, Undecodable
from integrations.salesforce.proto import eventbus_pb2 as wire
from integrations.salesforce.stream_errors import AuthRefused, Fatal, StreamEnded, StreamSilent, StreamTrouble, trouble

SERVICE = "/eventbus.v1.PubSub/"
UNARY_DEADLINE_S = 15.0
PING_TIMEOUT_S = 15
LARGEST_MESSAGE = 8 * 1024 * 1024  # a response is 3 MB at most, gRPC's own limit 4
CLOSE_S = 3.0

Q = TypeVar("Q")
A = TypeVar("A")


class Start(Enum):
    """Where a stream without a stored position begins."""

    LATEST = wire.LATEST
    EARLIEST = wire.EARLIEST


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event. `fields` is None when the payload cannot be read, and `error` then says why."""

    event_uuid: str
    replay_id: bytes
    schema_id: str
    payload: bytes
    fields: Mapping[str, Any] | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class FetchResult:
    """One response; without events it is a keep-alive. `latest_replay_id` is opaque, and safe to store once all
    events up to and in this response are stored."""

    events: tuple[ReceivedEvent, ...]
    latest_replay_id: bytes
    rpc_id: str = ""


class EventStream:
    """The Pub/Sub API of one org over one channel. `ping_s` is the interval of HTTP/2 pings, `silence_s` the time
    without any response after which a stream counts as dead (above 270, the server's keep-alive).

    Every method may be repeated. They raise StreamTrouble, or Misconfigured and Unavailable of the token source.
    `open` and `close` belong to one thread.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        tokens: TokenSource,
        recorder: CallRecorder,
        guard: Callable[[], None],
        ca_bundle: str = "",
        silence_s: float = 300,
        ping_s: float = 60,
    ) -> None:
        self._endpoint, self._ca_bundle = endpoint, ca_bundle
        self._tokens, self._recorder, self._guard = tokens, recorder, guard
        self._silence_s, self._ping_s = silence_s, ping_s
        self._channel: grpc.Channel | None = None
        self._schemas = EventSchemas(self._schema_json)

    def sign_in(self) -> None:
        """Gets a token if there is none yet, so that wrong credentials are known at start."""
        self._tokens.token()

    def renew(self) -> None:
        """Gets another token than the one in use, for when a stream was refused with it."""
        self._tokens.refresh(self._tokens.token().access_token)

    def open(self, topic: str, start: Start | bytes) -> "Subscription":
        """Subscribes after a stored replay id, or from `start`. A refused token is replaced once.

        The topic is asked for first: a missing one, or a missing permission, is then said at once.
        """
        info = self._unary("GetTopic", wire.TopicRequest(topic_name=topic), wire.TopicInfo)
        if not info.can_subscribe:
            raise Fatal("GetTopic", "topic_not_readable", "the user lacks Read on the event", info.rpc_id)
        first = wire.FetchRequest(topic_name=topic, num_requested=MOST)
        if isinstance(start, Start):
            first.replay_preset = start.value
        else:
            first.replay_preset, first.replay_id = wire.CUSTOM, start
        return Subscription(self._subscribe, first, self._schemas, self._silence_s)

    def close(self) -> None:
        """Closes the channel; the next use opens a new one."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _subscribe(self, requests: "_Requests") -> "grpc.CallIterator[wire.FetchResponse]":
        self._guard()
        call = self._connected().stream_stream(
            SERVICE + "Subscribe",
            request_serializer=wire.FetchRequest.SerializeToString,
            response_deserializer=wire.FetchResponse.FromString,
        )
        with failpoints.around("pubsub.Subscribe"):
            return call(iter(requests.get, None), metadata=_headers(self._tokens.token()))

    def _schema_json(self, schema_id: str) -> str:
        return self._unary("GetSchema", wire.SchemaRequest(schema_id=schema_id), wire.SchemaInfo).schema_json

    def _unary(self, operation: str, request: Any, answer: type[A]) -> A:
        token = self._tokens.token()
        try:
            return self._asked(operation, request, answer, token)
        except AuthRefused:
            # The token of an open stream may have expired hours ago.
            return self._asked(operation, request, answer, self._tokens.refresh(token.access_token))

    def _asked(self, operation: str, request: Any, answer: type[A], token: Token) -> A:
        self._guard()
        call: Callable[..., A] = self._connected().unary_unary(
            SERVICE + operation,
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,  # type: ignore[attr-defined]
        )
        failpoints.reach(f"pubsub.{operation}:before")
        began, result = time.monotonic(), "ok"
        try:
            return call(request, timeout=UNARY_DEADLINE_S, metadata=_headers(token))
        except grpc.RpcError as error:
            known = trouble(error, operation)
            result = {"grpc_deadline_exceeded": "timeout", "grpc_unavailable": "refused"}.get(known.code, "app_error")
            raise known from error
        finally:
            seconds = time.monotonic() - began
            self._recorder.record(system="salesforce", operation=operation, result=result, seconds=seconds)
            failpoints.reach(f"pubsub.{operation}:after")

    def _connected(self) -> grpc.Channel:
        if self._channel is None:
            self._channel = grpc.secure_channel(self._endpoint, self._credentials(), self._options())
        return self._channel

    def _credentials(self) -> grpc.ChannelCredentials:
        try:
            roots = Path(self._ca_bundle).read_bytes() if self._ca_bundle else None
        except OSError as error:
            text = f"SF_CA_BUNDLE cannot be read: {error.strerror}."
            raise Misconfigured("salesforce", "Subscribe", "ca_bundle", text) from error
        return grpc.ssl_channel_credentials(roots)

    def _options(self) -> tuple[tuple[str, int], ...]:
        # Pings find a connection that died behind NAT. When the server asks for fewer, gRPC doubles the interval.
        return (
            ("grpc.keepalive_time_ms", int(self._ping_s * 1000)),
            ("grpc.keepalive_timeout_ms", PING_TIMEOUT_S * 1000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.max_receive_message_length", LARGEST_MESSAGE),
        )


_Requests = queue.SimpleQueue[wire.FetchRequest | None]
_WAKE: Final = object()


class Subscription:
    """One Subscribe call. A thread of its own receives and keeps the credit up; `receive` hands out, in order.

    Use it as a context manager, from one thread; only `wake` may come from anywhere, signal handlers included.
    """

    def __init__(
        self,
        subscribe: Callable[[_Requests], "grpc.CallIterator[wire.FetchResponse]"],
        first: wire.FetchRequest,
        schemas: EventSchemas,
        silence_s: float,
    ) -> None:
        self._requests: _Requests = queue.SimpleQueue()
        self._requests.put(first)
        self._credit = Credit(lambda number: self._requests.put(wire.FetchRequest(num_requested=number)))
        self._schemas, self._silence_s = schemas, silence_s
        self._arrivals: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._heard_at = time.monotonic()
        self._handed_out = 0
        self._accepted = threading.Event()
        self._call = subscribe(self._requests)
        self._reader = threading.Thread(target=self._read, name="pubsub", daemon=True)
        self._reader.start()

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait_until_accepted(self, timeout_s: float) -> bool:
        """Whether the server has answered at all within the time; some do so with their first response only."""
        return self._accepted.wait(timeout_s)

    def receive(self, timeout_s: float) -> FetchResult | None:
        """The next response; None when none came within the time or `wake` was called.

        Calling it says that what it gave before is stored, which makes room for more. Raises StreamTrouble when the
        stream is over, StreamSilent when it only seems alive. A schema that cannot be fetched raises too: what was
        received is then not lost, as the stored position lies before it.
        """
        self._credit.released(self._handed_out)
        self._handed_out = 0
        arrival = self._next(timeout_s)
        if arrival is None or arrival is _WAKE:
            return None
        if isinstance(arrival, StreamTrouble):
            raise arrival
        self._handed_out = len(arrival.events)
        events = tuple(self._event(each) for each in arrival.events)
        return FetchResult(events, arrival.latest_replay_id, arrival.rpc_id)

    def finish(self) -> None:
        """Asks for no more events; those under way can still be received."""
        self._credit.stop()
        self._requests.put(None)

    def wake(self) -> None:
        """Makes a waiting `receive` return."""
        self._arrivals.put(_WAKE)

    def close(self) -> None:
        """Ends the call and its thread. Repeatable."""
        self.finish()
        self._call.cancel()  # type: ignore[no-untyped-call]
        self._reader.join(CLOSE_S)

    def _next(self, timeout_s: float) -> Any:
        left = self._heard_at + self._silence_s - time.monotonic()
        try:
            return self._arrivals.get(timeout=max(0.0, min(timeout_s, left)))
        except queue.Empty:
            if time.monotonic() - self._heard_at >= self._silence_s:
                raise StreamSilent("Subscribe", "silent", f"nothing came for {self._silence_s:.0f} s") from None
            return None

    def _event(self, received: wire.ConsumerEvent) -> ReceivedEvent:
        event = received.event
        try:
            fields, error = self._schemas.decode(event.schema_id, event.payload), ""
        except Undecodable as reason:
            fields, error = None, str(reason)
        return ReceivedEvent(event.id, received.replay_id, event.schema_id, event.payload, fields, error)

    def _read(self) -> None:
        try:
            self._call.initial_metadata()
            self._accepted.set()
            for response in self._call:
                self._heard_at = time.monotonic()
                self._credit.arrived(len(response.events), response.pending_num_requested)
                self._arrivals.put(response)
            self._arrivals.put(StreamEnded("Subscribe", "ended"))
        except grpc.RpcError as error:
            self._arrivals.put(trouble(error, "Subscribe"))


def _headers(token: Token) -> tuple[tuple[str, str], ...]:
    """What every call carries (salesforce-wire.md §1.3); the trace id is for Salesforce's support."""
    return (
        ("accesstoken", token.access_token),
        ("instanceurl", token.instance_url),
        ("tenantid", token.org_id),
        ("x-client-trace-id", str(uuid.uuid4())),
    )
