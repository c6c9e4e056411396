"""Constants of a query, checked against the type of the field they are compared with, in the form the org stores."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.salesforce import ids, moments
from sandbox.salesforce.schema import NUMBERS, TEXTS, Field
from sandbox.salesforce.soql.syntax import FieldPath, Literal

# Relative dates begin and end at midnight where the org is at home.
ORG_TIME_ZONE = ZoneInfo("Asia/Tokyo")

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\(.)")
_WANTED = {"date": "date", "datetime": "dateTime", "boolean": "boolean", "int": "int"}


def unescape(literal: Literal, *, keep: str = "") -> str:
    """The text a string constant stands for; escapes of the characters in `keep` stay. Raises ApiError."""

    def one(match: re.Match[str]) -> str:
        if match[1] in keep:
            return match[0]
        if match[1] not in _ESCAPES:
            message = f"Illegal escape sequence '{match[0]}' in string literal"
            raise literal.place.refuse("MALFORMED_QUERY", message)
        return _ESCAPES[match[1]]

    return _ESCAPE.sub(one, literal.text[1:-1])


def constant(field: Field, path: FieldPath, literal: Literal) -> Any:
    """The constant as a stored value of the field. Raises ApiError when it is of another type."""
    if literal.kind == "NULL":
        return None
    if literal.kind != _kind(field):
        raise _wrong_type(field, path, literal)
    if field.type in ("id", "reference"):
        return _id(path, literal)
    if field.type in TEXTS:
        return unescape(literal) or None
    return _plain(field, path, literal)


def _kind(field: Field) -> str:
    if field.type in NUMBERS:
        return "NUMBER"
    return {"boolean": "BOOLEAN", "date": "DATE", "datetime": "DATETIME"}.get(field.type, "STRING")


def _plain(field: Field, path: FieldPath, literal: Literal) -> Any:
    if field.type == "boolean":
        return literal.text.lower() == "true"
    if field.type in NUMBERS:
        return float(literal.text)
    value = moments.read_date(literal.text) if field.type == "date" else moments.read(literal.text)
    if value is None:
        raise _wrong_type(field, path, literal)
    return value


def _id(path: FieldPath, literal: Literal) -> str:
    record_id = ids.normalise(unescape(literal))
    if record_id is None:
        raise path.place.refuse("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.text[1:-1]}")
    return record_id


def _wrong_type(field: Field, path: FieldPath, literal: Literal) -> Exception:
    wanted = _WANTED.get(field.type, "double" if field.type in NUMBERS else "string")
    quotes = "should be enclosed in quotes" if _kind(field) == "STRING" else "should not be enclosed in quotes"
    message = f"value of filter criterion for field '{path.names[-1]}' must be of type {wanted} and {quotes}"
    return literal.place.refuse("INVALID_FIELD", message)


def period(field: Field, literal: Literal, now: datetime) -> tuple[str, str]:
    """First value within a relative date such as TODAY, and first value after it, as the field stores them."""
    start, end = _days(literal.text.upper(), now.astimezone(ORG_TIME_ZONE).date())
    if field.type == "date":
        return start.isoformat(), end.isoformat()
    return _midnight(start), _midnight(end)


def _midnight(day: date) -> str:
    return moments.write(datetime.combine(day, time(), ORG_TIME_ZONE).astimezone(UTC))


def _days(name: str, today: date) -> tuple[date, date]:
    day = timedelta(days=1)
    word, _, number = name.partition(":")
    if word == "LAST_N_DAYS":
        return today - int(number) * day, today + day
    if word == "NEXT_N_DAYS":
        return today + day, today + (int(number) + 1) * day
    if word in ("TODAY", "YESTERDAY", "TOMORROW"):
        start = today + {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}[word] * day
        return start, start + day
    offset = {"LAST_MONTH": -1, "THIS_MONTH": 0, "NEXT_MONTH": 1}[word]
    return _month(today, offset), _month(today, offset + 1)


def _month(day: date, offset: int) -> date:
    months = day.year * 12 + day.month - 1 + offset
    return date(months // 12, months % 12 + 1, 1)
