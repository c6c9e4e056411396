"""Which calls a rule strikes: counts, skips, seeds, matches, restarts."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clock import Clock
from sandbox.faults.book import Faults, RuleRefused
from sandbox.faults.kinds import KINDS
from sandbox.faults.kinds.base import SYSTEMS
from sandbox.faults.kinds.http import Drop, Hold, Html, Latency
from sandbox.faults.kinds.whmcs import ActionError
from sandbox.faults.rules import Offer, Rule, Spec
from sandbox.ledger import Ledger
from sandbox.store import Store

ADD_ORDER = Offer("whmcs", "AddOrder", frozenset({"5", "clientid=5"}), "corr-1", "clientid=5\npid[0]=101")


class Book:
    """Faults on a folder, which can be closed and opened again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.open()

    def open(self) -> None:
        self.store = Store(self.folder / "faults.db")
        self.ledger = Ledger(self.folder / "ledger.db", self.clock)
        self.faults = Faults(self.store, self.clock, self.ledger)

    def close(self) -> None:
        self.store.close()
        self.ledger.close()

    def rule(self, **spec: Any) -> Rule:
        return self.faults.create(Spec(**{"system": "whmcs", "kind": "drop", "operation": "AddOrder", **spec}))

    def struck(self, times: int, offer: Offer = ADD_ORDER) -> list[bool]:
        return [self.faults.take(offer, Drop) is not None for _ in range(times)]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = Book(tmp_path)
    yield made
    made.close()


YES, NO = True, False


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, [YES, NO, NO]),
        ({"when": "once"}, [YES, NO, NO]),
        ({"when": "times", "times": 2}, [YES, YES, NO, NO]),
        ({"when": "always"}, [YES] * 5),
        ({"skip": 2}, [NO, NO, YES, NO]),
        ({"when": "times", "times": 2, "skip": 1}, [NO, YES, YES, NO]),
        ({"nth": 3}, [NO, NO, YES, NO, NO]),
        ({"when": "probability", "probability": 1}, [YES] * 4),
    ],
)
def test_a_rule_strikes_the_calls_it_says(book: Book, spec: dict[str, Any], expected: list[bool]) -> None:
    rule = book.rule(**spec)
    assert book.struck(len(expected)) == expected
    assert rule.acted == expected.count(YES)


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({"key": "5"}, YES),
        ({"key": "clientid=5"}, YES),
        ({"key": "55"}, NO),
        ({"correlation_id": "corr-1"}, YES),
        ({"correlation_id": "corr"}, NO),
        ({"contains": "pid[0]=101"}, YES),
        ({"contains": "pid[0]=102"}, NO),
        ({"part": "sobjects.create"}, NO),
        ({"key": "5", "contains": "pid[1]"}, NO),
    ],
)
def test_a_rule_is_for_the_calls_that_match_in_everything(book: Book, match: dict[str, str], fits: bool) -> None:
    rule = book.rule(match=match)
    assert book.struck(1) == [fits]
    assert (rule.offered, rule.acted) == (int(fits), int(fits))


def test_both_forms_of_a_salesforce_id_are_the_same_record(book: Book) -> None:
    book.rule(system="salesforce", operation="*", match={"key": "801000000000001"})
    offer = Offer("salesforce", "sobjects.update Order", frozenset({"801000000000001AAA"}))
    assert book.struck(1, offer) == [YES]


def test_a_part_of_a_composite_is_found_by_its_operation_or_its_reference(book: Book) -> None:
    offer = Offer("salesforce", "composite", parts=("sobjects.create Order order", "sobjects.create Case case"))
    for part in ("create Order", "case"):
        book.rule(system="salesforce", operation="composite", match={"part": part})
    assert book.struck(3, offer) == [YES, YES, NO]


def test_other_systems_and_operations_are_left_alone(book: Book) -> None:
    rule = book.rule(when="always", operation="Add*")
    for system, operation in (("salesforce", "AddOrder"), ("whmcs", "AcceptOrder"), ("whmcs", "addorder")):
        assert book.struck(1, Offer(system, operation)) == [NO]
    assert book.struck(1, Offer("whmcs", "AddClient")) == [YES]
    assert rule.offered == 1


