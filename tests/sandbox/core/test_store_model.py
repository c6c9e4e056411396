"""The record store against plain dicts: whatever is put, deleted, undone or reopened, both hold the same."""

import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sandbox.store import Duplicate, Record, Store, Table, fold

KEYS = st.sampled_from(["a", "B", "b", "鍵", "\ud800"])
TOWNS = st.sampled_from([None, "Tokyo", "TOKYO", "東京", "straße", "STRASSE", "\udc80", 7, 7.0, 2**70, True, ""])
EMAILS = st.sampled_from([None, "a@x", "A@X", "b@x", "c@x"])
RECORDS = st.fixed_dictionaries(
    {"town": TOWNS, "email": EMAILS}, optional={"more": st.lists(st.integers() | st.text(), max_size=3)}
)

Model = dict[str, Record]


class Undone(Exception):
    """What goes wrong inside of a transaction."""


class StoreMachine(RuleBasedStateMachine):
    """`levels` is what the table must hold: at the outermost level first, then as each open transaction sees it."""

    @initialize()
    def open(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="store-model-")
        self.levels: list[Model] = [{}]
        self.transactions: list[AbstractContextManager[None]] = []
        self.numbers = 0
        self._open()

    def _open(self) -> None:
        self.store = Store(Path(self._folder.name) / "records.db")
        self.table: Table = self.store.table("person", indexes=["town"], unique=["email"])
        self.other = self.store.table("other", indexes=["town"])

    @rule(key=KEYS, record=RECORDS)
    def put(self, key: str, record: Record) -> None:
        model = self.levels[-1]
        holders = [name for name, each in model.items() if name != key and _same(each["email"], record["email"])]
        if holders:
            with pytest.raises(Duplicate):
                self.table.put(key, record)
        else:
            self.table.put(key, record)
            model[key] = record

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        self.table.delete(key)
        self.levels[-1].pop(key, None)

    @rule(key=KEYS, record=RECORDS)
    def put_elsewhere(self, key: str, record: Record) -> None:
        """Records of another kind are none of this table's."""
        self.other.put(key, record)

    @precondition(lambda self: len(self.transactions) < 4)
    @rule()
    def begin(self) -> None:
        transaction = self.store.transaction()
        transaction.__enter__()
        self.transactions.append(transaction)
        self.levels.append(dict(self.levels[-1]))

    @precondition(lambda self: self.transactions)
    @rule()
    def commit(self) -> None:
        self.transactions.pop().__exit__(None, None, None)
        self.levels[-2:] = [self.levels[-1]]

    @precondition(lambda self: self.transactions)
    @rule()
    def undo(self) -> None:
        wrong = Undone()
        assert not self.transactions.pop().__exit__(Undone, wrong, None)
        self.levels.pop()

    @rule()
    def count_on(self) -> None:
        """A number is never given twice, not even after what it was for was undone."""
        self.numbers += 1
        assert self.store.next_number("series") == self.numbers

    @precondition(lambda self: not self.transactions)
    @rule()
    def reopen(self) -> None:
        self.store.close()
        self._open()

    @invariant()
    def holds_the_same(self) -> None:
        model = self.levels[-1]
        records = list(model.values())
        assert list(self.table.all()) == records
        assert list(self.table.all(newest_first=True)) == records[::-1]
        assert len(self.table) == len(records)
        assert {key: self.table.get(key) for key in ("a", "B", "b", "鍵", "\ud800")} == {
            key: model.get(key) for key in ("a", "B", "b", "鍵", "\ud800")
        }

    @invariant()
    def finds_the_same(self) -> None:
        for value in ("tokyo", "東京", "strasse", "\udc80", 7, 2**70, 1, "", None):
            expected = [each for each in self.levels[-1].values() if _same(each["town"], value)]
            assert self.table.find("town", value) == expected
            assert self.table.count("town", value) == len(expected)

    def teardown(self) -> None:
        while self.transactions:
            self.undo()
        self.store.close()
        self._folder.cleanup()


def _same(left: Any, right: Any) -> bool:
    """As an index compares: without regard to case, and nothing equals None."""
    return left is not None and right is not None and bool(fold(left) == fold(right))


StoreMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestStoreAgainstDicts = StoreMachine.TestCase
