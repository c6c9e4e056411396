"""From the text of a query to its parts, each of which remembers where it stood so that a refusal can point at it."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from sandbox.salesforce.errors import ApiError

LONGEST = 100_000
_GRAMMAR = Path(__file__).with_name("grammar.lark")


@dataclass(frozen=True)
class Place:
    """Where in the text something stands, counted from 1."""

    text: str
    row: int
    column: int

    def refuse(self, code: str, message: str) -> ApiError:
        """An error that shows the line, points at the place and says what is wrong there."""
        lines = self.text.splitlines() or [""]
        line = lines[min(self.row, len(lines)) - 1]
        pointer = " " * (self.column - 1) + "^"
        return ApiError(code, f"\n{line}\n{pointer}\nERROR at Row:{self.row}:Column:{self.column}\n{message}")


@dataclass(frozen=True)
class FieldPath:
    """A field by its dotted path."""

    names: tuple[str, ...]
    place: Place

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True)
class Literal:
    """A constant; `kind` is the name of its terminal in the grammar."""

    kind: str
    text: str
    place: Place


@dataclass(frozen=True)
class Comparison:
    """`path operator literal`; the operator in lower case, `<>` as `!=`."""

    path: FieldPath
    operator: str
    literal: Literal


@dataclass(frozen=True)
class Membership:
    """`path [NOT] IN (…)` with constants or a query of its own."""

    path: FieldPath
    negated: bool
    members: "tuple[Literal, ...] | Query"


@dataclass(frozen=True)
class Negation:
    """`NOT condition`."""

    operand: "Condition"


@dataclass(frozen=True)
class Junction:
    """Conditions joined by AND (`every`) or by OR."""

    every: bool
    operands: "tuple[Condition, ...]"


Condition = Comparison | Membership | Negation | Junction


@dataclass(frozen=True)
class Term:
    """One key of ORDER BY."""

    path: FieldPath
    descending: bool = False
    nulls_first: bool = True


@dataclass(frozen=True)
class Query:
    """One query; `items` is None for COUNT()."""

    source: str
    place: Place
    items: "tuple[FieldPath | Query, ...] | None"
    where: Condition | None = None
    order: tuple[Term, ...] = ()
    limit: int | None = None
    offset: int = 0
    offset_place: Place | None = field(default=None, compare=False)


def parse(text: str) -> Query:
    """The query in the text. Raises ApiError MALFORMED_QUERY."""
    if len(text) > LONGEST:
        raise ApiError("MALFORMED_QUERY", f"SOQL statements cannot be longer than {LONGEST} characters.")
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _malformed(text, error) from error
    query: Query = _Builder(text).transform(tree)
    return query


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR.read_text(encoding="utf-8"), parser="lalr", lexer="contextual", maybe_placeholders=False)


def _malformed(text: str, error: UnexpectedInput) -> ApiError:
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        place = Place(text, error.line, error.column)
        return place.refuse("MALFORMED_QUERY", f"unexpected token: '{error.token}'")
    if isinstance(error, UnexpectedCharacters):
        return _unexpected_characters(text, error)
    lines = text.splitlines() or [""]
    return Place(text, len(lines), len(lines[-1]) + 1).refuse("MALFORMED_QUERY", "unexpected token: '<EOF>'")


def _unexpected_characters(text: str, error: UnexpectedCharacters) -> ApiError:
    place = Place(text, error.line, error.column)
    rest = text[error.pos_in_stream :]
    if rest[:1].isalnum():
        word = rest.split(maxsplit=1)[0]
        return place.refuse("MALFORMED_QUERY", f"unexpected token: '{word}'")
    message = f"line {error.line}:{error.column - 1} no viable alternative at character '{rest[:1]}'"
    return place.refuse("MALFORMED_QUERY", message)


class _Builder(Transformer[Token, Query]):
    """Turns the parser's tree into the classes above; one method per rule of the grammar."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def _place(self, token: Token) -> Place:
        return Place(self._text, token.line or 1, token.column or 1)

    def start(self, parts: list[Any]) -> Query:
        query: Query = parts[0]
        return query

    def query(self, parts: list[Any]) -> Query:
        _, items, _, source, *clauses = parts
        clause: dict[str, Any] = {}
        for each in clauses:
            clause |= each
        return Query(str(source), self._place(source), items, **clause)

    def count(self, _: list[Any]) -> None:
        return None

    def fields(self, parts: list[Any]) -> tuple[Any, ...]:
        return tuple(parts)

    def path(self, names: list[Token]) -> FieldPath:
        return FieldPath(tuple(str(name) for name in names), self._place(names[0]))

    def where(self, parts: list[Any]) -> dict[str, Any]:
        return {"where": parts[1]}

    def all_of(self, parts: list[Any]) -> Junction:
        return Junction(True, tuple(parts[::2]))

    def any_of(self, parts: list[Any]) -> Junction:
        return Junction(False, tuple(parts[::2]))

    def negation(self, parts: list[Any]) -> Negation:
        return Negation(parts[1])

    def comparison(self, parts: list[Any]) -> Comparison:
        path, operator, literal = parts
        return Comparison(path, "!=" if operator == "<>" else str(operator).lower(), literal)

    def membership(self, parts: list[Any]) -> Membership:
        path, negated, members = parts
        return Membership(path, negated, members)

    def not_in(self, _: list[Any]) -> bool:
        return True

    def in_set(self, _: list[Any]) -> bool:
        return False

    def values(self, literals: list[Literal]) -> tuple[Literal, ...]:
        return tuple(literals)

    def literal(self, parts: list[Token]) -> Literal:
        return Literal(parts[0].type, str(parts[0]), self._place(parts[0]))

    def order(self, parts: list[Any]) -> dict[str, Any]:
        return {"order": tuple(parts[1:])}

    def term(self, parts: list[Any]) -> Term:
        path, *rest = parts
        clause: dict[str, bool] = {}
        for each in rest:
            clause |= each
        return Term(path, **clause)

    def direction(self, parts: list[Token]) -> dict[str, bool]:
        return {"descending": parts[0].type == "DESC"}

    def nulls(self, parts: list[Token]) -> dict[str, bool]:
        return {"nulls_first": parts[0].type == "NULLS_FIRST"}

    def limit(self, parts: list[Token]) -> dict[str, Any]:
        return {"limit": int(parts[1])}

    def offset(self, parts: list[Token]) -> dict[str, Any]:
        return {"offset": int(parts[1]), "offset_place": self._place(parts[1])}
