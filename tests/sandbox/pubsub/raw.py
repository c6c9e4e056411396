"""A bare gRPC client of the Pub/Sub API, as unlike the portal's as can be: what it sees is what is on the wire."""

import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import jwt
import requests

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

    def __init__(self, sandbox: Sandbox) -> None:
        self.urls = sandbox.urls
        roots = Path(self.urls["ca"]).read_bytes()
        self.channel = grpc.secure_channel(self.urls["pubsub_endpoint"], grpc.ssl_channel_credentials(roots))
        self.headers = sign_in(self.urls)

    def metadata(self, **instead: str) -> tuple[tuple[str, str], ...]:
        return tuple({**self.headers, **instead}.items())

    def topic(self, name: str, **headers: str) -> wire.TopicInfo:
        call = self.channel.unary_unary(
            "/eventbus.v1.PubSub/GetTopic", wire.TopicRequest.SerializeToString, wire.TopicInfo.FromString
        )
        answer: wire.TopicInfo = call(
            wire.TopicRequest(topic_name=name), metadata=self.metadata(**headers), timeout=WITHIN_S
        )
        return answer

    def schema(self, schema_id: str) -> wire.SchemaInfo:
        call = self.channel.unary_unary(
            "/eventbus.v1.PubSub/GetSchema", wire.SchemaRequest.SerializeToString, wire.SchemaInfo.FromString
        )
        answer: wire.SchemaInfo = call(
            wire.SchemaRequest(schema_id=schema_id), metadata=self.metadata(), timeout=WITHIN_S
        )
        return answer

    def subscribe(self, **first: Any) -> "RawStream":
        return RawStream(self, wire.FetchRequest(**{"topic_name": TOPIC, "num_requested": 10, **first}))


class RawStream:
    """One Subscribe call; `read` gives the next response."""

    def __init__(self, raw: Raw, first: wire.FetchRequest) -> None:
        self._requests: queue.SimpleQueue[wire.FetchRequest | None] = queue.SimpleQueue()
        self._requests.put(first)
        call = raw.channel.stream_stream(
            "/eventbus.v1.PubSub/Subscribe", wire.FetchRequest.SerializeToString, wire.FetchResponse.FromString
        )
        self.call: Any = call(self._sent(), metadata=raw.metadata(), timeout=60)

    def _sent(self) -> Iterator[wire.FetchRequest]:
        yield from iter(self._requests.get, None)

    def accepted(self) -> "RawStream":
        """Waits for the server's headers, so that what is published from now on is after LATEST."""
        self.call.initial_metadata()
        return self

    def ask(self, number: int, **more: Any) -> None:
        self._requests.put(wire.FetchRequest(num_requested=number, **more))

    def read(self) -> wire.FetchResponse:
        response: wire.FetchResponse = next(self.call)
        return response

    def read_events(self, count: int) -> list[wire.ConsumerEvent]:
        """Reads on until so many events have come; keep-alives are passed over."""
        events: list[wire.ConsumerEvent] = []
        while len(events) < count:
            events += self.read().events
        return events

    def read_keepalive(self) -> wire.FetchResponse:
        while (response := self.read()).events:
            pass
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
        self._requests.put(None)
        self.call.cancel()


def trailers(error: Any) -> dict[str, str]:
    return dict(error.trailing_metadata())
