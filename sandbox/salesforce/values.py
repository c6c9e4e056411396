"""From a JSON value of a request to what the org keeps, or Salesforce's refusal (salesforce-wire.md, section 3.1)."""

import base64
import binascii
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.salesforce import ids, moments
from sandbox.salesforce.errors import ApiError, unreadable
from sandbox.salesforce.schema import TEXTS, Field

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,4})?", re.ASCII | re.IGNORECASE)
_LARGEST_INT = 2**31
_TYPE_NAMES = {"double": "double", "currency": "double", "percent": "double", "reference": "string", "id": "string"}
# Of a value that is refused, as much as somebody would read.
_SHOWN = 1000


def accept(field: Field, value: Any) -> Any:
    """The value as the org keeps it. Raises ApiError."""
    if value is None:
        return False if field.type == "boolean" else None
    if isinstance(value, str) and field.type in TEXTS | {"id", "reference", "base64"}:
        # Long text keeps its blanks, everything else loses those around it; nothing but blanks is nothing.
        value = value if field.type in ("textarea", "base64") and value.strip() else value.strip()
        if not value:
            return None
    return _READERS[field.type](field, value)


def _misfit(field: Field, value: Any) -> ApiError:
    typed = field.type if field.type in ("boolean", "date", "datetime", "int") else "string"
    return unreadable(_TYPE_NAMES.get(field.type, typed), value[:_SHOWN] if isinstance(value, str) else value)


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _misfit(field, value)
    # The platform counts in UTF-16.
    if len(value) * 2 > field.length and len(value.encode("utf-16-le")) // 2 > field.length:
        message = f"{field.label}: data value too large: {value[:_SHOWN]} (max length={field.length})"
        raise ApiError("STRING_TOO_LONG", message, [field.name])
    return value


def _picklist(field: Field, value: Any) -> str:
    text = _text(field, value)
    if field.restricted and text not in field.values:
        raise _bad_choice(field, text)
    return text


def _multipicklist(field: Field, value: Any) -> str:
    """Choices between semicolons, kept in the order in which the field offers them."""
    chosen = list(dict.fromkeys(each.strip() for each in _text(field, value).split(";") if each.strip()))
    for each in chosen:
        if field.restricted and each not in field.values:
            raise _bad_choice(field, each)
    offered = [each for each in field.values if each in chosen]
    return ";".join([*offered, *(each for each in chosen if each not in offered)])


def _bad_choice(field: Field, value: str) -> ApiError:
    message = f"{field.label}: bad value for restricted picklist field: {value[:_SHOWN]}"
    return ApiError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])


def _email(field: Field, value: Any) -> str:
    text = _text(field, value)
    if not _EMAIL.fullmatch(text):
        raise ApiError("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", [field.name])
    return text


def _decimal(field: Field, value: Any) -> Decimal:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number and not (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise _misfit(field, value)
    try:
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
    except InvalidOperation as error:
        raise _out_of_range(field, value) from error


def _number(field: Field, value: Any) -> float:
    number = _decimal(field, value)
    if abs(number) >= Decimal(10) ** (field.precision - field.scale):
        raise _out_of_range(field, value)
    return float(number)


def _int(field: Field, value: Any) -> int:
    number = _decimal(field, value)
    if not -_LARGEST_INT <= number < _LARGEST_INT:
        raise _out_of_range(field, value)
    return int(number)


def _out_of_range(field: Field, value: Any) -> ApiError:
    message = f"{field.label}: value outside of valid range on numeric field: {str(value)[:_SHOWN]}"
    return ApiError("NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.casefold() in ("true", "false"):
        return value.casefold() == "true"
    raise _misfit(field, value)


def _date(field: Field, value: Any) -> str:
    day = moments.read_date(value[:10]) if isinstance(value, str) else None
    if day is None or (len(value) > 10 and moments.read(value) is None):
        raise _misfit(field, value)
    return day


def _datetime(field: Field, value: Any) -> str:
    moment = None
    if isinstance(value, str):
        moment = moments.read(f"{value}T00:00:00Z" if len(value) == 10 else value)
    if moment is None:
        raise _misfit(field, value)
    return moment


def _reference(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _misfit(field, value)
    record_id = ids.normalise(value)
    if record_id is None:
        message = f"{field.label}: id value of incorrect type: {value[:_SHOWN]}"
        raise ApiError("MALFORMED_ID", message, [field.name])
    return record_id


def _base64(field: Field, value: Any) -> str:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise _misfit(field, value) from error
    return str(value)


_READERS: dict[str, Callable[[Field, Any], Any]] = {
    "string": _text,
    "textarea": _text,
    "phone": _text,
    "url": _text,
    "combobox": _text,
    "picklist": _picklist,
    "multipicklist": _multipicklist,
    "email": _email,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "int": _int,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "id": _reference,
    "reference": _reference,
    "base64": _base64,
}
