"""Turns the parser's tree into the parts of a query; one method per rule of the grammar."""

from collections.abc import Iterator
from typing import Any

from lark import Token, Tree
from lark.visitors import Transformer_NonRecursive

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.soql import tree
from sandbox.salesforce.soql.dates import is_relative
from sandbox.salesforce.soql.place import Place

# More than any query written by hand or program needs, and far from what would exhaust the stack.
_DEEPEST = 50
_MOST_CONDITIONS = 2_000
_MOST_KEYS = 32
_LARGEST_NUMBER = 2**31 - 1
_NO_APEX = (
    "rule soqlWithIdentifierClause failed predicate: {this.helper.allowApexSyntax() && this.helper.hasApexContext()}?"
)

Clause = dict[str, Any]


class Builder(Transformer_NonRecursive[Token, tree.Query]):
    """Builds one query from its text. Methods raise ApiError, which the transformer wraps in VisitError."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def build(self, parsed: Tree[Token]) -> tree.Query:
        """The query. Raises VisitError around an ApiError, or ApiError QUERY_TOO_COMPLICATED."""
        query = self.transform(parsed)
        _refuse_complicated(query)
        return query

    def _place(self, token: Token) -> Place:
        return Place(self._text, token.line or 1, token.column or 1)

    def start(self, parts: list[tree.Query]) -> tree.Query:
        return parts[0]

    def query(self, parts: list[Any]) -> tree.Query:
        select, items, _, sources, *clauses = parts
        clause: Clause = {}
        for each in clauses:
            clause |= each
        return tree.Query(sources, items, self._place(select), **clause)

    def count(self, _: list[Token]) -> None:
        return None

    def fields(self, items: list[tree.Item]) -> tuple[tree.Item, ...]:
        return tuple(items)

    def plain(self, parts: list[Any]) -> tree.Plain:
        return tree.Plain(parts[0], str(parts[1]) if len(parts) > 1 else None)

    def subquery(self, parts: list[tree.Query]) -> tree.Query:
        return parts[0]

    def typeof(self, parts: list[Any]) -> tree.TypeOf:
        _, relationship, *branches, _ = parts
        when = tuple((each[0], each[1:]) for each in branches if isinstance(each, tuple))
        otherwise = next((tuple(each) for each in branches if isinstance(each, list)), ())
        return tree.TypeOf(relationship, when, otherwise)

    def when(self, parts: list[Any]) -> tuple[tree.FieldPath, ...]:
        _, name, _, *paths = parts
        return (tree.FieldPath((str(name),), self._place(name)), *paths)

    def otherwise(self, parts: list[Any]) -> list[tree.FieldPath]:
        return parts[1:]

    def path(self, names: list[Token]) -> tree.FieldPath:
        return tree.FieldPath(tuple(str(name) for name in names), self._place(names[0]))

    def call(self, parts: list[Any]) -> tree.Call:
        name, *arguments = parts
        for each in arguments:
            if isinstance(each, tree.Call) and any(isinstance(inner, tree.Call) for inner in each.arguments):
                raise each.place.misplaced("unexpected token: '('")
        return tree.Call(str(name).upper(), tuple(arguments), self._place(name))

    def sources(self, parts: list[tree.Source]) -> tuple[tree.Source, ...]:
        return tuple(parts)

    def source(self, parts: list[Any]) -> tree.Source:
        return tree.Source(parts[0], str(parts[1]) if len(parts) > 1 else None)

    def scope(self, parts: list[Token]) -> Clause:
        return {"scope": tree.Word(str(parts[1]), self._place(parts[1]))}

    def where(self, parts: list[Any]) -> Clause:
        return {"where": parts[1]}

    def all_of(self, parts: list[Any]) -> tree.Junction:
        return tree.Junction(True, tuple(parts[::2]))

    def any_of(self, parts: list[Any]) -> tree.Junction:
        return tree.Junction(False, tuple(parts[::2]))

    def nested(self, parts: list[tree.Condition]) -> tree.Condition:
        (inner,) = parts
        return tree.Junction(inner.every, inner.operands, True) if isinstance(inner, tree.Junction) else inner

    def negation(self, parts: list[Any]) -> tree.Negation:
        return tree.Negation(parts[1])

    def comparison(self, parts: list[Any]) -> tree.Comparison:
        left, operator, literal = parts
        return tree.Comparison(left, "!=" if operator == "<>" else str(operator).lower(), literal)

    def membership(self, parts: list[Any]) -> tree.Membership:
        left, negated, members = parts
        if isinstance(members, Token):
            raise self._bound(members)
        return tree.Membership(left, negated, members)

    def choices(self, parts: list[Any]) -> tree.Choices:
        left, operator, members = parts
        return tree.Choices(left, str(operator).lower() == "excludes", members)

    def not_in(self, _: list[Token]) -> bool:
        return True

    def in_set(self, _: list[Token]) -> bool:
        return False

    def values(self, literals: list[tree.Literal]) -> tuple[tree.Literal, ...]:
        return tuple(literals)

    def literal(self, parts: list[Token]) -> tree.Literal:
        (token,) = parts
        if token.type == "WORD" and not is_relative(token):
            raise self._place(token).misplaced(f"unexpected token: '{token}'")
        return tree.Literal(token.type, str(token), self._place(token))

    def bind(self, parts: list[Token]) -> None:
        raise self._bound(parts[0])

    def _bound(self, token: Token) -> ApiError:
        return self._place(token).refuse("MALFORMED_QUERY", "Bind variables only allowed in Apex code")

    def mode(self, parts: list[Token]) -> Clause:
        if parts[1].upper() in ("SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"):
            raise self._place(parts[1]).misplaced(_NO_APEX)
        raise self._place(parts[1]).misplaced(f"unexpected token: '{parts[1]}'")

    def grouping(self, parts: list[Any]) -> Clause:
        having: Clause = parts[-1] if isinstance(parts[-1], dict) else {}
        return {"groups": tuple(each for each in parts[1:] if not isinstance(each, dict)), **having}

    def having(self, parts: list[Any]) -> Clause:
        return {"having": parts[1]}

    def order(self, parts: list[Any]) -> Clause:
        return {"order": tuple(parts[1:])}

    def term(self, parts: list[Any]) -> tree.Term:
        expression, *rest = parts
        clause: Clause = {}
        for each in rest:
            clause |= each
        return tree.Term(expression, **clause)

    def direction(self, parts: list[Token]) -> Clause:
        return {"descending": parts[0].type == "DESC"}

    def nulls(self, parts: list[Token]) -> Clause:
        return {"nulls_first": parts[0].type == "NULLS_FIRST"}

    def limit(self, parts: list[Token]) -> Clause:
        return {"limit": self._number(parts[1])}

    def offset(self, parts: list[Token]) -> Clause:
        return {"offset": self._number(parts[1])}

    def _number(self, token: Token) -> tree.Number:
        place = self._place(token)
        if len(token) > len(str(_LARGEST_NUMBER)) or int(token) > _LARGEST_NUMBER:
            raise place.misplaced(f"unexpected token: '{token}'")
        return tree.Number(int(token), place)

    def ending(self, parts: list[Token]) -> Clause:
        """FOR VIEW and FOR REFERENCE note when a record was last looked at, which no field here tells."""
        if parts[0].type in ("FOR_UPDATE", "ALL_ROWS"):
            words = " ".join(parts[0].upper().split())
            raise ApiError("MALFORMED_QUERY", f"{words} not allowed in this context")
        return {}


def _refuse_complicated(query: tree.Query) -> None:
    """Raises ApiError when the conditions nest too deeply or are too many, or the keys of an order are."""
    waiting: list[tuple[tree.Condition | tree.Query, int]] = [(query, 0)]
    seen = 0
    while waiting:
        part, depth = waiting.pop()
        seen += not isinstance(part, tree.Query)
        keys = len(part.order) if isinstance(part, tree.Query) else 0
        if depth > _DEEPEST or seen > _MOST_CONDITIONS or keys > _MOST_KEYS:
            message = "Query is either selecting too many fields or the filter conditions are too complicated."
            raise ApiError("QUERY_TOO_COMPLICATED", message)
        waiting += ((each, depth + 1) for each in _inside(part))


def _inside(part: "tree.Condition | tree.Query") -> "Iterator[tree.Condition | tree.Query]":
    match part:
        case tree.Query():
            yield from (each for each in part.items or () if isinstance(each, tree.Query))
            yield from (each for each in (part.where, part.having) if each is not None)
        case tree.Junction():
            yield from part.operands
        case tree.Negation():
            yield part.operand
        case tree.Membership() if isinstance(part.members, tree.Query):
            yield part.members
