"""What a query shows of each record: its select list bound to the schema."""

from collections.abc import Callable
from typing import TypeAlias

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.soql.columns import ADVICE, ANY_TYPE, Column, Scope
from sandbox.salesforce.soql.functions import operand
from sandbox.salesforce.soql.place import Place
from sandbox.salesforce.soql.selection import Branches, Children, Parent, Part, RowSelection, Shape
from sandbox.salesforce.soql.tree import Call, FieldPath, Plain, Query, TypeOf

MOST_CHILD_TYPES = 20
LARGEST_FIELDS_LIMIT = 200
_FIRST_VERSION_WITH_FIELDS = 51.0
_FIELD_SETS: dict[str, Callable[[Field], bool]] = {
    "ALL": lambda _: True,
    "STANDARD": lambda field: not field.name.endswith("__c"),
    "CUSTOM": lambda field: field.name.endswith("__c"),
}

BindChildren: TypeAlias = Callable[[SObject, Query], RowSelection]


class Shaping:
    """Binds the select list of one query; `children` binds a sub-query to the type it selects from."""

    def __init__(self, scope: Scope, query: Query, version: float, children: BindChildren) -> None:
        self._scope = scope
        self._query = query
        self._version = version
        self._children = children
        self._shape = Shape(scope.sobject)

    def shape(self) -> Shape:
        """The bound list. Raises ApiError."""
        items = self._query.items or ()
        if sum(isinstance(each, Query) for each in items) > MOST_CHILD_TYPES:
            message = f"SOQL statements cannot query more than {MOST_CHILD_TYPES} different child types."
            raise ApiError("MALFORMED_QUERY", message)
        for item in items:
            match item:
                case Query():
                    self._add_children(item)
                case TypeOf():
                    self._add_branches(item)
                case Plain():
                    self._add_plain(item)
        return self._shape

    def _add_plain(self, item: Plain) -> None:
        expression = item.expression
        if isinstance(expression, Call) and expression.function == "FIELDS":
            self._add_all(expression)
        elif isinstance(expression, Call):
            self._add_call(expression, item.alias)
        elif item.alias:
            raise expression.place.refuse("MALFORMED_QUERY", "only aggregate expressions use field aliasing")
        else:
            self._add_column(self._scope.column(expression), None, expression.place)

    def _add_call(self, call: Call, alias: str | None) -> None:
        found = operand(self._scope, call)
        if not isinstance(found, Column):
            raise call.place.refuse("MALFORMED_QUERY", f"Field must be grouped or aggregated: {call}")
        self._add_column(found, alias, call.place)

    def _add_column(self, column: Column, alias: str | None, place: Place) -> None:
        shape = self._shape
        for hop, owner in zip(column.hops, column.owners[1:], strict=True):
            parent = shape.parts.setdefault(hop.relationship, Parent(hop, Shape(owner)))
            if not isinstance(parent, Parent):
                raise place.refuse("MALFORMED_QUERY", f"duplicate field selected: {hop.relationship}")
            shape = parent.shape
        _add(shape, alias or column.field.name, column.field, place)

    def _add_all(self, call: Call) -> None:
        wanted = str(call.arguments[0])
        if self._version < _FIRST_VERSION_WITH_FIELDS:
            message = "The SOQL FIELDS function is not supported in this version of the API"
            raise call.place.refuse("UNSUPPORTED_API_VERSION", message)
        if len(call.arguments) != 1 or wanted.upper() not in _FIELD_SETS:
            message = (
                "The SOQL FIELDS function only supports arguments of (all), (custom), (standard); "
                f"({wanted}) is not supported."
            )
            raise call.place.refuse("MALFORMED_QUERY", message)
        limit = self._query.limit
        if wanted.upper() != "STANDARD" and (limit is None or limit.value > LARGEST_FIELDS_LIMIT):
            message = f"The SOQL FIELDS function must have a LIMIT of at most {LARGEST_FIELDS_LIMIT}"
            raise call.place.refuse("MALFORMED_QUERY", message)
        for field in filter(_FIELD_SETS[wanted.upper()], self._scope.sobject.fields.values()):
            _add(self._shape, field.name, field, call.place)

    def _add_children(self, query: Query) -> None:
        name = query.source.names[-1]
        relationship = self._scope.sobject.child(name)
        if relationship is None:
            message = (
                f"Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use "
                f"a custom relationship, be sure to append the '__r' after the custom relationship name. {ADVICE}"
            )
            raise query.source.place.refuse("INVALID_TYPE", message)
        rows = self._children(self._scope.schema[relationship.child], query)
        _add(self._shape, relationship.name, Children(relationship.field, rows), query.place)

    def _add_branches(self, item: TypeOf) -> None:
        path = item.relationship
        hops, owners = self._scope.relationship(path)
        if len(hops) != 1 or owners[-1] is not ANY_TYPE:
            message = f"TYPEOF operand '{path}' is not a polymorphic relationship field"
            raise path.place.refuse("MALFORMED_QUERY", message)
        shapes = dict(self._branch(hops[0], name, paths) for name, paths in item.when)
        otherwise = _fields(Scope(self._scope.schema, ANY_TYPE), item.otherwise)
        _add(self._shape, hops[0].relationship, Branches(hops[0], shapes, otherwise), path.place)

    def _branch(self, hop: Field, name: FieldPath, paths: tuple[FieldPath, ...]) -> tuple[str, Shape]:
        sobject = self._scope.schema.get(str(name))
        if sobject is None or sobject.name not in hop.references:
            raise unsupported(str(name), name.place)
        return sobject.name, _fields(Scope(self._scope.schema, sobject), paths)


def unsupported(name: str, place: Place) -> ApiError:
    """There is no such type to query."""
    message = (
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the "
        f"'__c' after the entity name. {ADVICE}"
    )
    return place.refuse("INVALID_TYPE", message)


def _fields(scope: Scope, paths: tuple[FieldPath, ...]) -> Shape:
    shape = Shape(scope.sobject)
    for path in paths:
        column = scope.column(path)
        if column.hops:
            raise path.place.misplaced(f"unexpected token: '{path}'")
        _add(shape, column.field.name, column.field, path.place)
    return shape


def _add(shape: Shape, name: str, part: Part, place: Place) -> None:
    if name.casefold() in {each.casefold() for each in shape.parts}:
        raise place.refuse("MALFORMED_QUERY", f"duplicate field selected: {name}")
    shape.parts[name] = part
