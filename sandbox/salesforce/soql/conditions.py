"""Conditions bound to the schema: a test for one record, and a plan for finding few to test."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.salesforce.schema import NUMBERS, TEXTS
from sandbox.salesforce.soql import patterns
from sandbox.salesforce.soql.columns import Column, Operand
from sandbox.salesforce.soql.constants import comparable, constant, unescape
from sandbox.salesforce.soql.plans import Best, Lookup, Plan, Stretch, Union
from sandbox.salesforce.soql.source import Source
from sandbox.salesforce.soql.tree import (
    Choices,
    Comparison,
    Condition,
    Expression,
    Junction,
    Literal,
    Membership,
    Negation,
    Query,
)
from sandbox.store import Record

Test = Callable[[Record], bool]
InnerQuery = Callable[[Operand, Membership, Query], Callable[[], frozenset[Any]]]

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

# Texts before and behind every moment.
_FIRST, _LAST = "", "~"


@dataclass(frozen=True)
class Filter:
    """A bound condition. Null equals null and differs from every value, so each test is either true or false."""

    test: Test
    plan: Plan | None = None


class Binder:
    """Binds the conditions of one query: `resolve` binds what is compared, `inner` a query inside of IN."""

    def __init__(self, source: Source, resolve: Callable[[Expression], Operand], inner: InnerQuery) -> None:
        self._source = source
        self._resolve = resolve
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
            case Choices():
                return self._choices(condition)
            case Comparison():
                return self._comparison(condition)

    def _junction(self, junction: Junction) -> Filter:
        filters = [self.bind(each) for each in junction.operands]
        tests = [each.test for each in filters]
        plans = tuple(each.plan for each in filters if each.plan is not None)
        if junction.every:
            return Filter(lambda record: all(test(record) for test in tests), Best(plans) if plans else None)
        plan = Union(plans) if len(plans) == len(filters) else None
        return Filter(lambda record: any(test(record) for test in tests), plan)

    def _membership(self, membership: Membership) -> Filter:
        left = self._operand(membership.left)
        members = self._members(left, membership)
        source, field = self._source, left.field

        @cache
        def keys() -> frozenset[Any]:
            return frozenset(comparable(field, each) for each in members())

        def test(record: Record) -> bool:
            return (comparable(field, left.value(source, record)) in keys()) != membership.negated

        if membership.negated or not isinstance(left, Column):
            return Filter(test)
        literal = not isinstance(membership.members, Query)
        may_be_null = literal and None in members()
        return Filter(test, None if may_be_null else Lookup(left, lambda: tuple(members())))

    def _members(self, left: Operand, membership: Membership) -> Callable[[], frozenset[Any]]:
        if isinstance(membership.members, Query):
            return self._inner(left, membership, membership.members)
        place = membership.left.place
        values = frozenset(constant(left.field, place, each) for each in membership.members)
        return lambda: values

    def _choices(self, choices: Choices) -> Filter:
        left = self._operand(choices.left)
        if left.field.type != "multipicklist":
            message = "includes or excludes operator only valid on multipicklist field"
            raise choices.left.place.refuse("INVALID_QUERY_FILTER_OPERATOR", message)
        texts = [constant(left.field, choices.left.place, each) or "" for each in choices.members]
        wanted = [frozenset(text.casefold().split(";")) for text in texts]
        source = self._source

        def test(record: Record) -> bool:
            chosen = frozenset((left.value(source, record) or "").casefold().split(";"))
            return any(each <= chosen for each in wanted) != choices.negated

        return Filter(test)

    def _comparison(self, comparison: Comparison) -> Filter:
        left = self._operand(comparison.left)
        if comparison.operator == "like":
            return Filter(self._like(left, comparison))
        if comparison.literal.kind == "WORD" and left.field.type in ("date", "datetime"):
            return self._relative(left, comparison)
        value = constant(left.field, comparison.left.place, comparison.literal)
        if comparison.operator in ("=", "!="):
            return self._equality(left, comparison.operator, value)
        _refuse_unordered(left, comparison)
        compare, key, source, field = (
            _ORDERED[comparison.operator],
            comparable(left.field, value),
            self._source,
            left.field,
        )

        def test(record: Record) -> bool:
            found = left.value(source, record)
            return found is not None and key is not None and compare(comparable(field, found), key)

        return Filter(test, _stretch(left, comparison.operator, value, value))

    def _equality(self, left: Operand, sign: str, value: Any) -> Filter:
        key, source, field = comparable(left.field, value), self._source, left.field
        if sign == "!=":
            return Filter(lambda record: bool(comparable(field, left.value(source, record)) != key))
        usable = isinstance(left, Column) and key is not None and field.type != "boolean"
        plan = Lookup(left, lambda: (value,)) if usable and isinstance(left, Column) else None
        return Filter(lambda record: bool(comparable(field, left.value(source, record)) == key), plan)

    def _relative(self, left: Operand, comparison: Comparison) -> Filter:
        calendar, now = self._source.calendar, self._source.clock.now()
        start, end = calendar.period(left.field, comparison.literal.text, now)
        source, sign = self._source, comparison.operator
        tests: dict[str, Callable[[str], bool]] = {
            "=": lambda found: start <= found < end,
            "!=": lambda found: not start <= found < end,
            "<": lambda found: found < start,
            "<=": lambda found: found < end,
            ">": lambda found: found >= end,
            ">=": lambda found: found >= start,
        }

        def test(record: Record) -> bool:
            found = left.value(source, record)
            return sign == "!=" if found is None else tests[sign](found)

        return Filter(test, _stretch(left, sign, start, end))

    def _like(self, left: Operand, comparison: Comparison) -> Test:
        if left.field.type not in TEXTS - {"multipicklist"}:
            _refuse_operator(left, comparison)
        if comparison.literal.kind == "NULL":
            raise comparison.literal.place.misplaced(f"unexpected token: '{comparison.literal.text}'")
        constant(left.field, comparison.left.place, _without_wildcards(comparison.literal))
        pattern = patterns.like(unescape(comparison.literal, keep="%_\\"))
        source = self._source

        def test(record: Record) -> bool:
            found = left.value(source, record)
            return found is not None and pattern.fullmatch(found) is not None

        return test

    def _operand(self, expression: Expression) -> Operand:
        found = self._resolve(expression)
        if not found.field.filterable:
            message = f"field '{found.field.name}' can not be filtered in a query call"
            if found.field.type == "address":
                message = "Address fields can only be filtered using Distance expressions"
            raise expression.place.refuse("INVALID_FIELD", message)
        return found


def _stretch(left: Operand, sign: str, start: str | None, end: str | None) -> Plan | None:
    """Where an index has the moments that compare so with the period; one longer than it has to be does no harm."""
    if not isinstance(left, Column) or left.field.type != "datetime" or start is None or end is None:
        return None
    stretches = {"=": (start, end), "<": (_FIRST, start), "<=": (_FIRST, end), ">": (end, _LAST), ">=": (start, _LAST)}
    if sign not in stretches:
        return None
    first, last = stretches[sign]
    return Stretch(left, first, f"{last}{_LAST}")


def _without_wildcards(literal: Literal) -> Literal:
    """For the check of type alone: in a pattern more may be escaped than in a plain string."""
    return Literal(literal.kind, "''", literal.place) if literal.kind == "STRING" else literal


def _refuse_unordered(left: Operand, comparison: Comparison) -> None:
    if left.field.type in ("boolean", "id", "reference", "multipicklist"):
        _refuse_operator(left, comparison)


def _refuse_operator(left: Operand, comparison: Comparison) -> None:
    kind = "number" if left.field.type in NUMBERS else left.field.type
    raise comparison.left.place.refuse("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {kind} field")
