"""The bus itself: what it keeps, what it forgets, and what it does when it is told to."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.clock import Clock
from sandbox.ledger import Ledger
from sandbox.salesforce.bus import Bus, Draft

A, B = "/event/A__e", "/event/B__e"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db", clock)
    yield opened
    opened.close()


@pytest.fixture
def bus(tmp_path: Path, clock: Clock, ledger: Ledger) -> Iterator[Bus]:
    opened = Bus(tmp_path / "bus.db", clock, ledger, lambda topic, fields: (topic, repr(fields).encode()))
    yield opened
    opened.close()


def drafts(topic: str, count: int, size: int = 1) -> list[Draft]:
    return [Draft(topic, "schema", b"x" * size, f"{topic}{number}") for number in range(count)]


def test_events_of_several_topics_come_in_the_order_of_the_bus(bus: Bus) -> None:
    published = [bus.append_all(drafts(topic, 1))[0] for topic in (A, B, B, A, B)]
    assert bus.next_of((A, B), 0, 10) == published
    assert bus.next_of((A, B), published[1].replay, 2) == published[2:4]
    assert bus.after(A, 0, 10) == [published[0], published[3]]
    assert bus.next_of((), 0, 10) == []


def test_numbers_rise_and_leave_gaps(bus: Bus) -> None:
    numbers = [each.replay for each in bus.append_all(drafts(A, 200))]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > 200
    assert bus.latest() == numbers[-1]


def test_events_that_are_too_large_together_come_one_after_the_other(bus: Bus) -> None:
    bus.append_all(drafts(A, 5, size=400))
    assert [len(bus.next_of((A,), 0, 10, most)) for most in (1000, 399, 400, 2000)] == [2, 1, 1, 5]


def test_what_is_appended_together_is_there_together_or_not_at_all(bus: Bus, ledger: Ledger) -> None:
    bus.append_all(drafts(A, 2))
    before = bus.latest()
    broken = [*drafts(B, 2), Draft(B, "schema", None, "broken")]  # type: ignore[arg-type]
    with pytest.raises(Exception, match="NOT NULL"):
        bus.append_all(broken)
    assert bus.after(B, 0, 10) == []
    assert bus.latest() == before
    assert len(ledger.read("pubsub", "event")) == 2
    assert bus.append_all(drafts(B, 1))[0].replay > before


def test_every_publication_wakes_who_listens_until_he_stops(bus: Bus) -> None:
    heard: list[int] = []

    def wake() -> None:
        heard.append(bus.latest())

    bus.listen(wake)
    bus.append_all(drafts(A, 3))
    bus.publish(B, {"x": 1})
    bus.unlisten(wake)
    bus.publish(B, {"x": 2})
    assert len(heard) == 2


def test_what_is_well_past_retention_is_forgotten_and_the_rest_stays(bus: Bus, clock: Clock) -> None:
    old = bus.append_all(drafts(A, 12_000))
    clock.advance(timedelta(hours=40))
    young = bus.append_all(drafts(A, 10))
    clock.advance(timedelta(hours=32, minutes=30))
    assert bus.purge() == 0  # past retention, but the purge lags behind
    assert bus.earliest(A) == young[0].replay - 1
    clock.advance(timedelta(hours=1))
    purged = [bus.append_all(drafts(B, 1)) and len(bus.after(A, 0, 20_000)) for _ in range(4)]
    assert purged == [7_010, 2_010, 10, 10]
    assert bus.after(A, 0, 20) == young
    assert not bus.resumable(old[-1].replay)
    assert bus.resumable(young[0].replay)


def test_numbers_are_not_given_twice_after_everything_was_forgotten(bus: Bus, clock: Clock) -> None:
    last = bus.append_all(drafts(A, 5))[-1].replay
    clock.advance(timedelta(days=9))
    bus.purge()
    bus.reload()
    assert bus.append_all(drafts(A, 1))[0].replay > last


@pytest.mark.parametrize("start", [None, 1, 5_000])
def test_a_migration_gives_every_event_another_number_in_the_same_order(bus: Bus, start: int | None) -> None:
    before = bus.append_all(drafts(A, 50))
    bus.renumber(start)
    after = bus.after(A, 0, 100)
    assert [each.event_id for each in after] == [each.event_id for each in before]
    assert start is None or after[0].replay == start
    assert bus.latest() == after[-1].replay
    if start is None:
        assert not any(bus.resumable(each.replay) for each in before)
    with pytest.raises(ValueError, match="begin at 1"):
        bus.renumber(0)
    assert bus.append_all(drafts(A, 1))[0].replay > after[-1].replay


def test_the_tip_moves_on_a_quiet_bus_so_that_it_can_be_resumed_from(bus: Bus, clock: Clock) -> None:
    first = bus.tip()
    assert bus.tip() == first
    clock.advance(timedelta(minutes=2))
    second = bus.tip()
    assert second > first
    clock.advance(timedelta(hours=72, minutes=1))
    assert not bus.resumable(second)
    assert bus.resumable(bus.tip())
    assert bus.after(A, 0, 10) == []
