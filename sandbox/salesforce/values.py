"""From a JSON value of a request to what the org keeps, or Salesforce's refusal (salesforce-wire.md, section 3.1)."""

import base64
import binascii
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.salesforce import ids, moments
from sandbox.salesforce.errors import ApiError, unreadable
from sandbox.salesforce.schema import NUMBERS, TEXTS, Field

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_TYPE_NAMES = {"double": "double", "currency": "double", "percent": "double", "reference": "string", "id": "string"}


def accept(field: Field, value: Any) -> Any:
    """The value as the org keeps it. Raises ApiError."""
    if value is None and field.type == "boolean":
        return False
    if value is None or (value == "" and field.type in TEXTS | {"reference", "base64"}):
        return None
    return _reader(field)(field, value)


def _reader(field: Field) -> Callable[[Field, Any], Any]:
    if field.type in TEXTS:
        return _text
    if field.type in NUMBERS:
        return _number
    return {"boolean": _boolean, "date": _date, "datetime": _datetime, "reference": _reference, "base64": _base64}[
        field.type
    ]


def _misfit(field: Field, value: Any) -> ApiError:
    typed = field.type if field.type in ("boolean", "date", "datetime") else "string"
    return unreadable(_TYPE_NAMES.get(field.type, typed), value)


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _misfit(field, value)
    if field.restricted and value not in field.values:
        message = f"{field.label}: bad value for restricted picklist field: {value}"
        raise ApiError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
    if len(value) > field.length:
        message = f"{field.label}: data value too large: {value} (max length={field.length})"
        raise ApiError("STRING_TOO_LONG", message, [field.name])
    if field.type == "email" and not _EMAIL.fullmatch(value):
        message = f"{field.label}: invalid email address: {value}"
        raise ApiError("INVALID_EMAIL_ADDRESS", message, [field.name])
    return value


def _number(field: Field, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _misfit(field, value)
    try:
        number = Decimal(str(value)).quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
    except InvalidOperation as error:
        raise _misfit(field, value) from error
    if field.precision and abs(number) >= Decimal(10) ** (field.precision - field.scale):
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise ApiError("NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])
    return float(number)


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
        raise ApiError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", [field.name])
    return record_id


def _base64(field: Field, value: Any) -> str:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise _misfit(field, value) from error
    return str(value)
