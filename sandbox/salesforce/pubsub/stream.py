"""Deliveries of a topic: credit, events in order, keep-alives, and their end (salesforce-wire.md, section 1.4)."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc

from sandbox.faults.kinds.pubsub import RST
from sandbox.salesforce.bus import StoredEvent
from sandbox.salesforce.pubsub import replay
from sandbox.salesforce.pubsub.admission import Call
from sandbox.salesforce.pubsub.conversation import Conversation, Request, Response
from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from sandbox.salesforce.pubsub.refusals import Refusal
from sandbox.salesforce.topics import Topic

MOST_CREDIT = 100
MOST_BYTES = 3 * 1024 * 1024


class Stream(Conversation[Request, Response]):
    """Delivers the events behind `position` as far as the subscriber's credit goes."""

    def __init__(self, call: Call, topic: Topic, position: int) -> None:
        super().__init__(call.world.switchboard)
        self.call = call
        self.topic = topic
        self.position = position
        self.credit = 0
        self._bus = call.world.bus

    @abstractmethod
    def respond(self, events: list[wire.ConsumerEvent]) -> Response:
        """A response with these events, at the stream's position and with what is left of its credit."""

    def check(self) -> None:
        """Raises Refusal when the stream may not go on."""
        if not self.call.world.topics.find(self.topic.name).can_subscribe:
            text = f"The user doesn't have permission to subscribe to {self.topic.name}."
            raise Refusal("subscription.topic.cannot.subscribe", text)

    def grant(self, number: int) -> None:
        """Add to the credit; what is above the most there can be is lost."""
        self.credit = min(MOST_CREDIT, self.credit + number)

    async def run(self, requests: AsyncIterator[Request], send: Callable[[Response], Awaitable[None]]) -> None:
        """Serve until the subscriber or the server ends it. Raises Refusal for any end but a good one."""
        self._bus.listen(self.poke)
        try:
            await super().run(requests, send)
        finally:
            self._bus.unlisten(self.poke)

    def due(self) -> Response | None:
        """Events within the credit, or a keep-alive after a silence."""
        if not self.credit:
            return None
        events = self._bus.next_of(self.topic.members, self.position, self.credit, MOST_BYTES)
        if events:
            return self._delivery(events) if self._goes_on(events) else None
        if self.quiet_for() < self.pace.keepalive_s:
            return None
        self.position = self._bus.tip()
        return self.respond([])

    def finished(self) -> bool:
        """A subscriber who has no credit, and gives none any more or not in time, is served."""
        self.check()
        return self.credit == 0 and (self.half_closed or self.quiet_for() >= self.pace.idle_s)

    def patience(self) -> float:
        """Until a keep-alive or the end."""
        return (self.pace.keepalive_s if self.credit else self.pace.idle_s) - self.quiet_for()

    def _goes_on(self, events: list[StoredEvent]) -> bool:
        """Whether these events are delivered; a fault may end the stream instead, or behind them."""
        cut = self.call.world.deliveries.cut(self.topic.name, events)
        if cut is None:
            return True
        if cut.status != RST:
            self.cut(grpc.StatusCode[cut.status])
        return cut.at == "after"

    def _delivery(self, events: list[StoredEvent]) -> Response:
        self.position = events[-1].replay
        delivered = self.call.world.deliveries.arranged(self.topic.name, events, self.credit)
        self.credit -= len(delivered)
        return self.respond([_consumer_event(each) for each in delivered])


def _consumer_event(event: StoredEvent) -> wire.ConsumerEvent:
    produced = wire.ProducerEvent(id=event.event_id, schema_id=event.schema_id, payload=event.payload)
    return wire.ConsumerEvent(event=produced, replay_id=replay.encode(event.replay))
