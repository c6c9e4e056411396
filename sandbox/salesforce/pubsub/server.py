"""The Pub/Sub API on its port: TLS, and the six methods of `eventbus.v1.PubSub`."""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from grpc import aio

from sandbox.faults.ports import door
from sandbox.salesforce.events import UnknownSchema
from sandbox.salesforce.org import ORGANIZATION_ID
from sandbox.salesforce.pubsub.admission import Call, Context
from sandbox.salesforce.pubsub.conversation import Conversation
from sandbox.salesforce.pubsub.front import Front
from sandbox.salesforce.pubsub.managed_subscription import managed_subscription
from sandbox.salesforce.pubsub.messages import Unparsed, parsed, parser, serialize
from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from sandbox.salesforce.pubsub.publication import publish, publish_stream
from sandbox.salesforce.pubsub.refusals import Refusal, refuse
from sandbox.salesforce.pubsub.subscription import subscription
from sandbox.world import World

OPTIONS = (
    # Clients behind NAT ping every half minute; by default gRPC would answer with GOAWAY (salesforce-wire.md, 6).
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_send_message_length", 4 * 1024 * 1024),
    ("grpc.max_concurrent_streams", 1000),
)
_Asked = TypeVar("_Asked", bound=Message)
_Said = TypeVar("_Said", bound=Message)
_Unary = Callable[[Call, _Asked], _Said]
_Opening = Callable[[Call, _Asked], Conversation[_Asked, _Said]]


async def start(world: World) -> "PubSubServer":
    """Listen on the configured port and return when it is open. Raises PortTaken."""
    server = aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((_Api(world).handlers(),))
    authority, config = world.authority, world.config
    credentials = grpc.ssl_server_credentials([(authority.key.read_bytes(), authority.certificate.read_bytes())])
    port = server.add_secure_port("127.0.0.1:0", credentials)
    front = Front(config.host, config.pubsub_port, port, door(world.faults, "pubsub"))
    await front.open_port()
    await server.start()
    world.switchboard.connections = front
    world.ports.register("pubsub", front)
    world.faults.tell()
    return PubSubServer(world, server, front)


class PubSubServer:
    """A running server."""

    def __init__(self, world: World, server: aio.Server, front: Front) -> None:
        self._world = world
        self._server = server
        self._front = front

    async def stop(self) -> None:
        """Cut every stream and close the port."""
        self._world.switchboard.connections = None
        self._front.close_port()
        await self._server.stop(grace=None)


class _Api:
    """The methods. Each begins with the caller's headers, and ends with a status that the real service has too."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handlers(self) -> "grpc.GenericRpcHandler[Any, Any]":
        """All of them by name; what is not in the table answers UNIMPLEMENTED."""
        return grpc.method_handlers_generic_handler(
            "eventbus.v1.PubSub",
            {
                "GetTopic": self._unary("GetTopic", wire.TopicRequest, _topic_info),
                "GetSchema": self._unary("GetSchema", wire.SchemaRequest, _schema_info),
                "Publish": self._unary("Publish", wire.PublishRequest, publish),
                "PublishStream": self._streaming("PublishStream", wire.PublishRequest, publish_stream),
                "Subscribe": self._streaming("Subscribe", wire.FetchRequest, subscription),
                "ManagedSubscribe": self._streaming("ManagedSubscribe", wire.ManagedFetchRequest, managed_subscription),
            },
        )

    def _unary(
        self, operation: str, message: type[_Asked], answer: _Unary[_Asked, _Said]
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        async def handle(request: _Asked | Unparsed, context: Context) -> _Said:
            call = Call(self._world, operation, context)
            try:
                call.admit()
                asked = parsed(request)
                mishap = call.mishap(asked)
                await mishap.before()
                said = answer(call, asked)
                await mishap.after()
                return said
            except Refusal as refusal:
                await refuse(context, operation, call.rpc_id, refusal)

        return grpc.unary_unary_rpc_method_handler(handle, parser(message), serialize)

    def _streaming(
        self, operation: str, message: type[_Asked], opening: _Opening[_Asked, _Said]
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        async def handle(requests: AsyncIterator[_Asked | Unparsed], context: Context) -> None:
            call = Call(self._world, operation, context)
            try:
                call.admit()
                first = await anext(requests, None)
                if first is None:
                    return
                asked = parsed(first)
                mishap = call.mishap(asked)
                await mishap.before()
                conversation = opening(call, asked)
                await mishap.after()
                await context.send_initial_metadata(())
                await conversation.run(_each_parsed(requests), context.write)
            except Refusal as refusal:
                await refuse(context, operation, call.rpc_id, refusal)

        return grpc.stream_stream_rpc_method_handler(handle, parser(message), serialize)


async def _each_parsed(requests: AsyncIterator[_Asked | Unparsed]) -> AsyncIterator[_Asked]:
    async for request in requests:
        yield parsed(request)


def _topic_info(call: Call, request: wire.TopicRequest) -> wire.TopicInfo:
    topic = call.topic(request.topic_name)
    call.note(topic.name, {})
    return wire.TopicInfo(
        topic_name=topic.name,
        tenant_guid=f"CORE/prod/{ORGANIZATION_ID}",
        can_publish=topic.can_publish,
        can_subscribe=topic.can_subscribe,
        schema_id=topic.schema_id,
        rpc_id=call.rpc_id,
    )


def _schema_info(call: Call, request: wire.SchemaRequest) -> wire.SchemaInfo:
    if not request.schema_id:
        raise Refusal("schema.validation.failed", "Schema validation failed. The schema ID can't be blank.")
    try:
        schema = call.world.schemas.by_id(request.schema_id)
    except UnknownSchema:
        raise Refusal("schema.validation.failed", f"There is no schema {request.schema_id}.") from None
    call.note(schema.schema_id, {})
    return wire.SchemaInfo(schema_json=schema.text, schema_id=schema.schema_id, rpc_id=call.rpc_id)
