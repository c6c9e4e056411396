"""No value leaves the quotes it is put in (salesforce-wire.md §3.10, security.md §4)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.salesforce.soql import children, select

ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def read_literal(text: str) -> tuple[str, str]:
    """The value of the SOQL literal at the beginning of `text`, and what follows it."""
    assert text[0] == "'"
    value, at = "", 1
    while text[at] != "'":
        if text[at] == "\\":
            at += 1
            value += ESCAPES[text[at]]
        else:
            value += text[at]
        at += 1
    return value, text[at + 1 :]


@given(st.text())
def test_a_text_reads_back_as_itself_and_nothing_follows(text: str) -> None:
    soql = select(["Id"], "Account", "Name = {}", text)
    assert read_literal(soql.removeprefix("SELECT Id FROM Account WHERE Name = ")) == (text, "")


@pytest.mark.parametrize(
    "payload",
    ["x' OR Name LIKE '%", "\\' OR Id != null --", "{}", "{0.__class__}", "%", "@{guard.records[0].Id}", "\\"],
)
def test_known_payloads_stay_inside(payload: str) -> None:
    soql = select(["Id"], "Account", "Name = {} AND Id IN {}", payload, [payload])
    value, rest = read_literal(soql.partition("Name = ")[2])
    assert value == payload
    assert read_literal(rest.removeprefix(" AND Id IN (")) == (payload, ")")


def test_moments_need_a_zone_and_lists_a_member() -> None:
    at = datetime(2026, 11, 20, 19, 11, 12, 345, tzinfo=UTC)
    assert select(["Id"], "Order", "SystemModstamp >= {}", at).endswith(">= 2026-11-20T19:11:12+00:00")
    with pytest.raises(ValueError, match="time zone"):
        select(["Id"], "Order", "SystemModstamp >= {}", at.replace(tzinfo=None))
    with pytest.raises(ValueError, match="empty list"):
        select(["Id"], "Order", "Id IN {}", [])


def test_a_subquery_stands_among_the_fields() -> None:
    soql = select(["Id", children(["Id"], "Items", order="Id")], "Order", order="Id")
    assert soql == "SELECT Id, (SELECT Id FROM Items ORDER BY Id) FROM Order ORDER BY Id"
