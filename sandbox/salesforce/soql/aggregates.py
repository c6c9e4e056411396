"""Aggregate functions: what they take, and how they add up (salesforce-wire.md, section 3.2)."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from sandbox.salesforce.schema import NUMBERS, Field
from sandbox.salesforce.soql.columns import Operand
from sandbox.salesforce.soql.constants import sortable
from sandbox.salesforce.soql.place import Place

_NEVER = {"boolean", "base64", "multipicklist"}


class Accumulator(Protocol):
    """Takes the values of one group one by one, nulls left out."""

    def add(self, value: Any) -> None:
        """One more value."""

    def result(self) -> Any:
        """What they come to."""


class _Count:
    def __init__(self, _: Field) -> None:
        self._number = 0

    def add(self, _: Any) -> None:
        self._number += 1

    def result(self) -> int:
        return self._number


class _CountDistinct:
    def __init__(self, _: Field) -> None:
        self._values: set[Any] = set()

    def add(self, value: Any) -> None:
        self._values.add(value)

    def result(self) -> int:
        return len(self._values)


class _Sum:
    # Decimal, because 0.1 three times is 0.3 on the platform.
    def __init__(self, _: Field) -> None:
        self.total = Decimal()
        self.number = 0

    def add(self, value: float) -> None:
        self.total += Decimal(str(value))
        self.number += 1

    def result(self) -> float | None:
        return float(self.total) if self.number else None


class _Average(_Sum):
    def result(self) -> float | None:
        return float(self.total / self.number) if self.number else None


class _Extreme:
    def __init__(self, field: Field, better: Callable[[Any, Any], bool]) -> None:
        self._field = field
        self._better = better
        self._best: Any = None

    def add(self, value: Any) -> None:
        if self._best is None or self._better(sortable(self._field, value), sortable(self._field, self._best)):
            self._best = value

    def result(self) -> Any:
        return self._best


_ACCUMULATORS: dict[str, Callable[[Field], Accumulator]] = {
    "COUNT": _Count,
    "COUNT_DISTINCT": _CountDistinct,
    "SUM": _Sum,
    "AVG": _Average,
    "MIN": lambda field: _Extreme(field, lambda a, b: bool(a < b)),
    "MAX": lambda field: _Extreme(field, lambda a, b: bool(a > b)),
}
FUNCTIONS = frozenset(_ACCUMULATORS)


@dataclass(frozen=True)
class Aggregate:
    """A function of all values an operand has in a group."""

    function: str
    operand: Operand

    @property
    def key(self) -> str:
        """The call in one spelling."""
        return f"{self.function}({self.operand.key})"

    @property
    def field(self) -> Field:
        """What kind of value it comes to."""
        if self.function in ("MIN", "MAX"):
            return self.operand.field
        return Field(name=self.function, type="int" if self.function.startswith("COUNT") else "double")

    def accumulator(self) -> Accumulator:
        """A fresh one for a group."""
        return _ACCUMULATORS[self.function](self.operand.field)


def check(function: str, operand: Operand, name: str, place: Place) -> None:
    """Refuse a function of values it does not take. Raises ApiError MALFORMED_QUERY."""
    field = operand.field
    unfit = field.type in _NEVER or not field.filterable or (function in ("SUM", "AVG") and field.type not in NUMBERS)
    if unfit:
        message = f"field {name} does not support aggregate operator {function}"
        raise place.refuse("MALFORMED_QUERY", message)
