"""The streams of the Pub/Sub API without a network under them: a client that decides itself when it reads and asks,
and a plain list beside the bus that says what it has to be given."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from sandbox.clock import Clock
from sandbox.salesforce.bus import Bus, Draft
from sandbox.salesforce.managed import ManagedSubscriptions
from sandbox.salesforce.pubsub import replay
from sandbox.salesforce.pubsub.managed_subscription import managed_subscription
from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from sandbox.salesforce.pubsub.refusals import Refusal
from sandbox.salesforce.pubsub.subscription import subscription
from sandbox.salesforce.pubsub.switchboard import Switchboard
from sandbox.salesforce.topics import Topic
from sandbox.store import Store

TOPICS = ("/event/A__e", "/event/B__e")
CHANNEL = "/event/Both__chn"
MOST_CREDIT = 100
MOST_BYTES = 3 * 1024 * 1024
RETENTION = timedelta(hours=72)


class _NoLedger:
    def write(self, *_: Any, **__: Any) -> int:
        return 0

    @contextmanager
    def together(self) -> Iterator[None]:
        yield


@dataclass
class Published:
    """An event as the model knows it."""

    id: str
    topic: str
    size: int
    number: int
    at: datetime


class Universe:
    """A bus with its topics, and the model: every event ever published, in order."""

    def __init__(self, folder: Path, random: Random) -> None:
        self.random, self.clock = random, Clock()
        ledger: Any = _NoLedger()
        self.bus = Bus(folder / "bus.db", self.clock, ledger, lambda topic, _: (topic, b""))
        self.store = Store(folder / "managed.db")
        self.managed = ManagedSubscriptions(self.store, {})
        # Keep-alives come whenever a stream has nothing else to say, and nothing ever ends for want of time.
        self.switchboard = Switchboard(keepalive_s=0)
        self.switchboard.change_pace(idle_s=1e9, commit_idle_s=1e9)
        self.published: list[Published] = []

    def close(self) -> None:
        self.bus.close()
        self.store.close()

    def publish(self, count: int) -> None:
        sizes = [self.random.choice((1, 1, 1, 1, 900_000)) if self.random.random() < 0.02 else 1 for _ in range(count)]
        drafts = [
            Draft(self.random.choice(TOPICS), "s", b"x" * size, f"e{len(self.published) + at}")
            for at, size in enumerate(sizes)
        ]
        for stored, size in zip(self.bus.append_all(drafts), sizes, strict=True):
            self.published.append(Published(stored.event_id, stored.topic, size, stored.replay, stored.created_at))

    def behind(self, topic: str, number: int) -> list[Published]:
        """What a subscriber at this position has to be given, in order."""
        members, first = self.members(topic), bisect_right(self.published, number, key=lambda each: each.number)
        return [each for each in self.published[first:] if each.topic in members]

    def members(self, topic: str) -> tuple[str, ...]:
        return TOPICS if topic == CHANNEL else (topic,)

    def call(self) -> Any:
        """What a stream knows of the call it serves."""
        world = SimpleNamespace(
            bus=self.bus,
            switchboard=self.switchboard,
            topics=self,
            org=SimpleNamespace(managed=self.managed),
            now=self.clock.now,
            deliveries=SimpleNamespace(cut=lambda *_: None, arranged=lambda _, events, __: events),
        )
        return SimpleNamespace(world=world, rpc_id="rpc", topic=self.find, note=lambda *_: None)

    def find(self, name: str) -> Topic:
        return Topic(name, self.members(name), "s", can_publish=True, can_subscribe=True)


@dataclass
class Session:
    """One stream and its client. `read` takes one response; until then the server waits, as behind a full window.

    `position` is how far the server has come, `read_to` how far the client has.
    """

    universe: Universe
    topic: str
    position: int
    outstanding: int = 0
    refusal: Refusal | None = None
    _requests: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    _arrived: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    _window: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    _task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.read_to = self.position

    def start(self, stream: Any, granted: int) -> None:
        self.outstanding = min(MOST_CREDIT, granted)
        self._task = asyncio.create_task(self._serve(stream))

    async def ask(self, request: Any) -> None:
        """Sends a request and waits until the server has taken it."""
        self._requests.put_nowait(request)
        await self._requests.join()

    async def read(self) -> Any:
        """The next response; the error of a stream that has come to an end instead."""
        assert self._task is not None
        self._window.release()
        coming = asyncio.ensure_future(self._arrived.get())
        await asyncio.wait([coming, self._task], return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            coming.cancel()
            self._task.result()
            raise AssertionError("the stream ended") from self.refusal
        self.read_to = int.from_bytes(coming.result().latest_replay_id[:8], "big")
        return coming.result()

    async def ended(self) -> None:
        """Takes what is under way until the server is done."""
        assert self._task is not None
        while not self._task.done():
            self._window.release()
            await asyncio.wait([self._task], timeout=0)

    async def abandon(self) -> None:
        """The connection is lost, if it still stands."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])

    def _check(self, response: Any) -> None:
        events, latest = response.events, replay.decode(response.latest_replay_id)
        expected = self.universe.behind(self.topic, self.position)
        assert len(events) <= self.outstanding, "more than was asked for"
        self.outstanding -= len(events)
        assert response.pending_num_requested == self.outstanding
        assert [each.event.id for each in events] == [each.id for each in expected[: len(events)]], (
            "a gap or a disorder"
        )
        assert len(events) <= 1 or sum(len(each.event.payload) for each in events) <= MOST_BYTES
        if events:
            assert response.latest_replay_id == events[-1].replay_id
        skipped = [each.id for each in expected[len(events) :] if latest is None or each.number <= latest]
        assert not skipped, "a position behind events that were not delivered"
        assert latest is not None
        assert latest >= self.position
        self.position = latest

    async def _serve(self, stream: Any) -> None:
        async def send(response: Any) -> None:
            # Checked when the server says it, not when the client reads it: the model moves on meanwhile.
            self._check(response)
            await self._window.acquire()
            self._arrived.put_nowait(response)

        try:
            await stream.run(self._sent(), send)
        except Refusal as refusal:
            self.refusal = refusal

    async def _sent(self) -> AsyncIterator[Any]:
        while True:
            request = await self._requests.get()
            self.outstanding = min(MOST_CREDIT, self.outstanding + request.num_requested)
            try:
                yield request
            finally:
                self._requests.task_done()


def subscribed(universe: Universe, topic: str, start: bytes | int, granted: int) -> Session:
    """A Subscribe call from a stored position or a preset. Raises Refusal."""
    first = wire.FetchRequest(topic_name=topic, num_requested=granted)
    if isinstance(start, bytes):
        first.replay_preset, first.replay_id = wire.CUSTOM, start
    else:
        first.replay_preset = start  # type: ignore[assignment]
    stream = subscription(universe.call(), first)
    session = Session(universe, topic, stream.position)
    session.start(stream, granted)
    return session


def managed(universe: Universe, name: str, granted: int) -> Session:
    """A ManagedSubscribe call. Raises Refusal."""
    first = wire.ManagedFetchRequest(developer_name=name, num_requested=granted)
    stream = managed_subscription(universe.call(), first)
    session = Session(universe, stream.topic.name, stream.position)
    session.start(stream, granted)
    return session


Scenario = Callable[[Universe], Coroutine[Any, Any, None]]


def play(scenario: Scenario, folder: Path, seed: int) -> None:
    """Runs a scenario in a universe of its own."""
    universe = Universe(folder, Random(seed))
    try:
        asyncio.run(scenario(universe))
    finally:
        universe.close()
