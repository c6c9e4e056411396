"""The rules for a query inside of IN: where it may stand, and what it may select."""

from collections.abc import Iterator

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.soql.columns import Column, Operand
from sandbox.salesforce.soql.tree import Condition, FieldPath, Junction, Membership, Negation, Plain, Query

MOST = 2
_NESTED = (
    "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions."
)


def check_where(condition: Condition) -> None:
    """Refuse semi-joins where they may not stand. Raises ApiError MALFORMED_QUERY."""
    operands = condition.operands if isinstance(condition, Junction) else (condition,)
    joins = [each for each in operands if _is_join(each)]
    if joins and isinstance(condition, Junction) and not condition.every:
        raise ApiError("MALFORMED_QUERY", "Semi join sub-selects are not allowed with the 'OR' operator")
    if any(_is_join(inner) for each in operands if not _is_join(each) for inner in _all_within(each)):
        raise ApiError("MALFORMED_QUERY", _NESTED)
    if len(joins) > MOST:
        raise ApiError("MALFORMED_QUERY", f"Maximum {MOST} semi join sub-selects are allowed")


def refuse_any(condition: Condition | None) -> None:
    """Refuse every semi-join, for conditions that are not those of the whole query. Raises ApiError."""
    if condition is not None and any(_is_join(each) for each in (condition, *_all_within(condition))):
        raise ApiError("MALFORMED_QUERY", _NESTED)


def selected(query: Query) -> FieldPath:
    """The one field an inner query selects. Raises ApiError MALFORMED_QUERY."""
    for clause, part in (
        ("GROUP", query.groups),
        ("ORDER", query.order),
        ("LIMIT", query.limit),
        ("OFFSET", query.offset),
    ):
        if part:
            raise query.place.misplaced(f"missing value at '{clause}'")
    items = query.items or ()
    if len(items) != 1 or not isinstance(items[0], Plain) or not isinstance(items[0].expression, FieldPath):
        message = "semi join sub-selects must select exactly one field of an object"
        raise query.place.refuse("MALFORMED_QUERY", message)
    if query.where is not None and any(_is_join(each) for each in (query.where, *_all_within(query.where))):
        raise ApiError("MALFORMED_QUERY", "Nesting of semi join sub-selects is not supported")
    return items[0].expression


def check_types(left: Operand, outer: Membership, right: Column, inner: FieldPath) -> None:
    """Both sides must be ids of the same kind. Raises ApiError MALFORMED_QUERY."""
    place = outer.left.place
    if not isinstance(left, Column) or left.field.type not in ("id", "reference"):
        message = (
            "The left operand field in the where expression for outer query should be an id field, "
            f"cannot use: '{outer.left}'"
        )
        raise place.refuse("MALFORMED_QUERY", message)
    if right.field.type not in ("id", "reference"):
        message = f"semi join sub-selects can only query id fields, cannot use: '{inner}'"
        raise inner.place.refuse("MALFORMED_QUERY", message)
    for column, path, what in ((left, outer.left, "left operand"), (right, inner, "inner select field")):
        if len(column.hops) > 1:
            message = f"The {what} '{path}' cannot have more than one level of relationships"
            raise path.place.refuse("MALFORMED_QUERY", message)
    if not _points_to(left) & _points_to(right):
        message = (
            f"The selected field '{inner}' in the subquery and the left operand field in the where expression in the "
            f"outer query '{outer.left}' should point to the same object type"
        )
        raise place.refuse("MALFORMED_QUERY", message)


def _points_to(column: Column) -> frozenset[str]:
    return frozenset(column.field.references or (column.owners[-1].name,))


def _is_join(condition: Condition) -> bool:
    return isinstance(condition, Membership) and isinstance(condition.members, Query)


def _all_within(condition: Condition) -> Iterator[Condition]:
    inside: tuple[Condition, ...] = ()
    if isinstance(condition, Junction):
        inside = condition.operands
    elif isinstance(condition, Negation):
        inside = (condition.operand,)
    for each in inside:
        yield each
        yield from _all_within(each)
