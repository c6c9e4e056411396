"""The one place where SOQL is put together; values go through format_soql only (salesforce-wire.md §3.10)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

from simple_salesforce.format import format_soql

Value: TypeAlias = str | int | datetime | Sequence[str]


def select(fields: Iterable[str], source: str, where: str = "", *values: Value, order: str = "") -> str:
    """A SELECT statement; each `{}` in `where` becomes one quoted value.

    Fields, source, `where` and `order` are names and operators of ours, never anybody's input. Raises ValueError for a
    moment without time zone and for an empty list, which Salesforce would misread.
    """
    for value in values:
        _check(value)
    parts = ["SELECT", ", ".join(fields), "FROM", source]
    parts += ["WHERE", format_soql(where, *values)] if where else []
    parts += ["ORDER BY", order] if order else []
    return " ".join(parts)


def children(fields: Iterable[str], relationship: str, where: str = "", *values: Value, order: str = "") -> str:
    """A subquery over a child relationship, to stand among the fields of another."""
    return f"({select(fields, relationship, where, *values, order=order)})"


def _check(value: Value) -> None:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a moment without time zone in a query")
    elif not isinstance(value, str | int) and not value:
        raise ValueError("an empty list in a query")
