"""A bare gRPC client of the Pub/Sub API, as unlike the portal's as can be: what it sees is what is on the wire."""

import io
import json
import queue
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import fastavro
import grpc
import jwt
import requests
from google.protobuf.message import Message

from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from tests.sandbox_process import Sandbox

TOPIC = "/event/OrderProvisionRequested__e"
WITHIN_S = 15


def sign_in(urls: dict[str, Any]) -> dict[str, str]:
    """The three headers of every call."""
    claims = {
        "iss": urls["salesforce_client_id"],
        "sub": urls["salesforce_username"],
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 120,
    }
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": jwt.encode(claims, Path(urls["salesforce_key"]).read_text(), algorithm="RS256"),
    }
    url = f"{urls['salesforce_url']}/services/oauth2/token"
    answer = requests.post(url, data=form, verify=urls["ca"], timeout=WITHIN_S).json()
    tenant = answer["id"].split("/")[-2]
    return {"accesstoken": answer["access_token"], "instanceurl": answer["instance_url"], "tenantid": tenant}


class Raw:
    """One channel to a running sandbox."""

    def __init__(self, sandbox: Sandbox, options: Sequence[tuple[str, int]] = ()) -> None:
        self.sandbox, self.urls = sandbox, sandbox.urls
        roots = grpc.ssl_channel_credentials(Path(self.urls["ca"]).read_bytes())
        self.channel = grpc.secure_channel(self.urls["pubsub_endpoint"], roots, options)
        self.headers = sign_in(self.urls)

    def another(self, *options: tuple[str, int]) -> "Raw":
        """A client with a connection of its own."""
        return Raw(self.sandbox, (("grpc.use_local_subchannel_pool", 1), *options))

    def metadata(self, **instead: str) -> tuple[tuple[str, str], ...]:
        return tuple({**self.headers, **instead}.items())

    def call(self, method: str, request: Any, answer: Any, **headers: str) -> Any:
        """One unary call."""
        path = f"/eventbus.v1.PubSub/{method}"
        stub: Any = self.channel.unary_unary(path, type(request).SerializeToString, answer.FromString)
        return stub(request, metadata=self.metadata(**headers), timeout=WITHIN_S)

    def topic(self, name: str, **headers: str) -> wire.TopicInfo:
        answer: wire.TopicInfo = self.call("GetTopic", wire.TopicRequest(topic_name=name), wire.TopicInfo, **headers)
        return answer

    def schema(self, schema_id: str) -> wire.SchemaInfo:
        answer: wire.SchemaInfo = self.call("GetSchema", wire.SchemaRequest(schema_id=schema_id), wire.SchemaInfo)
        return answer

    def parsed_schema(self, schema_id: str) -> Any:
        return fastavro.parse_schema(json.loads(self.schema(schema_id).schema_json))

    def decode(self, event: wire.ProducerEvent) -> dict[str, Any]:
        """An event's fields, by the schema it names."""
        fields: Any = fastavro.schemaless_reader(io.BytesIO(event.payload), self.parsed_schema(event.schema_id), None)
        return dict(fields)

    def encode(self, schema_id: str, **fields: Any) -> bytes:
        """A payload; a platform event's creation is filled in."""
        written = io.BytesIO()
        created = {"CreatedDate": int(time.time() * 1000), "CreatedById": "005000000000000AAA"}
        fastavro.schemaless_writer(written, self.parsed_schema(schema_id), {**created, **fields})
        return written.getvalue()

    def publish(self, *events: wire.ProducerEvent, topic: str = TOPIC) -> wire.PublishResponse:
        request = wire.PublishRequest(topic_name=topic, events=events)
        answer: wire.PublishResponse = self.call("Publish", request, wire.PublishResponse)
        return answer

    def subscribe(self, **first: Any) -> "Deliveries[wire.FetchRequest, wire.FetchResponse]":
        request = wire.FetchRequest(**{"topic_name": TOPIC, "num_requested": 10, **first})
        return Deliveries(self, "Subscribe", request, wire.FetchResponse)

    def manage(self, **first: Any) -> "Deliveries[wire.ManagedFetchRequest, wire.ManagedFetchResponse]":
        request = wire.ManagedFetchRequest(**{"num_requested": 10, **first})
        return Deliveries(self, "ManagedSubscribe", request, wire.ManagedFetchResponse)

    def publish_stream(self, **first: Any) -> "Stream[wire.PublishRequest, wire.PublishResponse]":
        return Stream(self, "PublishStream", wire.PublishRequest(**first), wire.PublishResponse)


Asked = TypeVar("Asked", bound=Message)
Said = TypeVar("Said", bound=Message)


class Stream(Generic[Asked, Said]):
    """One streaming call; `read` gives the next response."""

    def __init__(self, raw: Raw, method: str, first: Asked, answer: type[Said]) -> None:
        self._request = type(first)
        self._requests: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._requests.put(first)
        path = f"/eventbus.v1.PubSub/{method}"
        call: Any = raw.channel.stream_stream(path, type(first).SerializeToString, answer.FromString)
        self.call: Any = call(iter(self._requests.get, None), metadata=raw.metadata(), timeout=60)

    def accepted(self) -> Self:
        """Waits for the server's headers, so that what is published from now on is after LATEST."""
        self.call.initial_metadata()
        return self

    def send(self, **request: Any) -> None:
        self._requests.put(self._request(**request))

    def half_close(self) -> None:
        self._requests.put(None)

    def read(self) -> Said:
        response: Said = next(self.call)
        return response

    def end(self) -> Any:
        """Reads to the end of the call and returns the gRPC status; None for a good one."""
        try:
            for _ in self.call:
                pass
        except grpc.RpcError as error:
            return error
        return None

    def close(self) -> None:
        self.half_close()
        self.call.cancel()


class Deliveries(Stream[Asked, Said]):
    """A stream of events."""

    def ask(self, number: int, **more: Any) -> None:
        self.send(num_requested=number, **more)

    def read_events(self, count: int) -> list[wire.ConsumerEvent]:
        """Reads on until so many events have come; keep-alives are passed over."""
        events: list[wire.ConsumerEvent] = []
        while len(events) < count:
            events += _events(self.read())
        return events

    def read_keepalive(self) -> Said:
        while _events(response := self.read()):
            pass
        return response


RawStream = Deliveries[wire.FetchRequest, wire.FetchResponse]


def _events(response: Any) -> list[wire.ConsumerEvent]:
    return list(response.events)


def trailers(error: Any) -> dict[str, str]:
    return dict(error.trailing_metadata())


def error_code(error: Any) -> str:
    """The error code without the prefix that all have."""
    return trailers(error)["error-code"].removeprefix("sfdc.platform.eventbus.grpc.")
