"""Subscribers that come, are cut and come again, thousands of times at random: each is given every event at least once,
in order and within its credit, and never a position behind an event that it was not given."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from sandbox.salesforce.pubsub.refusals import Refusal
from tests.sandbox.pubsub.in_process import (
    CHANNEL,
    RETENTION,
    TOPICS,
    Session,
    Universe,
    managed,
    play,
    subscribed,
)

# make test plays these; STREAM_SEQUENCES=100000 is for a night.
SEQUENCES = int(os.environ.get("STREAM_SEQUENCES", "2500"))
PER_UNIVERSE = 250
LONG = timedelta(hours=80)


class Subscriber:
    """Keeps the position of what it has stored, and what that was."""

    def __init__(self, universe: Universe, topic: str) -> None:
        self.universe, self.topic, self.random = universe, topic, universe.random
        self.position = b""
        self.stored: list[str] = []
        self.handed_out_at = universe.clock.now()
        self.missed_until = -1

    def open(self) -> Session:
        """From the stored position; from the earliest event when there is none, or when it is refused as too old."""
        granted = self.random.choice((1, 3, 50, 100, 150))
        if not self.position:
            return self._from_the_earliest(granted)
        away = self.universe.clock.now() - self.handed_out_at
        try:
            session = subscribed(self.universe, self.topic, self._form(), granted)
        except Refusal as refusal:
            code = refusal.code
        else:
            assert away <= RETENTION
            return session
        assert code == "subscription.fetch.replayid.corrupted"
        assert away > RETENTION - timedelta(minutes=2)
        return self._from_the_earliest(granted)

    def _from_the_earliest(self, granted: int) -> Session:
        self._give_up_the_oldest()
        return subscribed(self.universe, self.topic, wire.EARLIEST, granted)

    def _form(self) -> bytes:
        return self.position[: self.random.choice((8, 10))]

    def _give_up_the_oldest(self) -> None:
        """What is older than the retention is lost to somebody who begins with the earliest."""
        horizon = self.universe.clock.now() - RETENTION
        lost = [each.number for each in self.universe.published if each.at < horizon]
        self.missed_until = max([self.missed_until, *lost])

    async def live(self, session: Session) -> None:
        """One session until it is cut from either side; what arrived last may not have been stored by then."""
        for _ in range(self.random.randint(1, 8)):
            if not await self._step(session):
                break
        status = self.random.choice((None, grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE))
        if status is not None and self.universe.switchboard.cut(status):
            await session.ended()
        await session.abandon()

    async def _step(self, session: Session) -> bool:
        """Something happens; says whether the subscriber lives on."""
        if self.random.random() < 0.4:
            self.universe.publish(self.random.choice((0, 1, 2, 30)))
        if self.random.random() < 0.4:
            await session.ask(self.request(self.random.choice((1, 7, 60, 100, 100))))
        if session.outstanding:
            response = await session.read()
            if self.random.random() < 0.1:
                return False  # it dies with what it has in hand
            await self.store(session, response)
        return True

    def request(self, number: int) -> Any:
        """More credit; the options of a later request mean nothing."""
        return wire.FetchRequest(num_requested=number, replay_preset=wire.CUSTOM, replay_id=b"nonsense")

    async def store(self, _: Session, response: Any) -> None:
        """The events and the position in one transaction."""
        self.stored += [each.event.id for each in response.events]
        self.position, self.handed_out_at = response.latest_replay_id, self.universe.clock.now()

    async def drain(self, session: Session) -> None:
        """Takes all there is."""
        while self.universe.behind(self.topic, session.read_to):
            if not session.outstanding:
                await session.ask(self.request(100))
            await self.store(session, await session.read())
        await session.abandon()

    def check(self) -> None:
        """In order and without a gap, but for what it was told to be lost; what came again is a repetition."""
        owed = [each.id for each in self.universe.behind(self.topic, -1) if each.number > self.missed_until]
        seen, due = list(dict.fromkeys(self.stored)), set(owed)
        assert seen == sorted(seen, key=lambda each: int(each[1:]))
        assert [each for each in seen if each in due] == owed


class ManagedSubscriber(Subscriber):
    """The server keeps its position: storing is committing."""

    def __init__(self, universe: Universe, name: str, topic: str) -> None:
        super().__init__(universe, topic)
        self.name = name
        presets = {"defaultReplay": "EARLIEST", "errorRecoveryReplay": "EARLIEST"}
        self.id = str(universe.managed.create(name, {"topicName": topic, **presets})["Id"])

    def open(self) -> Session:
        away = self.universe.clock.now() - self.handed_out_at
        if self.universe.managed.committed(self.id) is None or away > RETENTION:
            self._give_up_the_oldest()
        return managed(self.universe, self.name, self.random.choice((0, 1, 3, 50, 100, 150)))

    def request(self, number: int) -> Any:
        return wire.ManagedFetchRequest(num_requested=number)

    async def store(self, session: Session, response: Any) -> None:
        asked = wire.CommitReplayRequest(commit_request_id="c", replay_id=response.latest_replay_id)
        self.stored += [each.event.id for each in response.events]
        await session.ask(wire.ManagedFetchRequest(commit_replay_id_request=asked))
        while not (response := await session.read()).HasField("commit_response"):
            self.stored += [each.event.id for each in response.events]
        assert not response.commit_response.HasField("error"), response.commit_response.error.msg
        self.handed_out_at = self.universe.clock.now()


async def _sequences(universe: Universe) -> None:
    """Several subscribers of one bus, one session after the other."""
    universe.publish(5)
    topics = [*TOPICS, CHANNEL]
    subscribers = [Subscriber(universe, each) for each in topics]
    subscribers += [ManagedSubscriber(universe, f"Managed{at}", each) for at, each in enumerate(topics)]
    for _ in range(PER_UNIVERSE):
        subscriber = universe.random.choice(subscribers)
        await subscriber.live(subscriber.open())
        if universe.random.random() < 0.01:
            universe.clock.advance(universe.random.choice((timedelta(hours=10), LONG)))
    for subscriber in subscribers:
        await subscriber.drain(subscriber.open())
        subscriber.check()


@pytest.mark.parametrize("seed", range(max(1, SEQUENCES // PER_UNIVERSE)))
def test_every_event_at_least_once_in_order_within_credit(tmp_path: Path, seed: int) -> None:
    play(_sequences, tmp_path, seed)


async def _slow_and_fast(universe: Universe) -> None:
    """Two on one topic: each is given everything, whatever the other does."""
    fast, slow = Subscriber(universe, TOPICS[0]), Subscriber(universe, TOPICS[0])
    first, second = fast.open(), slow.open()
    for _ in range(30):
        universe.publish(20)
        if not first.outstanding:
            await first.ask(fast.request(100))
        await fast.store(first, await first.read())
    await slow.store(second, await second.read())
    await asyncio.gather(fast.drain(first), slow.drain(second))
    fast.check()
    slow.check()


def test_a_slow_subscriber_holds_nobody_up(tmp_path: Path) -> None:
    play(_slow_and_fast, tmp_path, 1)
