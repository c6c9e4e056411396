"""One Subscribe call: credit, delivery in order, keep-alives, and its ends (salesforce-wire.md, section 1.4)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc

from sandbox.salesforce.bus import Bus, StoredEvent
from sandbox.salesforce.pubsub import replay
from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from sandbox.salesforce.pubsub.refusals import Refusal
from sandbox.salesforce.pubsub.switchboard import Switchboard

MOST_CREDIT = 100
MOST_BYTES = 3 * 1024 * 1024
Send = Callable[[wire.FetchResponse], Awaitable[None]]


class Stream:
    """Delivers the events behind `position` as far as the subscriber's credit goes."""

    def __init__(self, bus: Bus, switchboard: Switchboard, rpc_id: str, topic: str, position: int) -> None:
        self._bus, self._switchboard = bus, switchboard
        self._rpc_id, self._topic, self._position = rpc_id, topic, position
        self._credit = 0
        self._half_closed = False
        self._end: grpc.StatusCode | None = None
        self._refusal: Refusal | None = None
        self._bell = asyncio.Event()
        self._quiet_since = asyncio.get_running_loop().time()

    def grant(self, request: wire.FetchRequest) -> None:
        """Add a request's credit. Raises Refusal; replay options of later requests are ignored, as the API does."""
        if request.topic_name and request.topic_name != self._topic:
            raise Refusal("subscription.fetch.topic.mismatch", "The topic of a subscription cannot change.")
        if request.num_requested <= 0:
            raise Refusal("subscription.fetch.requested.events.invalid", "num_requested must be above 0.")
        self._credit = min(MOST_CREDIT, self._credit + request.num_requested)
        self.poke()

    def poke(self) -> None:
        """Something changed: look again."""
        self._bell.set()

    def cut(self, status: grpc.StatusCode) -> None:
        """End with this status and without trailers, as when a connection is taken down."""
        self._end = status
        self.poke()

    async def run(self, requests: AsyncIterator[wire.FetchRequest], send: Send) -> None:
        """Serve until the subscriber or the server ends it. Raises Refusal for any end but a good one."""
        reader = asyncio.create_task(self._read(requests))
        self._switchboard.join(self)
        try:
            while not self._is_over():
                response = self._due()
                if response is None:
                    await self._wait()
                else:
                    self._quiet_since = asyncio.get_running_loop().time()
                    await send(response)
        finally:
            self._switchboard.leave(self)
            reader.cancel()

    async def _read(self, requests: AsyncIterator[wire.FetchRequest]) -> None:
        try:
            async for request in requests:
                self.grant(request)
        except Refusal as refusal:
            self._refusal = refusal
        self._half_closed = True
        self.poke()

    def _is_over(self) -> bool:
        if self._refusal:
            raise self._refusal
        if self._end not in (None, grpc.StatusCode.OK):
            raise Refusal("", "Connection closed.", self._end)
        starved = self._credit == 0 and (self._half_closed or self._quiet_for() >= self._switchboard.idle_s)
        return self._end is grpc.StatusCode.OK or starved

    def _due(self) -> wire.FetchResponse | None:
        if self._switchboard.muted or not self._credit:
            return None
        events = _fitting(self._bus.after(self._topic, self._position, self._credit))
        if events:
            self._credit -= len(events)
            return self._response(events[-1].replay, events)
        if self._quiet_for() < self._switchboard.keepalive_s:
            return None
        return self._response(self._bus.tip(), [])

    def _response(self, position: int, events: list[StoredEvent]) -> wire.FetchResponse:
        self._position = position
        return wire.FetchResponse(
            events=[_consumer_event(each) for each in events],
            latest_replay_id=replay.encode(position),
            rpc_id=self._rpc_id,
            pending_num_requested=self._credit,
        )

    def _quiet_for(self) -> float:
        return asyncio.get_running_loop().time() - self._quiet_since

    async def _wait(self) -> None:
        """Until anything is published or changed, or it is time for a keep-alive or for the end."""
        limit = self._switchboard.keepalive_s if self._credit else self._switchboard.idle_s
        timeout = None if self._switchboard.muted else max(0.0, limit - self._quiet_for())
        waits = [asyncio.create_task(self._bus.wait()), asyncio.create_task(self._bell.wait())]
        try:
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        self._bell.clear()


def _fitting(events: list[StoredEvent]) -> list[StoredEvent]:
    """The first events, as many as one response holds; one in any case."""
    size, count = 0, 0
    for event in events:
        size += len(event.payload)
        if count and size > MOST_BYTES:
            break
        count += 1
    return events[:count]


def _consumer_event(event: StoredEvent) -> wire.ConsumerEvent:
    produced = wire.ProducerEvent(id=event.event_id, schema_id=event.schema_id, payload=event.payload)
    return wire.ConsumerEvent(event=produced, replay_id=replay.encode(event.replay))
