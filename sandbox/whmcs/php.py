"""How PHP reads a form and a flag, and how it writes JSON (whmcs-wire §0, §1.1, §1.3)."""

import json
import re
from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import parse_qsl

PhpValue: TypeAlias = str | dict[int | str, "PhpValue"]
PhpArray: TypeAlias = dict[int | str, PhpValue]

MAX_INPUT_VARS = 1000
MAX_INPUT_NESTING_LEVEL = 64
INT_MAX = 2**63 - 1
_BLANKS = " \t\n\r\v\f"
_WHOLE_NUMBER = re.compile(r"(0|-?[1-9][0-9]{0,18})\Z")
_LEADING_INTEGER = re.compile(rf"[{_BLANKS}]*([+-]?)0*([0-9]+)")
# Enough to be beyond 64 bits; Python refuses to read numbers of some thousands of digits.
_MOST_DIGITS = 20
_UNDERSCORES = str.maketrans(". [", "___")


def parse_urlencoded(body: bytes) -> PhpArray:
    """`application/x-www-form-urlencoded` bytes as `$_POST` would hold them."""
    return nest(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def nest(pairs: Iterable[tuple[str, str]]) -> PhpArray:
    """Builds `$_POST` from name and value pairs in their order, as PHP's main/php_variables.c does.

    What exceeds max_input_vars is dropped, and a variable that is nested too deeply takes all of its name with it.
    """
    form: PhpArray = {}
    for number, (name, value) in enumerate(pairs):
        if number >= MAX_INPUT_VARS:
            break
        path = _path(name)
        if len(path) > MAX_INPUT_NESTING_LEVEL + 1:
            form.pop(array_key(path[0] or ""), None)
        elif path:
            _assign(form, path, value)
    return form


def _path(name: str) -> list[str | None]:
    """`a[x][]` → `["a", "x", None]`; None stands for "next free index". An empty list means: no variable at all."""
    base, bracket, rest = name.partition("\0")[0].lstrip(" ").partition("[")
    if not base:
        return []
    path: list[str | None] = [_mangled(base)]
    if bracket and "]" not in rest:
        return [_mangled(f"{base}[{rest}")]
    while bracket == "[" and "]" in rest and len(path) <= MAX_INPUT_NESTING_LEVEL + 1:
        key, rest = _index(rest)
        path.append(key)
        bracket, rest = rest[:1], rest[1:]
    return path


def _index(rest: str) -> tuple[str | None, str]:
    """What stands before the closing bracket, None for nothing or one blank, and what follows it."""
    key, _, rest = rest.partition("]")
    return (None if not key or (len(key) == 1 and key in _BLANKS) else key), rest


def _mangled(name: str) -> str:
    return name.translate(_UNDERSCORES)


def _assign(form: PhpArray, path: list[str | None], value: str) -> None:
    here = form
    for step in path[:-1]:
        key = _key(here, step)
        below = here.get(key)
        if not isinstance(below, dict):
            below = {}
            here[key] = below
        here = below
    key = _key(here, path[-1])
    if not isinstance(key, int) or key <= INT_MAX:
        here[key] = value


def _key(array: PhpArray, step: str | None) -> int | str:
    """A new index follows the highest one there is, and is 0 at least."""
    if step is not None:
        return array_key(step)
    return max(-1, *(key for key in array if isinstance(key, int)), -1) + 1


def array_key(text: str) -> int | str:
    """PHP turns a key that is a whole number in its plain form into an integer; `012` and `1.0` stay strings."""
    if not _WHOLE_NUMBER.match(text):
        return text
    number = int(text)
    return number if -INT_MAX <= number <= INT_MAX else text


def truthy(value: PhpValue | None) -> bool:
    """Only a missing value, `""`, `"0"` and an empty array are false: `"false"` and `"False"` are true (§0 no. 1)."""
    if isinstance(value, dict):
        return bool(value)
    return value not in (None, "", "0")


def to_int(value: PhpValue | None) -> int:
    """`(int)$value`: the leading digits of a string within 64 bits, else 0; 1 for a filled array."""
    if isinstance(value, dict):
        return int(bool(value))
    match = _LEADING_INTEGER.match(value or "")
    number = int(match.group(1) + match.group(2)[:_MOST_DIGITS]) if match else 0
    return max(-INT_MAX, min(number, INT_MAX))


def text(value: PhpValue | None) -> str:
    """A scalar as a string; an array where a scalar was expected counts as not given."""
    return value if isinstance(value, str) else ""


def by_key(value: PhpValue | None) -> dict[int | str, PhpValue]:
    """A parallel-array parameter by its keys; a scalar is the value of key 0 (§1.3)."""
    if value is None:
        return {}
    return value if isinstance(value, dict) else {0: value}


def json_encode(value: object) -> str:
    r"""`json_encode()` with PHP's defaults: `\/`, `\uXXXX` and no blanks (§1)."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")
