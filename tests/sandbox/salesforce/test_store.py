"""The record store under every simulated system, and the ledger beside it."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox.clock import Clock
from sandbox.ledger import Ledger
from sandbox.store import Duplicate, Store, Table


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "records.db")
    yield opened
    opened.close()


@pytest.fixture
def people(store: Store) -> Table:
    return store.table("person", indexes=["town"], unique=["email"])


def test_an_index_follows_every_change(people: Table) -> None:
    people.put("1", {"town": "Tokyo", "email": "a@x"})
    people.put("2", {"town": "tokyo", "email": "b@x"})
    assert [each["email"] for each in people.find("town", "TOKYO")] == ["a@x", "b@x"]
    people.put("1", {"town": "Osaka", "email": "a@x"})
    assert [each["email"] for each in people.find("town", "tokyo")] == ["b@x"]
    people.delete("2")
    assert people.find("town", "tokyo") == []


def test_a_unique_field_refuses_and_changes_nothing(people: Table) -> None:
    people.put("1", {"email": "a@x"})
    with pytest.raises(Duplicate) as refused:
        people.put("2", {"email": "A@X"})
    assert refused.value.holder == "1"
    assert people.get("2") is None
    people.put("3", {"email": None})
    people.put("4", {"email": None})
    assert len(people) == 3


def test_an_exception_undoes_only_the_level_it_leaves(store: Store, people: Table) -> None:
    with store.transaction():
        people.put("1", {"town": "Tokyo"})
        with suppress(ZeroDivisionError), store.transaction():
            people.put("1", {"town": "Osaka"})
            people.put("2", {"town": "Osaka"})
            raise ZeroDivisionError
        people.put("3", {"town": "Tokyo"})
    assert [each["town"] for each in people.all()] == ["Tokyo", "Tokyo"]
    assert people.find("town", "osaka") == []


def test_what_waits_for_commit_is_forgotten_with_its_level(store: Store) -> None:
    done: list[str] = []
    with store.transaction():
        store.on_commit(lambda: done.append("kept"))
        with suppress(ZeroDivisionError), store.transaction():
            store.on_commit(lambda: done.append("undone"))
            raise ZeroDivisionError
        assert done == []
    assert done == ["kept"]
    store.on_commit(lambda: done.append("at once"))
    assert done == ["kept", "at once"]


def test_a_reopened_store_has_what_was_committed_in_the_same_order(tmp_path: Path) -> None:
    first = Store(tmp_path / "again.db")
    table = first.table("thing", indexes=["kind"])
    for key in ("b", "a", "c"):
        table.put(key, {"key": key, "kind": "x"})
    table.put("b", {"key": "b", "kind": "y"})
    table.delete("c")
    with suppress(ZeroDivisionError), first.transaction():
        table.put("lost", {"key": "lost"})
        raise ZeroDivisionError
    assert first.next_number("orders", start=100) == 100
    first.close()
    second = Store(tmp_path / "again.db")
    table = second.table("thing", indexes=["kind"])
    assert [each["key"] for each in table.all()] == ["b", "a"]
    assert [each["key"] for each in table.find("kind", "y")] == ["b"]
    assert second.next_number("orders", start=100) == 101
    second.close()


def test_the_ledger_can_only_grow(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db", Clock())
    ledger.write("whmcs", "AddOrder", key="7", correlation_id="c-1", detail={"pid": [101]})
    ledger.write("salesforce", "query")
    (entry,) = ledger.read("whmcs")
    assert (entry.operation, entry.key, entry.correlation_id, entry.detail) == ("AddOrder", "7", "c-1", {"pid": [101]})
    assert [each.operation for each in ledger.read(after=entry.number)] == ["query"]
    direct = sqlite3.connect(tmp_path / "ledger.db")
    for statement in ("UPDATE entries SET key = '8'", "DELETE FROM entries"):
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            direct.execute(statement)
    direct.close()
    ledger.close()
