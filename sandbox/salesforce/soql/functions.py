"""Expressions bound to the schema: fields, and functions of them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.salesforce import moments
from sandbox.salesforce.schema import Field
from sandbox.salesforce.soql.columns import Column, Operand, Scope
from sandbox.salesforce.soql.dates import FUNCTIONS, OF_DATETIMES
from sandbox.salesforce.soql.source import Source
from sandbox.salesforce.soql.tree import Call, Expression, FieldPath
from sandbox.store import Record

_CONVERT = "CONVERTTIMEZONE"


@dataclass(frozen=True)
class Computed:
    """A date function of a field; in the user's time zone when `local`, else in UTC."""

    function: str
    column: Column
    local: bool
    field: Field

    @property
    def key(self) -> str:
        """The call in one spelling."""
        inner = f"{_CONVERT}({self.column.key})" if self.local else self.column.key
        return f"{self.function}({inner})"

    def value(self, source: Source, record: Record) -> Any:
        """The function's value, null for null."""
        found = self.column.value(source, record)
        if found is None:
            return None
        if self.column.field.type == "date":
            return source.calendar.call(self.function, datetime.fromisoformat(found))
        zone = source.calendar.zone if self.local else UTC
        return source.calendar.call(self.function, moments.parse(found).astimezone(zone))


def operand(scope: Scope, expression: Expression) -> Operand:
    """Bind an expression that is no aggregate. Raises ApiError."""
    if isinstance(expression, FieldPath):
        return scope.column(expression)
    if expression.function == "TOLABEL":
        # Labels of this org's picklists are their values.
        return scope.column(_only_path(expression))
    if expression.function in FUNCTIONS:
        return _computed(scope, expression)
    raise expression.place.misplaced(f"unexpected token: '{expression.function}'")


def _computed(scope: Scope, call: Call) -> Computed:
    inner = call.arguments[0]
    local = isinstance(inner, Call) and inner.function == _CONVERT
    column = scope.column(_only_path(inner if local and isinstance(inner, Call) else call))
    wanted = {"datetime"} if local or call.function in OF_DATETIMES else {"date", "datetime"}
    if column.field.type not in wanted:
        message = f"field '{column.field.name}' is not of a type that {call.function} takes"
        raise call.place.refuse("INVALID_FIELD", message)
    field = Field(name=call.function, type="date" if call.function == "DAY_ONLY" else "int")
    return Computed(call.function, column, local, field)


def _only_path(call: Call) -> FieldPath:
    (first, *others) = call.arguments
    if others:
        raise others[0].place.misplaced(f"unexpected token: '{others[0]}'")
    if isinstance(first, Call):
        message = (
            "nested functional syntax can only be used in the following manner: "
            f"date_function(convertTimezone(columnName)): {call.function}"
        )
        raise first.place.refuse("MALFORMED_QUERY", message)
    return first
