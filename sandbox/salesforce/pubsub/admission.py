"""Who may call: the headers that every RPC carries, and the record that is kept of it (salesforce-wire.md, 1.3)."""

import uuid
from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message
from grpc import aio

from sandbox.salesforce import ids
from sandbox.salesforce.events import UnknownTopic
from sandbox.salesforce.org import ORGANIZATION_ID
from sandbox.salesforce.pubsub.mishaps import CallMishap
from sandbox.salesforce.pubsub.refusals import Refusal
from sandbox.salesforce.topics import Topic
from sandbox.world import World

Context = aio.ServicerContext[Any, Any]
_HEADERS = ("accesstoken", "instanceurl", "tenantid")


class Call:
    """One RPC from its first byte on: its id, its caller, its place in the ledger."""

    def __init__(self, world: World, operation: str, context: Context) -> None:
        self.world = world
        self.operation = operation
        self.context = context
        self.rpc_id = str(uuid.uuid4())
        self._given = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}

    def admit(self) -> None:
        """Check the three headers. Raises Refusal."""
        if not all(self._given.get(name) for name in _HEADERS):
            text = "The headers accesstoken, instanceurl and tenantid are required."
            raise Refusal("service.auth.headers.invalid", text)
        ours = (
            self.world.org.sessions.find(self._given["accesstoken"]) is not None
            and self._given["instanceurl"].rstrip("/") == self.world.config.salesforce_url
            and ids.normalise(self._given["tenantid"]) == ORGANIZATION_ID
        )
        if not ours:
            text = "An authentication exception occurred. Please verify the provided authentication information."
            raise Refusal("service.auth.error", text)

    def mishap(self, request: Message) -> CallMishap:
        """What the rules about faults have for it."""
        return CallMishap(self.world.faults, self.operation, request, self.correlation_id)

    @property
    def correlation_id(self) -> str:
        """The caller's own id of what it is doing."""
        return self._given.get("x-client-trace-id", "")

    def topic(self, name: str, *, when_blank: str = "topic.validation.empty") -> Topic:
        """The topic of this name. Raises Refusal."""
        if not name:
            raise Refusal(when_blank, "The topic name can't be blank.")
        try:
            return self.world.topics.find(name)
        except UnknownTopic:
            raise Refusal("topic.not.found", f"The topic {name} can't be found.") from None

    def note(self, key: str, detail: Mapping[str, Any]) -> None:
        """Write down that the call was accepted."""
        self.world.ledger.write(
            "pubsub",
            self.operation,
            key=key,
            correlation_id=self.correlation_id,
            detail={"rpc_id": self.rpc_id, **detail},
        )
