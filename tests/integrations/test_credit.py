"""Credit: ahead of the work, bounded, and never stuck."""

import random

from hypothesis import given
from hypothesis import strategies as st

from integrations.salesforce.credit import HELD, MOST, Credit


def test_credit_is_added_as_soon_as_it_is_worth_a_message() -> None:
    asked: list[int] = []
    credit = Credit(asked.append)
    credit.arrived(10, pending=90)
    assert asked == []
    credit.arrived(20, pending=70)
    assert asked == [30]


def test_a_request_under_way_is_not_repeated() -> None:
    asked: list[int] = []
    credit = Credit(asked.append)
    credit.arrived(50, pending=50)
    credit.arrived(10, pending=40)  # the server had not seen the request for 50 yet
    assert asked == [50]


def test_a_zero_is_no_alarm_while_a_request_is_under_way() -> None:
    asked: list[int] = []
    credit = Credit(asked.append)
    credit.arrived(50, pending=50)
    credit.arrived(50, pending=0)  # the request for 50 arrives there a moment later
    credit.arrived(50, pending=0)
    assert asked == [50, 50]
    credit.released(150)
    assert asked == [50, 50, 50]


def test_a_keep_alive_corrects_the_count() -> None:
    asked: list[int] = []
    credit = Credit(asked.append)
    credit.arrived(0, pending=0)
    assert asked == [100]


def test_nothing_is_asked_for_after_the_stop() -> None:
    asked: list[int] = []
    credit = Credit(asked.append)
    credit.stop()
    credit.arrived(100, pending=0)
    assert asked == []


@given(st.integers(min_value=0, max_value=2**32), st.integers(min_value=1, max_value=100))
def test_with_any_server_all_events_come_and_what_is_held_stays_bounded(seed: int, largest: int) -> None:
    """A model of the server: requests take effect late, responses have any size."""
    dice = random.Random(seed)
    under_way: list[int] = []
    credit = Credit(under_way.append)
    server, backlog, held = MOST, 1000, 0
    for _ in range(20_000):
        if not backlog and not held:
            break
        move = dice.choice(["request", "respond", "store"])
        if move == "request" and under_way:
            server = min(MOST, server + under_way.pop(0))
        elif move == "respond" and server and backlog:
            size = min(server, backlog, dice.randint(1, largest))
            server, backlog, held = server - size, backlog - size, held + size
            credit.arrived(size, server)
        elif move == "store" and held:
            size = dice.randint(1, min(held, largest))
            held -= size
            credit.released(size)
        assert held <= HELD
    assert backlog == held == 0