def test_rules_are_asked_in_their_order_and_the_first_that_strikes_ends_it(book: Book) -> None:
    first, second = book.rule(nth=2), book.rule(when="always")
    assert book.struck(3) == [YES, YES, YES]
    assert (first.offered, first.acted) == (2, 1)
    assert (second.offered, second.acted) == (2, 2)


def test_only_the_kinds_that_are_asked_for_are_offered_the_call(book: Book) -> None:
    html, drop = book.rule(kind="html"), book.rule()
    assert book.faults.take(ADD_ORDER, ActionError, Latency) is None
    struck = book.faults.take(ADD_ORDER, Html, Drop)
    assert struck is not None
    assert (struck.rule_id, html.acted, drop.offered) == (html.id, 1, 0)


def test_a_used_up_rule_costs_nothing_any_more(book: Book) -> None:
    book.rule()
    assert book.faults.concern("whmcs")
    book.struck(1)
    assert not book.faults.concern("whmcs")


def test_a_rule_expires_by_the_sandboxs_clock(book: Book) -> None:
    rule = book.rule(when="always", expires_s=60)
    assert book.struck(1) == [YES]
    book.clock.advance(timedelta(seconds=61))
    assert book.struck(1) == [NO]
    assert rule.state(book.clock.now()) == "expired"
    assert not book.faults.concern("whmcs")


def test_a_restart_goes_on_where_it_stopped(book: Book) -> None:
    rule = book.rule(when="times", times=2, skip=1)
    assert book.struck(2) == [NO, YES]
    book.close()
    book.open()
    (again,) = book.faults.all()
    assert (again.id, again.offered, again.acted, again.made_at) == (rule.id, 2, 1, rule.made_at)
    assert book.struck(2) == [YES, NO]
    assert book.rule().id != rule.id


def test_calls_that_were_let_pass_are_remembered_too(book: Book) -> None:
    book.rule(skip=2)
    assert book.struck(2) == [NO, NO]
    book.close()
    book.open()
    assert book.struck(2) == [YES, NO]


def test_a_rule_that_nobody_understands_is_left_out_and_said_so(book: Book) -> None:
    good, odd = book.rule(), book.rule()
    record = odd.record()
    book.store.table("fault rule").put(odd.id, {**record, "spec": {**record["spec"], "kind": "gremlins"}})
    book.close()
    book.open()
    assert [each.id for each in book.faults.all()] == [good.id]
    (line,) = book.ledger.read("faults", "rule.unreadable")
    assert line.key == odd.id


seeds = st.integers(0, 2**53)
shares = st.floats(0.01, 1)


def decisions(calls: int, *, restart_after: int | None = None, **spec: Any) -> list[bool]:
    """What a rule decides about so many calls, perhaps written down and read again in between."""
    asked = Spec(system="whmcs", kind="drop", when="probability", **spec)
    rule = Rule("f1", asked, Drop(), "probability", Clock.wall())
    found: list[bool] = []
    for number in range(calls):
        if number == restart_after:
            rule = Rule.from_record(json.loads(json.dumps(rule.record())))
        found.append(rule.decide())
    return found


@given(seed=seeds, probability=shares, calls=st.integers(1, 60), data=st.data())
def test_the_same_seed_and_the_same_calls_give_the_same_decisions(
    seed: int, probability: float, calls: int, data: st.DataObject
) -> None:
    first = decisions(calls, seed=seed, probability=probability)
    restart_after = data.draw(st.integers(0, calls))
    assert decisions(calls, seed=seed, probability=probability, restart_after=restart_after) == first
    assert decisions(calls + 9, seed=seed, probability=probability)[:calls] == first


@given(seed=seeds, skip=st.integers(0, 20))
def test_calls_let_pass_take_no_part_in_the_draw(seed: int, skip: int) -> None:
    drawn = decisions(30, seed=seed, probability=0.5)
    assert decisions(30 + skip, seed=seed, probability=0.5, skip=skip) == [False] * skip + drawn


def test_chance_goes_on_after_a_restart_where_it_stopped(book: Book) -> None:
    book.rule(when="probability", probability=0.5, seed=7)
    found = book.struck(10)
    book.close()
    book.open()
    assert found + book.struck(10) == decisions(20, seed=7, probability=0.5, operation="AddOrder")


