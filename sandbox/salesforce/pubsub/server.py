"""The Pub/Sub API on its port: TLS, sessions, Subscribe, GetTopic, GetSchema."""

import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc
from grpc import aio

from sandbox.salesforce import ids
from sandbox.salesforce.bus import RETENTION
from sandbox.salesforce.events import UnknownSchema, UnknownTopic
from sandbox.salesforce.org import ORGANIZATION_ID
from sandbox.salesforce.pubsub import replay
from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from sandbox.salesforce.pubsub.refusals import Refusal, refuse
from sandbox.salesforce.pubsub.stream import Stream
from sandbox.servers import PortTaken
from sandbox.world import World

OPTIONS = (
    # Clients behind NAT ping every half minute; by default gRPC would answer with GOAWAY (salesforce-wire.md, 6).
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_send_message_length", 4 * 1024 * 1024),
    # Without it a second sandbox would quietly share the port.
    ("grpc.so_reuseport", 0),
)
_Context = aio.ServicerContext[Any, Any]


async def start(world: World) -> "PubSubServer":
    """Listen on the configured port and return when it is open. Raises PortTaken."""
    server = aio.server(options=OPTIONS)
    api = _Api(world)
    server.add_generic_rpc_handlers((api.handlers(),))
    authority, config = world.authority, world.config
    credentials = grpc.ssl_server_credentials([(authority.key.read_bytes(), authority.certificate.read_bytes())])
    try:
        server.add_secure_port(f"{config.host}:{config.pubsub_port}", credentials)
    except RuntimeError as error:
        raise PortTaken("pubsub", config.pubsub_port) from error
    await server.start()
    return PubSubServer(server)


class PubSubServer:
    """A running server."""

    def __init__(self, server: aio.Server) -> None:
        self._server = server

    async def stop(self) -> None:
        """Cut every stream and close the port."""
        await self._server.stop(grace=None)


class _Api:
    """The methods of `eventbus.v1.PubSub`; those not in the table answer UNIMPLEMENTED."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handlers(self) -> "grpc.GenericRpcHandler[Any, Any]":
        return grpc.method_handlers_generic_handler(
            "eventbus.v1.PubSub",
            {
                "Subscribe": grpc.stream_stream_rpc_method_handler(
                    self._subscribe, wire.FetchRequest.FromString, wire.FetchResponse.SerializeToString
                ),
                "GetTopic": grpc.unary_unary_rpc_method_handler(
                    self._get_topic, wire.TopicRequest.FromString, wire.TopicInfo.SerializeToString
                ),
                "GetSchema": grpc.unary_unary_rpc_method_handler(
                    self._get_schema, wire.SchemaRequest.FromString, wire.SchemaInfo.SerializeToString
                ),
            },
        )

    async def _get_topic(self, request: wire.TopicRequest, context: _Context) -> wire.TopicInfo:
        rpc_id = str(uuid.uuid4())
        try:
            self._admit("GetTopic", context)
            schema_id = self._schema_id(request.topic_name)
        except Refusal as refusal:
            await refuse(context, "GetTopic", rpc_id, refusal)
        self._note("GetTopic", request.topic_name, context, {})
        return wire.TopicInfo(
            topic_name=request.topic_name,
            tenant_guid=f"CORE/prod/{ORGANIZATION_ID}",
            can_publish=False,  # events come from the org's Flows here
            can_subscribe=True,
            schema_id=schema_id,
            rpc_id=rpc_id,
        )

    async def _get_schema(self, request: wire.SchemaRequest, context: _Context) -> wire.SchemaInfo:
        rpc_id = str(uuid.uuid4())
        try:
            self._admit("GetSchema", context)
            if not request.schema_id:
                raise Refusal("schema.validation.failed", "The schema ID can't be blank.")
            schema = self._world.schemas.by_id(request.schema_id)
        except UnknownSchema:
            refusal = Refusal("schema.validation.failed", f"There is no schema {request.schema_id}.")
            await refuse(context, "GetSchema", rpc_id, refusal)
        except Refusal as refusal:
            await refuse(context, "GetSchema", rpc_id, refusal)
        self._note("GetSchema", request.schema_id, context, {})
        return wire.SchemaInfo(schema_json=schema.text, schema_id=schema.schema_id, rpc_id=rpc_id)

    async def _subscribe(self, requests: AsyncIterator[wire.FetchRequest], context: _Context) -> None:
        rpc_id = str(uuid.uuid4())
        try:
            self._admit("Subscribe", context)
            first = await anext(requests, None)
            if first is None:
                return
            stream = self._open(first, rpc_id, context)
            await context.send_initial_metadata(())
            await stream.run(requests, context.write)
        except Refusal as refusal:
            await refuse(context, "Subscribe", rpc_id, refusal)

    def _open(self, first: wire.FetchRequest, rpc_id: str, context: _Context) -> Stream:
        self._schema_id(first.topic_name)
        position = self._position(first)
        stream = Stream(self._world.bus, self._world.switchboard, rpc_id, first.topic_name, position)
        stream.grant(first)
        preset = wire.ReplayPreset.Name(first.replay_preset)
        self._note("Subscribe", first.topic_name, context, {"preset": preset, "after": position, "rpc_id": rpc_id})
        return stream

    def _position(self, first: wire.FetchRequest) -> int:
        """The replay number that delivery begins behind."""
        bus = self._world.bus
        if first.replay_preset == wire.LATEST:
            return bus.tip()
        if first.replay_preset == wire.EARLIEST:
            return bus.earliest(first.topic_name)
        if not first.replay_id:
            raise Refusal("subscription.fetch.replayid.validation.failed", "CUSTOM needs a replay ID.")
        number = replay.decode(first.replay_id)
        reached = None if number is None else bus.written_at(number)
        if number is None or reached is None or self._world.now() - reached > RETENTION:
            raise Refusal(
                "subscription.fetch.replayid.corrupted",
                "The Replay ID validation failed. Ensure that the Replay ID is valid and within the retention window.",
            )
        return number

    def _schema_id(self, topic: str) -> str:
        if not topic:
            raise Refusal("topic.validation.empty", "The topic name can't be blank.")
        try:
            return self._world.schemas.current(topic).schema_id
        except UnknownTopic:
            raise Refusal("topic.not.found", f"The topic {topic} can't be found.") from None

    def _admit(self, operation: str, context: _Context) -> None:
        """Check the three headers that every call carries. Raises Refusal."""
        self._world.switchboard.refuse_if_planned(operation)
        given = _metadata(context)
        if not all(given.get(name) for name in ("accesstoken", "instanceurl", "tenantid")):
            text = "The headers accesstoken, instanceurl and tenantid are required."
            raise Refusal("service.auth.headers.invalid", text)
        ours = (
            self._world.org.sessions.find(given["accesstoken"]) is not None
            and given["instanceurl"].rstrip("/") == self._world.config.salesforce_url
            and ids.normalise(given["tenantid"]) == ORGANIZATION_ID
        )
        if not ours:
            text = "An authentication exception occurred. Please verify the provided authentication information."
            raise Refusal("service.auth.error", text)

    def _note(self, operation: str, key: str, context: _Context, detail: Mapping[str, Any]) -> None:
        correlation_id = _metadata(context).get("x-client-trace-id", "")
        self._world.ledger.write("pubsub", operation, key=key, correlation_id=correlation_id, detail=detail)


def _metadata(context: _Context) -> dict[str, str]:
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
