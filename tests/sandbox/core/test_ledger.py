"""The ledger over its API: narrowed, counted, read page by page, and without reading all of it."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.clock import Clock
from sandbox.ledger import Ledger, Wanted
from sandbox.world import World
from tests.sandbox.core.conftest import Control

MARK = "801000000000001AAA"


@pytest.fixture
def filled(world: World) -> World:
    """Ten orders at WHMCS a minute apart, each accepted under its own correlation id, and one e-mail."""
    for number in range(10):
        for operation in ("AddOrder", "AcceptOrder"):
            detail = {"mark": MARK if number == 3 else f"801-{number}"}
            world.ledger.write("whmcs", operation, key=str(number), correlation_id=f"c-{number}", detail=detail)
        world.clock.advance(timedelta(minutes=1))
    world.ledger.write("mail", "message.accept", key=MARK, detail={"to": ["愛子@example.jp"]})
    return world


def numbers(control: Control, **query: object) -> list[int]:
    answer = control.get("/control/ledger", **query)
    assert answer.status == 200, answer.text
    return [row["number"] for row in answer.json()["rows"]]


def test_rows_are_narrowed_by_what_they_are_about(filled: World, control: Control) -> None:
    assert numbers(control, system="whmcs", operation="AddOrder") == list(range(1, 20, 2))
    assert numbers(control, key="4") == [9, 10]
    assert numbers(control, key=MARK) == [21]
    assert numbers(control, correlation_id="c-0", operation="AcceptOrder") == [2]
    assert numbers(control, system="mail", key="4") == []
    assert numbers(control, after=18) == [19, 20, 21]
    assert numbers(control, before=3) == [1, 2]
    assert numbers(control, word="MESSAGE.acc") == [21]
    assert numbers(control, word="愛子") == [21]
    assert numbers(control, system="") == list(range(1, 22))


def test_rows_are_narrowed_by_the_time_they_were_written(filled: World, control: Control) -> None:
    first = next(filled.ledger.select(Wanted(after=4), limit=1)).at
    third = first + timedelta(minutes=2)
    assert numbers(control, since=first.isoformat(), until=third.isoformat()) == [5, 6, 7, 8]
    assert numbers(control, until=first.isoformat().replace("+00:00", "Z"), operation="AddOrder") == [1, 3]


def test_following_next_reads_everything_once(filled: World, control: Control) -> None:
    for order, expected in (("oldest", range(1, 22)), ("newest", range(21, 0, -1))):
        seen, page = [], control.get(f"/control/ledger?limit=5&order={order}").json()
        while page["next"]:
            assert len(page["rows"]) == 5
            seen += page["rows"]
            page = control.get(page["next"]).json()
        assert [row["number"] for row in [*seen, *page["rows"]]] == list(expected)


def test_rows_are_counted_by_system_and_operation(filled: World, control: Control) -> None:
    assert control.get("/control/ledger/count").json() == {
        "count": 21,
        "operations": {"mail": {"message.accept": 1}, "whmcs": {"AcceptOrder": 10, "AddOrder": 10}},
    }
    narrowed = control.get("/control/ledger/count?correlation_id=c-7").json()
    assert narrowed == {"count": 2, "operations": {"whmcs": {"AcceptOrder": 1, "AddOrder": 1}}}


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=-1",
        f"after={2**63}",
        "limit=0",
        "limit=1001",
        "order=up",
        "since=yesterday",
        "since=2026-11-21T00:00:00",
        "sytem=whmcs",
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(control: Control, query: str) -> None:
    answer = control.get(f"/control/ledger?{query}")
    assert answer.status == 400
    assert answer.json()["error"].startswith(query.partition("=")[0] + ": ")


def test_everything_about_an_order_is_found_by_its_id_its_mark_and_its_correlation_id(filled: World) -> None:
    assert [each.number for each in filled.ledger.about(MARK, "c-9", limit=10)] == [21, 20, 19, 8, 7]
    assert [each.number for each in filled.ledger.about(MARK, None, limit=2)] == [21, 8]
    assert filled.ledger.systems() == ["mail", "whmcs"]


def test_no_question_about_a_record_walks_through_the_whole_ledger(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.db", Clock()).close()
    database = sqlite3.connect(tmp_path / "ledger.db")
    for wanted in (Wanted(key="1"), Wanted(correlation_id="c"), Wanted("whmcs"), Wanted("whmcs", "AddOrder", after=7)):
        where, values = wanted.where()
        statement = f"EXPLAIN QUERY PLAN SELECT * FROM entries WHERE {where} ORDER BY number"
        plan = [row[-1] for row in database.execute(statement, values)]
        assert len(plan) == 1, plan
        assert plan[0].startswith("SEARCH entries USING INDEX"), plan
    database.close()


def test_text_that_is_not_quite_unicode_is_written_all_the_same(world: World) -> None:
    world.ledger.write("salesforce", "composite", key="\ud800", detail={"name": "\udfff", "size": float("nan")})
    (entry,) = world.ledger.read("salesforce", "composite")
    assert (entry.key, entry.detail["name"]) == ("\\ud800", "\udfff")
