"""Generated rows and generated queries: the engine finds what a plain filter over the same rows finds."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.salesforce.soql.grouping import GroupSelection
from sandbox.salesforce.soql.select import select
from sandbox.salesforce.soql.selection import CountSelection, RowSelection
from sandbox.salesforce.soql.source import Living
from sandbox.world import World
from tests.sandbox.salesforce import soql_oracle as oracle
from tests.sandbox.salesforce.conftest import Api
from tests.sandbox.salesforce.soql_oracle import Oracle
from tests.sandbox.salesforce.soql_world import opened

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
GIVEN = ["Name", "Type", "Amount", "CloseDate", "ScheduledCancellationDateAndTime__c"]
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory, key_material: Path) -> Iterator[Api]:
    with opened(tmp_path_factory.mktemp("org"), key_material) as api:
        api.world.clock.advance(NOW - api.world.clock.now())
        yield api


def nullable(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.none()


class Undo(Exception):
    """Ends a transaction without its changes."""


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Accounts, of which each may be below an earlier one, and opportunities of these accounts or of none."""
    accounts = draw(st.lists(st.tuples(oracle.texts, nullable(oracle.texts)), min_size=1, max_size=3))
    parents = [draw(st.integers(-1, at - 1)) for at in range(len(accounts))]
    opportunity = st.fixed_dictionaries(
        {
            "Name": oracle.texts,
            "Type": nullable(st.sampled_from(["New", "Old", "Other"]) | oracle.texts),
            "Amount": nullable(st.sampled_from([-1.5, 0.0, 0.1, 0.2, 2.0, 10.0])),
            "CloseDate": oracle.days.map(date.isoformat),
            "ScheduledCancellationDateAndTime__c": nullable(oracle.moments.map(oracle.written)),
            "SystemModstamp": oracle.moments.map(oracle.written),
            "referred": st.booleans(),
            "IsWon": st.booleans(),
            "account": st.integers(-1, len(accounts) - 1),
        }
    )
    rows = [
        {"Name": name, "Phone": phone, "parent": parent}
        for (name, phone), parent in zip(accounts, parents, strict=True)
    ]
    return rows, draw(st.lists(opportunity, max_size=12))


@contextmanager
def filled(world: World, data: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> Iterator[list[str]]:
    """The org with these rows, for as long as the block runs; gives the ids of the accounts."""
    org, carol = world.org, world.org.user_named("carol.suzuki@sonixnet.example")
    accounts, opportunities = data
    try:
        with org.store.transaction():
            ids: list[str] = []
            for each in accounts:
                parent = ids[each["parent"]] if each["parent"] >= 0 else None
                fields = {"Name": each["Name"], "Phone": each["Phone"], "ParentId": parent}
                ids.append(org.insert(org.schema["Account"], fields, carol))
            for number, each in enumerate(opportunities):
                fields = {name: each[name] for name in GIVEN} | {
                    "AccountId": ids[each["account"]] if each["account"] >= 0 else None,
                    "StageName": "Active" if each["IsWon"] else "Void",
                    "Portal_Ref__c": f"Ref {number}" if each["referred"] else None,
                }
                made = org.insert(org.schema["Opportunity"], fields, carol)
                row = {**org.existing("Opportunity", made), "SystemModstamp": each["SystemModstamp"]}
                org.table("Opportunity").put(made, row)
            yield ids
            raise Undo
    except Undo:
        return


def picks(api: Api) -> list[str]:
    field = api.world.org.schema["Opportunity"].field("Type")
    assert field is not None
    return list(field.values) or ["New", "Old"]


def plain(api: Api) -> tuple[Oracle, list[Any]]:
    org = api.world.org
    field = org.schema["Opportunity"].field("Type")
    assert field is not None
    judge = Oracle(lambda kind, record_id: org.get(kind, record_id), list(field.values), api.world.clock.now())
    return judge, sorted(org.table("Opportunity").all(), key=lambda row: str(row["Id"]))


def present(judge: Oracle, rows: list[Any], ids: list[str]) -> dict[str, list[Any]]:
    """What there is to compare each field with."""
    values = {field: {judge.value(row, field) for row in rows} - {None} for field in oracle.KINDS}
    return {field: ids if oracle.KINDS[field] == "id" else sorted(found) for field, found in values.items()}


def ordering(order: list[tuple[str, bool, bool]]) -> str:
    terms = [
        f"{field} {'DESC' if descending else 'ASC'} NULLS {'FIRST' if nulls_first else 'LAST'}"
        for field, descending, nulls_first in order
    ]
    return f" ORDER BY {', '.join(terms)}" if terms else ""


def cut(limit: int | None, offset: int) -> str:
    return ("" if limit is None else f" LIMIT {limit}") + (f" OFFSET {offset}" if offset else "")


@QUICK
@given(st.data())
def test_rows(org: Api, data: st.DataObject) -> None:
    with filled(org.world, data.draw(worlds())) as ids:
        judge, rows = plain(org)
        condition = data.draw(oracle.conditions(present(judge, rows, ids), picks(org)))
        order = data.draw(oracle.orders)
        limit, offset = data.draw(st.none() | st.integers(0, 8)), data.draw(st.sampled_from([0, 0, 1, 3]))
        source = Living(org.world.org, "005")
        text = f"FROM Opportunity WHERE {oracle.soql(condition)}"
        found = judge.sorted([row for row in rows if judge.holds(row, condition)], order)
        expected = [row["Id"] for row in found][offset : None if limit is None else offset + limit]
        selected = select(source, f"SELECT Id {text}{ordering(order)}{cut(limit, offset)}")
        assert isinstance(selected, RowSelection)
        assert selected.ids() == expected
        counted = select(source, f"SELECT COUNT() {text}{cut(limit, offset)}")
        assert isinstance(counted, CountSelection)
        assert counted.count() == len(expected)


@QUICK
@given(st.data())
def test_groups(org: Api, data: st.DataObject) -> None:
    with filled(org.world, data.draw(worlds())) as ids:
        judge, rows = plain(org)
        condition = data.draw(oracle.conditions(present(judge, rows, ids), picks(org), 1))
        names = data.draw(st.lists(st.sampled_from(oracle.GROUPABLE), min_size=1, max_size=2, unique=True))
        least = data.draw(st.integers(0, 3))
        groups: dict[tuple[Any, ...], list[Any]] = {}
        for row in rows:
            if judge.holds(row, condition):
                groups.setdefault(tuple(judge.value(row, name) for name in names), []).append(row)
        expected = [
            (*key, len(members), *amounts([row["Amount"] for row in members]))
            for key, members in groups.items()
            if len(members) > least
        ]
        columns = ", ".join(f"{name} g{at}" for at, name in enumerate(names))
        selected = select(
            Living(org.world.org, "005"),
            f"SELECT {columns}, COUNT(Id), SUM(Amount), MIN(Amount), MAX(Amount), COUNT_DISTINCT(Amount)"
            f" FROM Opportunity WHERE {oracle.soql(condition)} GROUP BY {', '.join(names)} HAVING COUNT(Id) > {least}",
        )
        assert isinstance(selected, GroupSelection)
        found = [tuple(row.values()) for row in selected.rows()]
        assert sorted(found, key=repr) == sorted(expected, key=repr)


def amounts(values: list[float | None]) -> tuple[float | None, float | None, float | None, int]:
    there = [value for value in values if value is not None]
    if not there:
        return None, None, None, 0
    return round(sum(there), 10), min(there), max(there), len(set(there))
