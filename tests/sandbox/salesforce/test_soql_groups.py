"""Aggregate queries: functions, groups, HAVING, the names of columns, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.salesforce.conftest import Api
from tests.sandbox.salesforce.soql_world import opened

DEALS: list[dict[str, Any]] = [
    {"Name": "a", "StageName": "Introduction", "Amount": 0.1, "CloseDate": "2026-01-31", "Type": "New"},
    {"Name": "b", "StageName": "Introduction", "Amount": 0.2, "CloseDate": "2026-02-01", "Type": "New"},
    {"Name": "c", "StageName": "Active", "Amount": 5, "CloseDate": "2026-04-15", "Type": "Old"},
    {"Name": "d", "StageName": "Active", "CloseDate": "2027-12-31"},
]


@pytest.fixture(scope="module")
def deals(tmp_path_factory: pytest.TempPathFactory, key_material: Path) -> Iterator[Api]:
    """Four opportunities: the first three of Maria, the last one of nobody."""
    with opened(tmp_path_factory.mktemp("deals"), key_material) as api:
        maria = api.one("SELECT Id FROM Account WHERE SF_Account_No__c = '104882'")["Id"]
        for row in DEALS[:-1]:
            api.create("Opportunity", AccountId=maria, **row)
        api.create("Opportunity", **DEALS[-1])
        yield api


def rows(api: Api, soql: str) -> list[list[Any]]:
    """The values of each row, whose kind every row names."""
    found = api.query(soql)
    assert all(each["attributes"] == {"type": "AggregateResult"} for each in found)
    return [list(each.values())[1:] for each in found]


YEAR = "CALENDAR_YEAR(CloseDate)"
MONTH = "CALENDAR_MONTH(CloseDate)"
ANSWERS: list[tuple[str, str, list[list[Any]]]] = [
    ("COUNT(Id), COUNT(Amount), COUNT_DISTINCT(StageName)", "", [[4, 3, 2]]),
    ("SUM(Amount), AVG(Amount), MIN(Amount), MAX(Amount)", "", [[5.3, 5.3 / 3, 0.1, 5.0]]),
    ("SUM(Amount)", "WHERE StageName = 'Introduction'", [[0.3]]),
    ("MIN(CloseDate), MAX(Name)", "", [["2026-01-31", "d"]]),
    ("COUNT(Id), SUM(Amount)", "WHERE Name = 'nobody'", [[0, None]]),
    ("StageName, COUNT(Id)", "GROUP BY StageName ORDER BY COUNT(Amount)", [["Active", 2], ["Introduction", 2]]),
    ("StageName", "GROUP BY StageName ORDER BY StageName", [["Introduction"], ["Active"]]),
    (
        "Account.Name, COUNT(Id)",
        "GROUP BY Account.Name ORDER BY Account.Name",
        [[None, 1], ["Santos Maria", 3]],
    ),
    ("Type", "GROUP BY Type ORDER BY Type NULLS LAST", [["New"], ["Old"], [None]]),
    ("Type t, COUNT(Id) n", "GROUP BY Type HAVING COUNT(Id) > 1 ORDER BY n", [["New", 2]]),
    ("Type", "GROUP BY Type HAVING SUM(Amount) < 1 OR Type = null ORDER BY Type", [[None], ["New"]]),
    ("Type", "GROUP BY Type HAVING NOT (Type LIKE 'n%') ORDER BY Type DESC", [[None], ["Old"]]),
    (f"{YEAR}, COUNT(Id)", f"GROUP BY {YEAR} ORDER BY {YEAR}", [[2026, 3], [2027, 1]]),
    (f"{MONTH} m", f"GROUP BY {MONTH} ORDER BY {MONTH} LIMIT 2 OFFSET 1", [[2], [4]]),
    (
        "StageName, Type, MAX(Amount)",
        "GROUP BY StageName, Type ORDER BY MAX(Amount) DESC NULLS LAST",
        [["Active", "Old", 5.0], ["Introduction", "New", 0.2], ["Active", None, None]],
    ),
]


@pytest.mark.parametrize(("select", "rest", "expected"), ANSWERS)
def test_groups(deals: Api, select: str, rest: str, expected: list[list[Any]]) -> None:
    assert rows(deals, f"SELECT {select} FROM Opportunity {rest}") == expected


def test_columns_without_a_name_are_numbered(deals: Api) -> None:
    soql = "SELECT Account.Name, COUNT(Id) n, SUM(Amount), CALENDAR_YEAR(CloseDate) FROM Opportunity"
    (row, *_) = deals.query(f"{soql} GROUP BY Account.Name, CALENDAR_YEAR(CloseDate)")
    assert list(row) == ["attributes", "Name", "n", "expr0", "expr1"]


def test_a_count_is_a_whole_number(deals: Api) -> None:
    row = deals.one("SELECT COUNT(Id) n, MAX(Amount) most FROM Opportunity")
    assert (type(row["n"]), type(row["most"])) == (int, float)


REFUSED = [
    ("SELECT Name, COUNT(Id) FROM Opportunity", "Field must be grouped or aggregated: Name"),
    ("SELECT Name, COUNT(Id) FROM Opportunity GROUP BY StageName", "Field must be grouped or aggregated: Name"),
    ("SELECT COUNT(Id) FROM Opportunity GROUP BY Type HAVING Name = 'x'", "Field must be grouped or aggregated: Name"),
    (
        "SELECT COUNT(Id) FROM Opportunity GROUP BY Type ORDER BY Name",
        "Ordered field must be grouped or aggregated: Name",
    ),
    ("SELECT COUNT(Type) FROM Opportunity GROUP BY Type", "Grouped field should not be aggregated: Type"),
    ("SELECT Type FROM Opportunity GROUP BY Type, Type", "duplicate grouping expression: Type"),
    ("SELECT COUNT(Id) n, SUM(Amount) n FROM Opportunity", "duplicate alias: n"),
    ("SELECT Name, Account.Name FROM Opportunity GROUP BY Name, Account.Name", "duplicate alias: Name"),
    ("SELECT SUM(Name) FROM Opportunity", "field Name does not support aggregate operator SUM"),
    ("SELECT COUNT(IsWon) FROM Opportunity", "field IsWon does not support aggregate operator COUNT"),
    ("SELECT COUNT(Description) FROM Opportunity", "field Description does not support aggregate operator COUNT"),
    ("SELECT Amount FROM Opportunity GROUP BY Amount", "field 'Amount' can not be grouped in a query call"),
    (
        "SELECT CreatedDate FROM Opportunity GROUP BY CreatedDate",
        "field 'CreatedDate' can not be grouped in a query call",
    ),
    ("SELECT COUNT(Id) FROM Opportunity LIMIT 5", "uses overall aggregate functions cannot also use LIMIT"),
    ("SELECT COUNT(Id) FROM Opportunity OFFSET 5", "uses overall aggregate functions cannot also use OFFSET"),
    ("SELECT COUNT(Id) n FROM Opportunity GROUP BY Type HAVING n > 1", "No such column 'n' on entity 'Opportunity'."),
    ("SELECT Type, (SELECT Id FROM Orders) FROM Opportunity GROUP BY Type", "cannot select child relationships"),
]


@pytest.mark.parametrize(("soql", "words"), REFUSED)
def test_refused(deals: Api, soql: str, words: str) -> None:
    error = deals.error("GET", f"query?q={quote(soql)}")
    assert error["errorCode"] == ("INVALID_FIELD" if words.startswith("No such") else "MALFORMED_QUERY")
    assert words in error["message"]


def test_more_groups_than_a_page_holds(api: Api, carol: str) -> None:
    with api.world.org.store.transaction():
        for number in range(2001):
            api.world.org.create("Contact", {"LastName": f"N{number}"}, carol)
    soql = "SELECT LastName FROM Contact WHERE LastName LIKE 'N%' GROUP BY LastName"
    error = api.error("GET", f"query?q={quote(soql)}")
    assert (error["status"], error["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")
    assert error["message"].startswith("Aggregate query does not support queryMore(), use LIMIT")
    assert len(api.query(f"{soql} LIMIT 2000")) == 2000
