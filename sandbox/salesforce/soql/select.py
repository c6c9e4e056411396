"""A query's text bound to the schema, or the platform's refusal (salesforce-wire.md, sections 3.1 and 3.2)."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql import grouping, joins, ordering
from sandbox.salesforce.soql.columns import Column, Operand, Scope
from sandbox.salesforce.soql.conditions import Binder, Filter
from sandbox.salesforce.soql.functions import operand
from sandbox.salesforce.soql.grouping import GroupSelection
from sandbox.salesforce.soql.parsing import parse
from sandbox.salesforce.soql.plans import Best, Lookup
from sandbox.salesforce.soql.selection import CountSelection, Matching, RowSelection
from sandbox.salesforce.soql.shaping import Shaping, unsupported
from sandbox.salesforce.soql.source import Source
from sandbox.salesforce.soql.tree import Comparison, Condition, Expression, FieldPath, Junction, Membership, Query

LATEST = 68.0
# The query itself and four levels of children; before version 58.0 it was one.
MOST_LEVELS_BELOW = 4
_FIRST_VERSION_WITH_LEVELS = 58.0
_LINK_KEYS = frozenset({"ContentDocumentId", "LinkedEntityId"})

Selected: TypeAlias = RowSelection | GroupSelection | CountSelection


def select(source: Source, text: str, version: float = LATEST) -> Selected:
    """Parse a query and bind it to what the source offers. Raises ApiError."""
    return _Selecting(source, version).root(parse(text))


class _Selecting:
    def __init__(self, source: Source, version: float) -> None:
        self._source = source
        self._version = version

    def root(self, query: Query) -> Selected:
        scope = self._scope(self._sobject(query), query)
        if query.where is not None:
            joins.check_where(query.where)
        joins.refuse_any(query.having)
        selected = self._selected(scope, self._matching(scope, query), query)
        _refuse_unfiltered_links(scope, query.where)
        return selected

    def _selected(self, scope: Scope, matching: Matching, query: Query) -> Selected:
        if grouping.is_aggregate(query):
            return grouping.bind(scope, matching, query, lambda resolve: self._binder(scope, resolve))
        if query.items is None:
            return CountSelection(matching, ordering.bind(query, _refuse_order))
        return self._rows(scope, matching, query, 0)

    def _rows(self, scope: Scope, matching: Matching, query: Query, level: int) -> RowSelection:
        shaping = Shaping(scope, query, self._version, lambda child, inner: self._children(child, inner, level + 1))
        order = ordering.bind(query, lambda expression: operand(scope, expression))
        return RowSelection(matching, shaping.shape(), order)

    def _children(self, sobject: SObject, query: Query, level: int) -> RowSelection:
        most = MOST_LEVELS_BELOW if self._version >= _FIRST_VERSION_WITH_LEVELS else 1
        if level > most:
            message = (
                f"SOQL statements cannot query aggregate relationships more than {most} level{'s' if most > 1 else ''} "
                "away from the root entity object."
            )
            raise ApiError("MALFORMED_QUERY", message)
        if query.items is None or grouping.is_aggregate(query):
            raise query.place.refuse("MALFORMED_QUERY", "only root queries support aggregate expressions")
        joins.refuse_any(query.where)
        scope = self._scope(sobject, query)
        return self._rows(scope, self._matching(scope, query), query, level)

    def _matching(self, scope: Scope, query: Query) -> Matching:
        binder = self._binder(scope, lambda expression: operand(scope, expression))
        found = None if query.where is None else binder.bind(query.where)
        return Matching(self._source, scope.sobject, self._in_scope(scope, query, found))

    def _in_scope(self, scope: Scope, query: Query, found: Filter | None) -> Filter | None:
        """USING SCOPE: everything there is, or what the user owns."""
        if query.scope is None or query.scope.text.casefold() == "everything":
            return found
        owner = scope.sobject.field("OwnerId")
        if query.scope.text.casefold() != "mine" or owner is None:
            raise query.scope.place.refuse("INVALID_QUERY_SCOPE", "The specified search scope is not valid")
        user_id, test = self._source.user_id, None if found is None else found.test
        lookup = Lookup(Column((), (scope.sobject,), owner), lambda: (user_id,))
        plan = Best((lookup, found.plan)) if found is not None and found.plan is not None else lookup
        return Filter(lambda record: record["OwnerId"] == user_id and (test is None or test(record)), plan)

    def _binder(self, scope: Scope, resolve: Callable[[Expression], Operand]) -> Binder:
        return Binder(self._source, resolve, lambda left, outer, query: self._inner(scope, left, outer, query))

    def _inner(self, outer: Scope, left: Operand, membership: Membership, query: Query) -> Callable[[], frozenset[Any]]:
        path = joins.selected(query)
        sobject = self._sobject(query)
        if sobject is outer.sobject:
            message = "The inner and outer selects should not be on the same object type"
            raise membership.left.place.refuse("MALFORMED_QUERY", message)
        scope = self._scope(sobject, query)
        column = scope.column(path)
        joins.check_types(left, membership, column, path)
        matching = self._matching(scope, query)

        @cache
        def values() -> frozenset[Any]:
            found = (column.value(self._source, record) for record in matching.records())
            return frozenset(each for each in found if each is not None)

        return values

    def _sobject(self, query: Query) -> SObject:
        name = str(query.source)
        sobject = self._source.schema.get(name)
        if sobject is None or sobject.event:
            raise unsupported(name, query.source.place)
        return sobject

    def _scope(self, sobject: SObject, query: Query) -> Scope:
        first, *others = query.sources
        aliases: dict[str, tuple[str, ...]] = {}
        if first.alias:
            aliases[first.alias.casefold()] = ()
        for each in others:
            start, *rest = each.path.names
            if start.casefold() not in {*aliases, sobject.name.casefold()} or not rest:
                raise unsupported(str(each.path), each.path.place)
            whole = (*aliases.get(start.casefold(), ()), *rest)
            Scope(self._source.schema, sobject).relationship(FieldPath(whole, each.path.place))
            if each.alias:
                aliases[each.alias.casefold()] = whole
        return Scope(self._source.schema, sobject, aliases)


def _refuse_order(expression: Expression) -> Operand:
    """COUNT() counts records, which have no order."""
    raise expression.place.refuse("MALFORMED_QUERY", f"Ordered field must be grouped or aggregated: {expression}")


def _refuse_unfiltered_links(scope: Scope, where: Condition | None) -> None:
    """A restriction of the platform's own: nobody may look through the links of all files."""
    if scope.sobject.name != "ContentDocumentLink":
        return
    conditions = where.operands if isinstance(where, Junction) and where.every else (where,)
    if not any(_finds_by_link(scope, each) for each in conditions):
        message = (
            "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or "
            "LinkedEntityId using the equals operator or multiple Id's using the IN operator."
        )
        raise ApiError("MALFORMED_QUERY", message)


def _finds_by_link(scope: Scope, condition: Condition | None) -> bool:
    equals = isinstance(condition, Comparison) and condition.operator == "="
    among = isinstance(condition, Membership) and not condition.negated
    if not (isinstance(condition, Comparison | Membership) and (equals or among)):
        return False
    left = condition.left
    if not isinstance(left, FieldPath):
        return False
    column = scope.column(left)
    return not column.hops and column.field.name in _LINK_KEYS
