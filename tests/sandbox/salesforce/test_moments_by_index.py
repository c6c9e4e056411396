"""What changed since a moment is found by the index of SystemModstamp, and is the same as by looking at everything."""

import operator
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest

from sandbox.salesforce import moments
from sandbox.world import World
from tests.sandbox.salesforce.conftest import Api

COMPARE: dict[str, Callable[[str, str], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}


@pytest.fixture
def week(world: World, carol: str) -> list[str]:
    """A contact made on each of seven days; the moment of each."""
    made = []
    for day in range(7):
        world.clock.advance(timedelta(days=1))
        world.org.create("Contact", {"LastName": f"Day {day}"}, carol)
        made.append(moments.write(world.now()))
    return made


@pytest.fixture
def api(world: World, week: list[str]) -> Api:
    """Signed in when the week is over."""
    return Api(world)


def plan(api: Api, where: str) -> tuple[str, int]:
    soql = quote(f"SELECT Id FROM Contact WHERE {where}")
    first = api("GET", f"query?explain={soql}").json()["plans"][0]
    return first["leadingOperationType"], first["cardinality"]


@pytest.mark.parametrize("sign", COMPARE)
def test_a_comparison_with_a_moment_finds_what_a_look_at_everything_finds(api: Api, week: list[str], sign: str) -> None:
    everything = [row["SystemModstamp"] for row in api.query("SELECT SystemModstamp FROM Contact")]
    for moment in week:
        where = f"SystemModstamp {sign} {moment.replace('+0000', 'Z')}"
        found = [row["SystemModstamp"] for row in api.query(f"SELECT SystemModstamp FROM Contact WHERE {where}")]
        assert sorted(found) == sorted(each for each in everything if COMPARE[sign](each, moment))


def test_a_relative_day_is_found_by_the_index_too(api: Api, world: World, week: list[str]) -> None:
    for word, sign in (("TODAY", "="), ("YESTERDAY", ">="), ("LAST_N_DAYS:3", "="), ("TODAY", "<"), ("TODAY", "<=")):
        where = f"SystemModstamp {sign} {word}"
        by_index = {row["Id"] for row in api.query(f"SELECT Id FROM Contact WHERE {where}")}
        by_scan = {row["Id"] for row in api.query(f"SELECT Id FROM Contact WHERE NOT (NOT ({where}))")}
        assert by_index == by_scan
        assert plan(api, where)[0] == "Index"
        assert plan(api, f"NOT (NOT ({where}))")[0] == "TableScan"


def test_few_changes_are_few_records_to_look_at(api: Api, week: list[str]) -> None:
    assert plan(api, f"SystemModstamp > {week[4].replace('+0000', 'Z')}") == ("Index", 3)
    assert plan(api, f"SystemModstamp >= {week[4].replace('+0000', 'Z')} AND LastName != null") == ("Index", 3)


def test_what_was_deleted_meanwhile_is_found_with_the_rest(api: Api, world: World, carol: str, week: list[str]) -> None:
    contact = api.one(f"SELECT Id FROM Contact WHERE SystemModstamp = {week[6].replace('+0000', 'Z')}")["Id"]
    world.clock.advance(timedelta(minutes=9))
    world.org.delete("Contact", contact, carol)
    soql = quote(f"SELECT Id FROM Contact WHERE SystemModstamp > {week[6].replace('+0000', 'Z')}")
    assert [row["Id"] for row in api("GET", f"queryAll?q={soql}").json()["records"]] == [contact]
    assert api("GET", f"query?q={soql}").json()["records"] == []
