"""What goes wrong with RPCs, streams and events because a rule says so (`sandbox.faults`)."""

import uuid
from collections.abc import Iterator
from dataclasses import replace

import grpc
from google.protobuf.message import Message

from sandbox.faults.book import Faults
from sandbox.faults.kinds import pubsub as kinds
from sandbox.faults.kinds.base import Fault
from sandbox.faults.rules import Offer
from sandbox.faults.waits import Waits
from sandbox.salesforce.bus import Draft, StoredEvent
from sandbox.salesforce.events import SchemaRegistry, UnknownSchema, Unreadable
from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from sandbox.salesforce.pubsub.refusals import Refusal, corrupted
from sandbox.salesforce.pubsub.switchboard import Switchboard

_TOLD = "Refused because the sandbox was told to."
_POISON = {"garbage": b"\xff" * 30, "empty": b""}
_NO_SCHEMA = "AAAAAAAAAAAAAAAAAAAAAA"


class CallMishap:
    """What happens to one RPC; nothing, without a rule for the system."""

    def __init__(self, faults: Faults, operation: str, request: Message, correlation_id: str) -> None:
        self._fault: Fault | None = None
        self._waits: Waits | None = None
        if not faults.concern("pubsub"):
            return
        keys = {str(getattr(request, name, "")) for name in ("topic_name", "schema_id", "developer_name")} - {""}
        offer = Offer("pubsub", operation, frozenset(keys), correlation_id, str(request))
        self._waits = Waits(faults, offer)
        resuming = isinstance(request, wire.FetchRequest) and request.replay_preset == wire.CUSTOM
        refusals = (kinds.Refused, kinds.ReplayRefused) if resuming else (kinds.Refused,)
        struck = faults.take(offer, *refusals)
        self._fault = struck.fault if struck else None

    async def before(self) -> None:
        """Return when it is time to carry the call out. Raises Refusal."""
        if self._waits:
            await self._waits.until_over("before")
        if isinstance(self._fault, kinds.ReplayRefused):
            raise corrupted()
        self._refuse("before")

    async def after(self) -> None:
        """Return when it is time to answer what was carried out. Raises Refusal."""
        if self._waits:
            await self._waits.until_over("after")
        self._refuse("after")

    def _refuse(self, at: str) -> None:
        if isinstance(self._fault, kinds.Refused) and self._fault.at == at:
            status = grpc.StatusCode[self._fault.status] if self._fault.status else None
            raise Refusal(self._fault.code, _TOLD, status)


class DeliveryMishaps:
    """Faults of responses with events, for the streams of one switchboard."""

    def __init__(self, faults: Faults, switchboard: Switchboard) -> None:
        self._faults, self._switchboard = faults, switchboard

    def arranged(self, topic: str, events: list[StoredEvent], credit: int) -> list[StoredEvent]:
        """The events of one response as they are to be delivered, within the credit."""
        if not self._faults.concern("pubsub"):
            return events
        if len(events) < credit and self._faults.take(_delivery(topic, events), kinds.EventRepeated):
            events = [events[0], *events]
        if len(events) > 1 and self._faults.take(_delivery(topic, events), kinds.EventsReordered):
            events = events[::-1]
        return events

    def cut(self, topic: str, events: list[StoredEvent]) -> kinds.StreamCut | None:
        """How the stream ends that is about to deliver these events; None when it goes on."""
        if not self._faults.concern("pubsub"):
            return None
        struck = self._faults.take(_delivery(topic, events), kinds.StreamCut)
        if struck and struck.fault.status == kinds.RST:
            self._switchboard.reset()
        return struck.fault if struck else None

    def follow(self) -> None:
        """Let the streams and connections be as the rules that stand want them."""
        self._switchboard.mute(self._faults.standing("pubsub", kinds.StreamSilent) is not None)
        self._switchboard.freeze(self._faults.standing("pubsub", kinds.ConnectionsFrozen) is not None)


class EventMishaps:
    """Faults of what is put on the bus, whoever puts it there."""

    def __init__(self, faults: Faults, schemas: SchemaRegistry) -> None:
        self._faults, self._schemas = faults, schemas

    def altered(self, draft: Draft) -> Draft:
        """The event as it goes on the bus."""
        struck = self._faults.take(self._offer(draft), kinds.Poison) if self._faults.concern("pubsub") else None
        if struck is None:
            return draft
        if struck.fault.how == "unknown_schema":
            return replace(draft, schema_id=_NO_SCHEMA)
        return replace(draft, payload=_POISON.get(struck.fault.how, draft.payload[: len(draft.payload) // 2]))

    def copies(self, draft: Draft) -> Iterator[Draft]:
        """What goes on the bus behind it as well."""
        struck = (
            self._faults.take(self._offer(draft), kinds.EventDuplicated) if self._faults.concern("pubsub") else None
        )
        for _ in range(struck.fault.copies - 1 if struck else 0):
            yield replace(draft, event_id=str(uuid.uuid4())) if struck and struck.fault.new_id else draft

    def _offer(self, draft: Draft) -> Offer:
        try:
            fields = self._schemas.decode(draft.schema_id, draft.payload)
        except (Unreadable, UnknownSchema):
            fields = {}
        ids = {value for name, value in fields.items() if isinstance(value, str) and name.endswith("Id__c")}
        correlation_id = str(fields.get("CorrelationId__c") or "")
        return Offer("pubsub", kinds.EVENT, frozenset({draft.topic, draft.event_id, *ids}), correlation_id, str(fields))


def _delivery(topic: str, events: list[StoredEvent]) -> Offer:
    return Offer("pubsub", kinds.DELIVER, frozenset({topic, *(each.event_id for each in events)}))
