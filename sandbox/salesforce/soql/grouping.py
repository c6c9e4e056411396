"""Aggregate queries: GROUP BY, HAVING, and one row for each group."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import TEXTS, Field
from sandbox.salesforce.soql import aggregates, ordering
from sandbox.salesforce.soql.aggregates import Accumulator, Aggregate
from sandbox.salesforce.soql.columns import Column, Operand, Scope
from sandbox.salesforce.soql.conditions import Binder, Filter
from sandbox.salesforce.soql.functions import operand
from sandbox.salesforce.soql.ordering import Order
from sandbox.salesforce.soql.selection import Matching
from sandbox.salesforce.soql.source import Source
from sandbox.salesforce.soql.tree import Call, Expression, FieldPath, Plain, Query
from sandbox.store import Record

_GROUPABLE = TEXTS - {"multipicklist"} | {"boolean", "int", "reference", "id", "date"}


@dataclass(frozen=True)
class Cell:
    """A value of a group's row, by the key of the expression it comes from."""

    key: str
    field: Field

    def value(self, _: Source, record: Record) -> Any:
        """The value in a row."""
        return record[self.key]


@dataclass(frozen=True)
class GroupSelection:
    """Groups of records and what to show of each. `shown`: name in the answer to key in the row."""

    matching: Matching
    groups: tuple[Operand, ...]
    aggregates: tuple[Aggregate, ...]
    shown: dict[str, str]
    having: Filter | None
    order: Order

    def rows(self) -> list[dict[str, Any]]:
        """One row for each group, in order."""
        found = [row for row in self._all() if self.having is None or self.having.test(row)]
        return self.order.arrange(self.matching.source, found, self._show)

    def _show(self, row: Record) -> dict[str, Any]:
        return {name: row[key] for name, key in self.shown.items()}

    def _all(self) -> Iterable[Record]:
        source = self.matching.source
        found: dict[tuple[Any, ...], list[Accumulator]] = {}
        if not self.groups:
            found[()] = self._accumulators()
        for record in self.matching.records():
            values = tuple(each.value(source, record) for each in self.groups)
            accumulators = found.get(values)
            if accumulators is None:
                accumulators = found[values] = self._accumulators()
            for each, accumulator in zip(self.aggregates, accumulators, strict=True):
                value = each.operand.value(source, record)
                if value is not None:
                    accumulator.add(value)
        for values, accumulators in found.items():
            grouped = {each.key: value for each, value in zip(self.groups, values, strict=True)}
            yield grouped | {a.key: c.result() for a, c in zip(self.aggregates, accumulators, strict=True)}

    def _accumulators(self) -> list[Accumulator]:
        return [each.accumulator() for each in self.aggregates]


def is_aggregate(query: Query) -> bool:
    """Whether the query asks for groups rather than records."""
    selected = (each.expression for each in query.items or () if isinstance(each, Plain))
    return bool(query.groups) or any(_is_function(each) for each in selected)


def bind(
    scope: Scope, matching: Matching, query: Query, binder: Callable[[Callable[[Expression], Operand]], Binder]
) -> GroupSelection:
    """Bind an aggregate query; `binder` makes one for HAVING. Raises ApiError."""
    _refuse_window(query)
    return _Grouping(scope, query).bind(matching, binder)