def test_the_probability_is_the_share_that_is_struck(book: Book) -> None:
    for seed in range(3):
        rule = book.rule(when="probability", probability=0.3, seed=seed)
        drawn = sum(rule.decide() for _ in range(3000))
        assert 780 < drawn < 1020
    first, second = (book.rule(when="probability", probability=0.5, seed=seed) for seed in (1, 2))
    assert [first.decide() for _ in range(64)] != [second.decide() for _ in range(64)]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"kind": "gremlins"}, "There is no kind gremlins"),
        ({"system": "sap"}, "There is no system sap"),
        ({"kind": "row_lock"}, "row_lock does not exist in whmcs, only in salesforce"),
        ({"parameters": {"at": "later"}}, "at: Input should be 'before' or 'after'"),
        ({"parameters": {"att": "after"}}, "att: Extra inputs are not permitted"),
        ({"kind": "redirect"}, "location: Field required"),
        ({"kind": "redirect", "parameters": {"location": "a\r\nb: c"}}, "location: String should match"),
        ({"when": "now"}, "drop cannot strike with when: now"),
        ({"kind": "port_closed", "operation": "", "when": "once"}, "port_closed cannot strike with when: once"),
        ({"kind": "port_closed", "operation": "", "skip": 3}, "port_closed waits for no call"),
        ({"kind": "port_closed", "operation": "", "match": {"key": "5"}}, "port_closed waits for no call"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_a_sentence(book: Book, spec: dict[str, Any], words: str) -> None:
    with pytest.raises(RuleRefused, match=words):
        book.rule(**spec)
    assert book.faults.all() == []
    assert book.ledger.read("faults") == []


@pytest.mark.parametrize(
    "spec",
    [
        {"when": "times"},
        {"times": 3},
        {"when": "probability"},
        {"probability": 0.5},
        {"when": "probability", "probability": 1.5},
        {"nth": 2, "skip": 1},
        {"nth": 2, "when": "always"},
        {"when": "sometimes"},
        {"often": True},
    ],
)
def test_words_that_do_not_go_together_are_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Spec(system="whmcs", kind="drop", **spec)


def test_every_act_and_every_change_of_the_rules_is_in_the_ledger(book: Book) -> None:
    rule = book.rule(parameters={"at": "before"})
    book.struck(2)
    book.faults.remove([rule])
    lines = book.ledger.read("faults")
    assert [(each.operation, each.key, each.correlation_id) for each in lines] == [
        ("rule.make", rule.id, ""),
        ("drop", rule.id, "corr-1"),
        ("rule.remove", rule.id, ""),
    ]
    assert lines[1].detail == {
        "rule": rule.id,
        "system": "whmcs",
        "operation": "AddOrder",
        "at": "before",
        "how": "close",
    }


def test_a_removed_rule_lets_go_what_it_held(book: Book) -> None:
    rule = book.rule(kind="hold")

    async def scene() -> list[Offer]:
        struck = book.faults.take(ADD_ORDER, Hold)
        assert struck is not None
        held = asyncio.create_task(book.faults.holds.hold(struck.rule_id, ADD_ORDER))
        await asyncio.sleep(0)
        found = book.faults.holds.held(rule.id)
        book.faults.remove([rule])
        await asyncio.wait_for(held, 5)
        return found

    assert asyncio.run(scene()) == [ADD_ORDER]
    assert book.faults.holds.held(rule.id) == []


def test_a_state_put_in_place_of_this_one_lets_go_too(book: Book) -> None:
    rule = book.rule(kind="hold")

    async def scene() -> None:
        held = asyncio.create_task(book.faults.holds.hold(rule.id, ADD_ORDER))
        await asyncio.sleep(0)
        book.store.table("fault rule").delete(rule.id)
        book.faults.reload()
        await asyncio.wait_for(held, 5)

    asyncio.run(scene())
    assert not book.faults.concern("whmcs")


def test_whoever_follows_the_rules_is_told_of_each_change(book: Book) -> None:
    seen: list[int] = []
    book.faults.watch(lambda: seen.append(len(book.faults.all())))
    rule = book.rule()
    book.rule()
    book.faults.remove([rule])
    book.faults.reload()
    assert seen == [1, 2, 1, 1]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_explains_itself_and_exists_somewhere(kind: Any) -> None:
    assert kind.__doc__.strip().endswith(".")
    assert kind.title
    assert set(kind.systems) <= set(SYSTEMS)
    assert kind.operations
    assert kind.strikes
    assert all(field.description for field in kind.model_fields.values())
