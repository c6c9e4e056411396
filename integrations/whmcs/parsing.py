"""WHMCS' irregular answers made regular (whmcs-wire.md §1.5): lists in six shapes, numbers as texts, HTML entities."""

import html
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Row = Mapping[str, Any]


class BadShape(Exception):
    """A field is missing or is not what it should be; the text names it and the row, and shows no value."""


def json_object(body: bytes) -> dict[str, Any]:
    """The body as an object, whatever its content type says. Raises BadShape for HTML, PHP warnings and the rest."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise BadShape("the answer is not JSON") from None
    if not isinstance(value, dict):
        raise BadShape("the answer is not a JSON object")
    return value


def verdict(body: Row) -> str:
    """`success`, `error`, or empty; one documented sample calls it `status` instead of `result`."""
    value = body.get("result") or body.get("status")
    return value.strip().lower() if isinstance(value, str) else ""


def rows(value: Any, singular: str = "") -> list[Row]:
    """The rows of a collection: a list, `{"singular": [...]}`, a single object, one with numeric keys, or nothing."""
    if isinstance(value, Mapping) and singular in value:
        value = value[singular]
    if value in (None, "", {}, []):
        return []
    if isinstance(value, Mapping):
        value = list(value.values()) if all(str(key).isdigit() for key in value) else [value]
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        raise BadShape(f"{singular or 'the list'} is not a list of rows")
    return value


def text(row: Row, *names: str) -> str:
    """The first of these fields that holds something, entities decoded once; empty when none does."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str | int | Decimal) and not isinstance(value, bool) and value != "":
            return html.unescape(str(value))
    return ""


def integer(row: Row, *names: str) -> int:
    """A whole number in the first of these fields that holds something. Raises BadShape when it is missing or none."""
    found = maybe_integer(row, *names)
    if found is None:
        raise BadShape(f"{names[0]} is missing")
    return found


def maybe_integer(row: Row, *names: str) -> int | None:
    """As `integer`; None when all of the fields are missing or empty."""
    digits = text(row, *names).strip()
    if digits and not (digits.isascii() and digits.removeprefix("-").isdigit()):
        raise BadShape(f"{names[0]} is not a whole number")
    return int(digits) if digits else None


def integers(row: Row, *names: str) -> tuple[int, ...]:
    """A comma list of ids, or a list; empty when all of the fields are."""
    listed = next((row[name] for name in names if isinstance(row.get(name), list)), None)
    parts = [str(part) for part in listed] if listed else text(row, *names).split(",")
    digits = [part.strip() for part in parts if part.strip()]
    if not all(part.isascii() and part.isdigit() for part in digits):
        raise BadShape(f"{names[0]} is not a list of ids")
    return tuple(int(part) for part in digits)


def money(row: Row, name: str) -> Decimal:
    """A decimal text such as "1000.00". Raises BadShape for a missing or formatted amount."""
    try:
        amount = Decimal(text(row, name).strip())
    except InvalidOperation:
        raise BadShape(f"{name} is not an amount") from None
    if not amount.is_finite():
        raise BadShape(f"{name} is not an amount")
    return amount


def day(row: Row, name: str) -> str:
    """A date as YYYY-MM-DD, empty for none (`0000-00-00` on the wire)."""
    value = text(row, name)[:10]
    return "" if value.startswith("0000") else value


def cycle(value: str) -> str:
    """One spelling for each billing cycle: monthly, annually, onetime, free, … (whmcs-wire.md §2)."""
    plain = value.lower().replace("-", "").replace(" ", "")
    return "free" if plain == "freeaccount" else plain