class _Grouping:
    """Binds one query. Aggregates that only HAVING or ORDER BY mention are computed too, and not shown."""

    def __init__(self, scope: Scope, query: Query) -> None:
        self._scope = scope
        self._query = query
        self._aggregates: dict[str, Aggregate] = {}
        self._shown: dict[str, str] = {}
        self._groups: dict[str, Operand] = {}
        self._taken: set[str] = set()
        self._unnamed = 0

    def bind(self, matching: Matching, binder: Callable[[Callable[[Expression], Operand]], Binder]) -> GroupSelection:
        """The whole query."""
        for expression in self._query.groups:
            self._group(expression)
        for item in self._query.items or ():
            self._show(item)
        having = None if self._query.having is None else binder(self._having).bind(self._query.having)
        order = ordering.bind(self._query, self._ordered)
        return GroupSelection(
            matching, tuple(self._groups.values()), tuple(self._aggregates.values()), self._shown, having, order
        )

    def _group(self, expression: Expression) -> None:
        found = operand(self._scope, expression)
        field = found.field
        if field.type not in _GROUPABLE or not field.filterable or field.autonumber:
            message = f"field '{field.name}' can not be grouped in a query call"
            raise expression.place.refuse("MALFORMED_QUERY", message)
        if found.key in self._groups:
            raise expression.place.refuse("MALFORMED_QUERY", f"duplicate grouping expression: {expression}")
        self._groups[found.key] = found

    def _show(self, item: Any) -> None:
        if not isinstance(item, Plain):
            raise self._query.place.refuse("MALFORMED_QUERY", "aggregate queries cannot select child relationships")
        expression = item.expression
        cell = self._cell(expression)
        if cell is None:
            raise expression.place.refuse("MALFORMED_QUERY", f"Field must be grouped or aggregated: {expression}")
        name = item.alias or self._name(cell)
        if name.casefold() in self._taken:
            raise expression.place.refuse("MALFORMED_QUERY", f"duplicate alias: {name}")
        self._taken.add(name.casefold())
        self._shown[name] = cell.key

    def _name(self, cell: Cell) -> str:
        """A group's own name, and `expr0`, `expr1` … for what is computed."""
        group = self._groups.get(cell.key)
        if isinstance(group, Column):
            return group.field.name
        self._unnamed += 1
        return f"expr{self._unnamed - 1}"

    def _cell(self, expression: Expression) -> Cell | None:
        """The value of a row an expression means; None when it is neither grouped nor aggregated."""
        if _is_function(expression) and isinstance(expression, Call):
            aggregate = self._aggregate(expression)
            return Cell(aggregate.key, aggregate.field)
        found = operand(self._scope, expression)
        return Cell(found.key, found.field) if found.key in self._groups else None

    def _aggregate(self, call: Call) -> Aggregate:
        (argument, *others) = call.arguments
        if others or (isinstance(argument, Call) and argument.function in aggregates.FUNCTIONS):
            raise argument.place.misplaced(f"unexpected token: '{others[0] if others else argument}'")
        found = operand(self._scope, argument)
        aggregates.check(call.function, found, str(argument), call.place)
        if found.key in self._groups:
            raise call.place.refuse("MALFORMED_QUERY", f"Grouped field should not be aggregated: {argument}")
        aggregate = Aggregate(call.function, found)
        return self._aggregates.setdefault(aggregate.key, aggregate)

    def _having(self, expression: Expression) -> Operand:
        return self._row_value(expression, "Field must be grouped or aggregated")

    def _ordered(self, expression: Expression) -> Operand:
        if isinstance(expression, FieldPath) and len(expression.names) == 1:
            for name, key in self._shown.items():
                if name.casefold() == expression.names[0].casefold():
                    return Cell(key, self._field_of(key))
        return self._row_value(expression, "Ordered field must be grouped or aggregated")

    def _row_value(self, expression: Expression, otherwise: str) -> Cell:
        cell = self._cell(expression)
        if cell is None:
            raise expression.place.refuse("MALFORMED_QUERY", f"{otherwise}: {expression}")
        return cell

    def _field_of(self, key: str) -> Field:
        return (self._groups.get(key) or self._aggregates[key]).field


def _is_function(expression: Expression) -> bool:
    return isinstance(expression, Call) and expression.function in aggregates.FUNCTIONS


def _refuse_window(query: Query) -> None:
    for clause, given in (("LIMIT", query.limit), ("OFFSET", query.offset)):
        if given is not None and not query.groups:
            message = f"Non-grouped query that uses overall aggregate functions cannot also use {clause}"
            raise ApiError("MALFORMED_QUERY", message)
