"""What the record store's file keeps, and what of it is in memory."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from sandbox.recent import Recent, Row
from sandbox.store import Store, Table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
def towns(path: Path) -> Iterator[Table]:
    """A hundred people, every third from Osaka."""
    with closing(Store(path)) as store:
        table = store.table("person", indexes=["town"])
        for number in range(100):
            table.put(f"p{number}", {"name": f"p{number}", "town": "Tokyo" if number % 3 else "Osaka"})
        yield table


def test_a_number_of_an_undone_transaction_is_not_given_again_after_a_restart(path: Path) -> None:
    with closing(Store(path)) as store, suppress(ZeroDivisionError), store.transaction():
        assert store.next_number("order") == 1
        raise ZeroDivisionError
    with closing(Store(path)) as store:
        assert store.next_number("order") == 2


def test_an_index_that_is_new_finds_the_records_that_were_there_before(towns: Table, path: Path) -> None:
    with closing(Store(path)) as again:
        people = again.table("person", indexes=["name"])
        assert [each["town"] for each in people.find("name", "P3")] == ["Osaka"]
        assert not people.indexed("town")
        people.put("p3", {"name": "p3", "town": "Kobe"})
    with closing(Store(path)) as again:
        people = again.table("person", indexes=["town"])
        assert [each["name"] for each in people.find("town", "kobe")] == ["p3"]
        assert people.count("town", "Osaka") == 33


def test_a_part_is_read_from_either_end(towns: Table) -> None:
    assert [each["name"] for each in towns.part(97, 10)] == ["p97", "p98", "p99"]
    assert [each["name"] for each in towns.part(1, 2, newest_first=True)] == ["p98", "p97"]
    assert towns.part(100, 1) == towns.part(0, 0) == []


def test_a_stretch_of_an_index_comes_in_the_order_of_its_values(towns: Table, path: Path) -> None:
    with closing(Store(path)) as again:
        people = again.table("person", indexes=["name"])
        assert [each["name"] for each in people.between("name", "P7", "p73")] == ["p7", "p70", "p71", "p72"]
        assert people.count_between("name", "P7", "p73") == 4


def test_a_table_can_be_changed_while_it_is_walked(towns: Table) -> None:
    seen = []
    for each in towns.all():
        seen.append(each["name"])
        towns.put(f"new of {each['name']}", {"name": "new"})
        if each["name"] == "p50":
            towns.delete("p80")
            towns.put("p99", {"name": "changed"})
    assert seen == [f"p{number}" for number in range(99) if number != 80] + ["changed"]


def test_a_file_of_the_first_version_is_read_on(path: Path) -> None:
    with closing(sqlite3.connect(path)) as old:
        old.execute(
            "CREATE TABLE records (made INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL,"
            " body TEXT NOT NULL, UNIQUE (kind, key))"
        )
        old.execute("INSERT INTO records VALUES (4, 'person', 'a', ?)", (json.dumps({"town": "神戸"}),))
        old.commit()
    with closing(Store(path)) as store:
        people = store.table("person", indexes=["town"])
        people.put("b", {"town": "神戸"})
        assert people.find("town", "神戸") == [{"town": "神戸"}, {"town": "神戸"}]


def test_memory_holds_the_rows_used_last_and_no_more_than_fit() -> None:
    recent = Recent(most_bytes=100)
    for name in ("a", "b", "c"):
        recent.keep(("person", name), Row(1, {}, 40))
        recent.get(("person", "a"))
    assert [recent.get(("person", name)) is not None for name in ("a", "b", "c")] == [True, False, True]
    recent.keep(("person", "film"), Row(2, {}, 101))
    assert recent.get(("person", "film")) is None
    recent.keep(("person", "a"), Row(1, {}, 60))
    assert recent.get(("person", "c")) is not None
    recent.forget(("person", "a"))
    recent.keep(("person", "d"), Row(1, {}, 60))
    assert recent.get(("person", "c")) is not None
