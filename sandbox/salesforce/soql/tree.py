"""The parts of a query as they were written, each of which remembers where it stood."""

from dataclasses import dataclass
from typing import TypeAlias

from sandbox.salesforce.soql.place import Place


@dataclass(frozen=True)
class FieldPath:
    """A field by its dotted path."""

    names: tuple[str, ...]
    place: Place

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True)
class Call:
    """A function of fields, such as `CALENDAR_YEAR(CloseDate)`; `function` in upper case."""

    function: str
    arguments: "tuple[Expression, ...]"
    place: Place

    def __str__(self) -> str:
        return f"{self.function}({', '.join(str(each) for each in self.arguments)})"


Expression: TypeAlias = FieldPath | Call


@dataclass(frozen=True)
class Plain:
    """One expression of the select list with its alias, if any."""

    expression: Expression
    alias: str | None = None


@dataclass(frozen=True)
class TypeOf:
    """Fields of a parent that may be of several types: which ones, by its type."""

    relationship: FieldPath
    when: tuple[tuple[FieldPath, tuple[FieldPath, ...]], ...]
    otherwise: tuple[FieldPath, ...]


@dataclass(frozen=True)
class Literal:
    """A constant; `kind` is the name of its terminal in the grammar."""

    kind: str
    text: str
    place: Place


@dataclass(frozen=True)
class Comparison:
    """`expression operator literal`; the operator in lower case, `<>` as `!=`."""

    left: Expression
    operator: str
    literal: Literal


@dataclass(frozen=True)
class Membership:
    """`expression [NOT] IN (…)` with constants or a query of its own."""

    left: Expression
    negated: bool
    members: "tuple[Literal, ...] | Query"


@dataclass(frozen=True)
class Choices:
    """`field INCLUDES|EXCLUDES ('a;b', 'c')` of a multi-select picklist."""

    left: Expression
    negated: bool
    members: tuple[Literal, ...]


@dataclass(frozen=True)
class Negation:
    """`NOT condition`."""

    operand: "Condition"


@dataclass(frozen=True)
class Junction:
    """Conditions joined by AND (`every`) or by OR; `nested` when they stand in parentheses."""

    every: bool
    operands: "tuple[Condition, ...]"
    nested: bool = False


Condition: TypeAlias = Comparison | Membership | Choices | Negation | Junction


@dataclass(frozen=True)
class Term:
    """One key of ORDER BY."""

    expression: Expression
    descending: bool = False
    nulls_first: bool = True


@dataclass(frozen=True)
class Source:
    """One name of the FROM clause with its alias."""

    path: FieldPath
    alias: str | None = None


@dataclass(frozen=True)
class Word:
    """A word of a clause such as `USING SCOPE mine`."""

    text: str
    place: Place


@dataclass(frozen=True)
class Number:
    """The number of LIMIT or OFFSET."""

    value: int
    place: Place


Item: TypeAlias = "Plain | TypeOf | Query"


@dataclass(frozen=True)
class Query:
    """One query; `items` is None for COUNT()."""

    sources: tuple[Source, ...]
    items: tuple[Item, ...] | None
    place: Place
    scope: Word | None = None
    where: Condition | None = None
    groups: tuple[Expression, ...] = ()
    having: Condition | None = None
    order: tuple[Term, ...] = ()
    limit: Number | None = None
    offset: Number | None = None

    @property
    def source(self) -> FieldPath:
        """The name after FROM."""
        return self.sources[0].path
