"""Constants of a query, checked against the type of the field they are compared with, in the form the org stores."""

import re
from typing import Any

from sandbox.salesforce import ids, moments
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import NUMBERS, Field
from sandbox.salesforce.soql.place import Place
from sandbox.salesforce.soql.tree import Literal

LONGEST_STRING = 4_000
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_WANTED = {"date": "date", "datetime": "dateTime", "boolean": "boolean", "int": "int", "id": "ID", "reference": "ID"}


def unescape(literal: Literal, *, keep: str = "") -> str:
    """The text a string constant stands for; escapes of the characters in `keep` stay. Raises ApiError."""

    def one(match: re.Match[str]) -> str:
        if match[1] in keep:
            return match[0]
        if match[1].lower() not in _ESCAPES:
            message = (
                f"Invalid string literal {literal.text}. Illegal character sequence '{match[0]}' in string literal."
            )
            raise literal.place.refuse("MALFORMED_QUERY", message)
        return _ESCAPES[match[1].lower()]

    if len(literal.text) > LONGEST_STRING + 2:
        message = f"String literal is longer than the maximum of {LONGEST_STRING} characters"
        raise literal.place.refuse("MALFORMED_QUERY", message)
    return _ESCAPE.sub(one, literal.text[1:-1])


def constant(field: Field, place: Place, literal: Literal) -> Any:
    """The constant as a stored value of the field at `place`. Raises ApiError when it is of another type."""
    if literal.kind == "NULL":
        return None
    if literal.kind != _kind(field):
        raise wrong_type(field, literal)
    if field.type in ("id", "reference"):
        return _id(place, literal)
    if literal.kind == "STRING":
        return unescape(literal) or None
    return _plain(field, literal)


def wrong_type(field: Field, literal: Literal) -> ApiError:
    """The constant is of a type that the field has no values of."""
    wanted = _WANTED.get(field.type, "double" if field.type in NUMBERS else "string")
    quotes = "should be enclosed in quotes" if _kind(field) == "STRING" else "should not be enclosed in quotes"
    message = f"value of filter criterion for field '{field.name}' must be of type {wanted} and {quotes}"
    return literal.place.refuse("INVALID_FIELD", message)


def _kind(field: Field) -> str:
    if field.type in NUMBERS:
        return "NUMBER"
    return {"boolean": "BOOLEAN", "date": "DATE", "datetime": "DATETIME"}.get(field.type, "STRING")


def _plain(field: Field, literal: Literal) -> Any:
    if field.type == "boolean":
        return literal.text.lower() == "true"
    if field.type in NUMBERS:
        return float(literal.text)
    value = moments.read_date(literal.text) if field.type == "date" else moments.read(literal.text.upper())
    if value is None:
        kind = "date" if field.type == "date" else "datetime"
        raise literal.place.misplaced(f"Invalid {kind}: {literal.text}")
    return value


def _id(place: Place, literal: Literal) -> str:
    record_id = ids.normalise(unescape(literal))
    if record_id is None:
        raise place.refuse("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.text[1:-1]}")
    return record_id


def comparable(field: Field, value: Any) -> Any:
    """What equality compares: text without regard to case, and no truth value is false."""
    if field.type == "boolean":
        return bool(value)
    return value.casefold() if isinstance(value, str) else value


def sortable(field: Field, value: Any) -> Any:
    """What order goes by: picklists by the order of their values, ids as they are. `value` is not null."""
    if field.type in ("picklist", "combobox"):
        return field.values.index(value) if value in field.values else len(field.values), value.casefold()
    return value if field.type in ("id", "reference") else comparable(field, value)
