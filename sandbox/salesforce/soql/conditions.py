"""WHERE bound to the schema: a test for one record, and the few records an index can offer instead of all."""

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import NUMBERS, TEXTS, SObject
from sandbox.salesforce.soql.columns import Column, resolve
from sandbox.salesforce.soql.constants import constant, period, unescape
from sandbox.salesforce.soql.syntax import (
    Comparison,
    Condition,
    FieldPath,
    Junction,
    Literal,
    Membership,
    Negation,
    Query,
)
from sandbox.store import Record, fold

Test = Callable[[Record], bool]
InnerQuery = Callable[[Query], frozenset[Any]]

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Filter:
    """A bound condition. `wanted`: column and values of which a matching record must have one; None if unknown."""

    test: Test
    wanted: tuple["Wanted", ...] = ()


@dataclass(frozen=True)
class Wanted:
    """A necessary condition that an index may answer."""

    column: Column
    values: tuple[Any, ...]

    def candidates(self, org: Org) -> list[Record] | None:
        """All records that can satisfy it, found by index; None when there is no index for it."""
        holder = self.column.owners[-1].name
        name = self.column.field.name
        if name == "Id":
            found: Iterable[Record | None] = (org.get(holder, value) for value in self.values)
        elif org.table(holder).indexed(name):
            found = (each for value in self.values for each in org.find(holder, name, value))
        else:
            return None
        return self._children(org, [each for each in found if each is not None])

    def _children(self, org: Org, parents: list[Record]) -> list[Record]:
        """Climb back from the records at the path's end to those at its start."""
        for hop, owner in zip(reversed(self.column.hops), reversed(self.column.owners[:-1]), strict=True):
            parents = [child for each in parents for child in org.find(owner.name, hop.name, each["Id"])]
        return parents


class Binder:
    """Binds the conditions of one query; `inner` runs a query inside of IN and gives its values."""

    def __init__(self, org: Org, sobject: SObject, inner: InnerQuery) -> None:
        self._org = org
        self._sobject = sobject
        self._inner = inner

    def bind(self, condition: Condition) -> Filter:
        """Check the condition against the schema. Raises ApiError."""
        match condition:
            case Junction():
                return self._junction(condition)
            case Negation():
                test = self.bind(condition.operand).test
                return Filter(lambda record: not test(record))
            case Membership():
                return self._membership(condition)
            case Comparison():
                return self._comparison(condition)

    def _junction(self, junction: Junction) -> Filter:
        filters = [self.bind(each) for each in junction.operands]
        tests = [each.test for each in filters]
        if not junction.every:
            return Filter(lambda record: any(test(record) for test in tests))
        wanted = tuple(wanted for each in filters for wanted in each.wanted)
        return Filter(lambda record: all(test(record) for test in tests), wanted)

    def _membership(self, membership: Membership) -> Filter:
        column = self._column(membership.path)
        members = self._members(column, membership)
        keys = frozenset(fold(each) for each in members)
        org = self._org
        if membership.negated:
            return Filter(lambda record: fold(column.value(org, record)) not in keys)
        wanted = () if None in members else (Wanted(column, tuple(members)),)
        return Filter(lambda record: fold(column.value(org, record)) in keys, wanted)

    def _members(self, column: Column, membership: Membership) -> frozenset[Any]:
        if isinstance(membership.members, Query):
            return self._inner(membership.members)
        path = membership.path
        return frozenset(constant(column.field, path, each) for each in membership.members)

    def _comparison(self, comparison: Comparison) -> Filter:
        column = self._column(comparison.path)
        if comparison.operator == "like":
            return Filter(self._like(column, comparison))
        if comparison.literal.kind == "RELATIVE" and column.field.type in ("date", "datetime"):
            return Filter(self._relative(column, comparison))
        value = constant(column.field, comparison.path, comparison.literal)
        if comparison.operator in ("=", "!="):
            return self._equality(column, comparison.operator, value)
        self._refuse_unordered(column, comparison.path, comparison.literal)
        compare, key, org = _ORDERED[comparison.operator], fold(value), self._org

        def test(record: Record) -> bool:
            found = fold(column.value(org, record))
            return found is not None and compare(found, key)

        return Filter(test)

    def _equality(self, column: Column, sign: str, value: Any) -> Filter:
        key, org = fold(value), self._org
        if sign == "!=":
            return Filter(lambda record: bool(fold(column.value(org, record)) != key))
        wanted = () if value is None else (Wanted(column, (value,)),)
        return Filter(lambda record: bool(fold(column.value(org, record)) == key), wanted)

    def _relative(self, column: Column, comparison: Comparison) -> Test:
        start, end = period(column.field, comparison.literal, self._org.clock.now())
        org, sign = self._org, comparison.operator
        tests: dict[str, Callable[[str], bool]] = {
            "=": lambda found: start <= found < end,
            "!=": lambda found: not start <= found < end,
            "<": lambda found: found < start,
            "<=": lambda found: found < end,
            ">": lambda found: found >= end,
            ">=": lambda found: found >= start,
        }

        def test(record: Record) -> bool:
            found = column.value(org, record)
            return sign == "!=" if found is None else tests[sign](found)

        return test

    def _like(self, column: Column, comparison: Comparison) -> Test:
        if column.field.type not in TEXTS:
            kind = "number" if column.field.type in NUMBERS else column.field.type
            raise comparison.path.place.refuse("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {kind} field")
        if comparison.literal.kind != "STRING":
            constant(column.field, comparison.path, comparison.literal)
        pattern, org = _pattern(comparison.literal), self._org

        def test(record: Record) -> bool:
            found = column.value(org, record)
            return found is not None and pattern.fullmatch(found) is not None

        return test

    def _column(self, path: FieldPath) -> Column:
        column = resolve(self._org, self._sobject, path)
        if not column.field.filterable:
            message = f"field '{column.field.name}' can not be filtered in a query call"
            raise path.place.refuse("INVALID_FIELD", message)
        return column

    def _refuse_unordered(self, column: Column, path: FieldPath, literal: Literal) -> None:
        if column.field.type in ("boolean", "id", "reference") or literal.kind == "NULL":
            kind = "null value" if literal.kind == "NULL" else f"{column.field.type} field"
            raise path.place.refuse("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {kind}")


def _pattern(literal: Literal) -> re.Pattern[str]:
    """LIKE as a regular expression: % is any text, _ one character, a backslash makes either plain."""
    text = "" if literal.kind == "NULL" else unescape(literal, keep="%_\\")
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(part) or re.escape(part[-1]) for part in parts), re.IGNORECASE | re.DOTALL)
