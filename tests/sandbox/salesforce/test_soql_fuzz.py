"""Whatever is asked in SOQL, the answer is rows or one of the platform's refusals, and it comes soon."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.soql.select import select
from sandbox.salesforce.soql.source import Living
from tests.sandbox.salesforce.conftest import Api, place
from tests.sandbox.salesforce.soql_world import opened

CODES = {
    "MALFORMED_QUERY", "INVALID_FIELD", "INVALID_TYPE", "INVALID_QUERY_FILTER_OPERATOR", "NUMBER_OUTSIDE_VALID_RANGE",
    "QUERY_TOO_COMPLICATED", "INVALID_QUERY_SCOPE",
}  # fmt: skip
VOCABULARY = """
SELECT FROM WHERE AND OR NOT IN LIKE GROUP BY HAVING ORDER BY LIMIT OFFSET ASC DESC NULLS FIRST LAST FOR VIEW UPDATE ALL
ROWS WITH USING SCOPE mine TYPEOF WHEN THEN ELSE END INCLUDES EXCLUDES Id Name Account Order Contacts OrderItems Owner
Owner.Name Account.Name Status CreatedDate EffectiveDate TotalAmount Description BillingAddress LinkedEntity
ContentDocumentLink Nope__c Nope__r COUNT() COUNT(Id) SUM(TotalAmount) MAX( CALENDAR_YEAR( convertTimezone( toLabel(
FIELDS(ALL) FIELDS(STANDARD) DAY_ONLY( TODAY LAST_N_DAYS:3 THIS_FISCAL_YEAR null true ( ) , . : = != <> < > <= >= 'a'
'a%' '\\\\' '' ' " ; * 5 -1 2001 1.5 2026-01-01 2026-01-01T00:00:00Z 9999-99-99 '8015j0000000001AAA' '001' :bind --
"""
WORDS = VOCABULARY.split()

soup = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
select_lists = st.lists(
    st.sampled_from(
        [
            "Id",
            "Account.Name",
            "COUNT(Id) n",
            "MIN(CreatedDate)",
            "(SELECT Id FROM OrderItems LIMIT 1)",
            "FIELDS(STANDARD)",
            "toLabel(Status)",
            "Status",
            "Account.Parent.Owner.Name",
        ]
    ),
    min_size=1,
    max_size=3,
).map(", ".join)
tails = st.lists(soup | st.text(max_size=8), max_size=3).map(" ".join)
likely = st.builds(lambda items, tail: f"SELECT {items} FROM Order {tail}", select_lists, tails)
texts = soup | likely | st.text(max_size=60)


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory, key_material: Path) -> Iterator[Api]:
    """An org with one order."""
    with opened(tmp_path_factory.mktemp("org"), key_material) as api:
        place(api, str(api.one("SELECT Id FROM Account WHERE SF_Account_No__c = '104882'")["Id"]))
        yield api


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=texts, resource=st.sampled_from(["query", "query", "queryAll", "query?explain"]))
def test_any_text_is_answered(org: Api, text: str, resource: str) -> None:
    path = f"{resource}={quote(text)}" if "?" in resource else f"{resource}?q={quote(text)}"
    reply = org("GET", path)
    body = reply.json()
    if reply.status == 200:
        check_answer(body)
        return
    assert reply.status == 400, (text, reply.text)
    (error,) = body
    assert error["errorCode"] in CODES, (text, error)
    assert error["message"]


def check_answer(body: dict[str, Any]) -> None:
    if "plans" in body:
        assert {each["leadingOperationType"] for each in body["plans"]} <= {"Index", "TableScan"}
        return
    assert body["done"] is True
    assert isinstance(body["totalSize"], int)
    assert all("attributes" in row for row in body["records"])


def subqueries(number: int) -> str:
    return "SELECT Id, (" * number + "SELECT Id FROM OrderItems" + ") FROM Orders" * number


EXTREMES = {
    "parentheses": "SELECT Id FROM Order WHERE " + "(" * 40_000 + "Name = 'a'" + ")" * 40_000,
    "parentheses that never close": "SELECT Id FROM Order WHERE " + "(" * 90_000,
    "negations": "SELECT Id FROM Order WHERE " + "NOT " * 20_000 + "Name = 'a'",
    "negations in parentheses": "SELECT Id FROM Order WHERE " + "(NOT " * 10_000 + "Name = 'a'" + ")" * 10_000,
    "junctions in each other": "SELECT Id FROM Order WHERE " + "(Id = null AND " * 5_000 + "Id = null" + ")" * 5_000,
    "functions": "SELECT " + "f(" * 30_000 + "Id" + ")" * 30_000 + " FROM Order",
    "queries in queries": subqueries(2_500),
    "a path": f"SELECT {'Account.' * 10_000}Name FROM Order",
    "many conditions": "SELECT Id FROM Order WHERE " + " OR ".join(["Name = 'a'"] * 6_000),
    "many constants": f"SELECT Id FROM Order WHERE Name IN ({', '.join(['null'] * 15_000)})",
    "many fields": f"SELECT {', '.join(['Name'] * 15_000)} FROM Order",
    "many keys": f"SELECT Id FROM Order ORDER BY {', '.join(['Name'] * 15_000)}",
    "many groups": f"SELECT COUNT(Id) FROM Order GROUP BY {', '.join(['Name'] * 15_000)}",
    "many sums": f"SELECT {', '.join(f'SUM(TotalAmount) s{at}' for at in range(4_000))} FROM Order",
    "wildcards": "SELECT Id FROM Account WHERE Name LIKE '" + "%a" * 1_900 + "b'",
    "a string": "SELECT Id FROM Account WHERE Name = '" + "x" * 4_001 + "'",
    "one word": "SELECT Id FROM " + "x" * 90_000,
    "white space": "SELECT" + " " * 90_000,
    "too long": "SELECT Id FROM Order" + " " * 100_000,
}


@pytest.mark.parametrize("name", sorted(EXTREMES))
def test_extremes_end_soon(org: Api, name: str) -> None:
    carol = org.world.org.user_named("carol.suzuki@sonixnet.example")
    with org.world.org.store.transaction():
        org.world.org.create("Account", {"Name": "a" * 200}, carol)
    started = time.monotonic()
    assert outcome(Living(org.world.org, carol), EXTREMES[name]) in {*CODES, "answered"}
    assert time.monotonic() - started < 3


def outcome(source: Living, soql: str) -> str:
    try:
        list(select(source, soql).matching.records())
    except ApiError as error:
        return error.code
    return "answered"
