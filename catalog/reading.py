"""Readers of single fields of Product2: each gives what the mirror stores, or a ValueError that tells staff why not.

What they give can always be stored: PostgreSQL refuses some texts and numbers that JSON and Salesforce allow.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from catalog.options import BrokenOptions, parse

LARGEST = 2**31 - 1  # of PostgreSQL's integer
LONGEST_JSON = 131_072  # characters; Salesforce's own limit of a long text area
DEEPEST_JSON = 10
LONGEST_LINE = 255


def yen(value: Any) -> int:
    """A price in whole yen."""
    if value is None:
        raise ValueError("no active JPY entry in the pricebook")
    amount = _number(value)
    if not 0 <= amount <= LARGEST or amount != amount.to_integral_value():
        raise ValueError(f"{amount} is not a whole number of yen")
    return int(amount)


def text(value: Any) -> str:
    """Any text, empty for null, without the blanks around it."""
    return _storable(str(value or "").strip())


def short(longest: int = LONGEST_LINE) -> Callable[[Any], str]:
    """A reader of texts of at most `longest` characters."""

    def read(value: Any) -> str:
        found = text(value)
        if len(found) > longest:
            raise ValueError(f"is longer than {longest} characters")
        return found

    return read


def needed(longest: int = LONGEST_LINE) -> Callable[[Any], str]:
    """As `short`; empty is a fault."""

    def read(value: Any) -> str:
        found = short(longest)(value)
        if not found:
            raise ValueError("is empty")
        return found

    return read


def sku(longest: int) -> Callable[[Any], str]:
    """As `needed`; a slash is a fault, for the SKU is one part of a page's address."""

    def read(value: Any) -> str:
        found = needed(longest)(value)
        if "/" in found:
            raise ValueError('holds a "/", which no page\'s address can have')
        return found

    return read


def one_of(allowed: Sequence[str], *, empty: str | None = None) -> Callable[[Any], str]:
    """A reader of picklists; `empty` is what null means, where it means something."""

    def read(value: Any) -> str:
        found = text(value)
        if not found and empty is not None:
            return empty
        if found not in allowed:
            raise ValueError(f"{found[:LONGEST_LINE] or 'empty'} is not one of {', '.join(allowed)}")
        return found

    return read


def whmcs_id(value: Any) -> int:
    """The id of a WHMCS product, which Salesforce keeps as a text."""
    found = text(value)
    if not (found.isascii() and found.isdigit() and len(found) <= 10 and 0 < int(found) <= LARGEST):
        raise ValueError(f"{found[:40] or 'empty'} is not a WHMCS product id")
    return int(found)


def whole(value: Any) -> int:
    """A whole number, 0 for null; what stands behind the point is dropped."""
    amount = _number(value or 0)
    if abs(amount) > LARGEST:
        raise ValueError("is too large a number")
    return int(amount)


def options(value: Any) -> list[Any]:
    """The options' JSON, checked with catalog.options; empty means none."""
    if not text(value):
        return []
    raw = _json(value)
    try:
        parse(raw)
    except BrokenOptions as error:
        raise ValueError(str(error)) from error
    return list(raw)


def attributes(value: Any) -> dict[str, Any]:
    """A JSON object; empty means none."""
    found = _json(value) if text(value) else {}
    if not isinstance(found, dict):
        raise ValueError("is not a JSON object")
    return found


def lines(value: Any) -> list[str]:
    """One text per line; blank ones do not count."""
    return [line.strip() for line in text(value).splitlines() if line.strip()]


def _number(value: Any) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("is not a number") from error
    if not amount.is_finite():
        raise ValueError("is not a number")
    return amount


def _storable(found: str) -> str:
    if "\0" in found or any("\ud800" <= letter <= "\udfff" for letter in found):
        raise ValueError("holds a character that cannot be stored")
    return found


def _json(value: Any) -> Any:
    found = text(value)
    if len(found) > LONGEST_JSON:
        raise ValueError(f"is longer than {LONGEST_JSON} characters")
    try:
        decoded = json.loads(found, object_pairs_hook=_object, parse_constant=_no_constant)
    except _Twice:
        raise
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON ({error})") from error
    for depth, part in _parts(decoded):
        _fits(depth, part)
    return decoded


class _Twice(ValueError):
    """An object names a key twice: JSON lets the last one win, which nobody meant."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        raise _Twice(f"names {next(name for name in names if names.count(name) > 1)!a:.80} twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no value of JSON")


def _parts(value: Any, depth: int = 0) -> Iterator[tuple[int, Any]]:
    """Every value in `value` with its depth; goes no deeper than is allowed."""
    yield depth, value
    if depth > DEEPEST_JSON:
        return
    if isinstance(value, dict):
        for name, part in value.items():
            yield depth, name
            yield from _parts(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _parts(part, depth + 1)


def _fits(depth: int, part: Any) -> None:
    if depth > DEEPEST_JSON:
        raise ValueError(f"is nested deeper than {DEEPEST_JSON} levels")
    if isinstance(part, str):
        _storable(part)
    elif (isinstance(part, float) and not math.isfinite(part)) or (isinstance(part, int) and abs(part) > 2**63):
        raise ValueError("holds a number that is too large")
