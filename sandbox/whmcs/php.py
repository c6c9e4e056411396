"""How PHP reads a form and a flag, and how it writes JSON (whmcs-wire §0, §1.1, §1.3)."""

import json
import re
from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import parse_qsl

PhpValue: TypeAlias = str | dict[int | str, "PhpValue"]
PhpArray: TypeAlias = dict[int | str, PhpValue]

MAX_INPUT_VARS = 1000
_WHOLE_NUMBER = re.compile(r"(0|-?[1-9][0-9]{0,17})\Z")
_LEADING_INTEGER = re.compile(r"[ \t\n\r\v\f]*([+-]?[0-9]{1,18})")


def parse_urlencoded(body: bytes) -> PhpArray:
    """`application/x-www-form-urlencoded` bytes as `$_POST` would hold them."""
    return nest(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def nest(pairs: Iterable[tuple[str, str]]) -> PhpArray:
    """Builds `$_POST` from name and value pairs in their order; what exceeds max_input_vars is dropped, as PHP does."""
    form: PhpArray = {}
    for number, (name, value) in enumerate(pairs):
        if number >= MAX_INPUT_VARS:
            break
        path = _path(name)
        if path:
            _assign(form, path, value)
    return form


def _path(name: str) -> list[str | None]:
    """`a[x][]` → `["a", "x", None]`; None stands for "next free index". An empty list means: no variable at all."""
    name = name.lstrip(" ")
    base, bracket, rest = name.partition("[")
    if not base:
        return []
    if bracket and "]" not in rest:
        return [_mangled(name.replace("[", "_", 1))]
    path: list[str | None] = [_mangled(base)]
    while bracket and "]" in rest:
        key, _, rest = rest.partition("]")
        path.append(key or None)
        if not rest.startswith("["):
            break
        rest = rest[1:]
    return path


def _mangled(name: str) -> str:
    return name.replace(".", "_").replace(" ", "_")


def _assign(form: PhpArray, path: list[str | None], value: str) -> None:
    here = form
    for step in path[:-1]:
        key = _key(here, step)
        below = here.get(key)
        if not isinstance(below, dict):
            below = {}
            here[key] = below
        here = below
    here[_key(here, path[-1])] = value


def _key(array: PhpArray, step: str | None) -> int | str:
    if step is None:
        return max((key for key in array if isinstance(key, int)), default=-1) + 1
    return array_key(step)


def array_key(text: str) -> int | str:
    """PHP turns a key that is a whole number in its plain form into an integer; `012` and `1.0` stay strings."""
    return int(text) if _WHOLE_NUMBER.match(text) else text


def truthy(value: PhpValue | None) -> bool:
    """Only a missing value, `""`, `"0"` and an empty array are false: `"false"` and `"False"` are true (§0 no. 1)."""
    if isinstance(value, dict):
        return bool(value)
    return value not in (None, "", "0")


def to_int(value: PhpValue | None) -> int:
    """`(int)$value`: the leading digits of a string, else 0; 1 for a filled array."""
    if isinstance(value, dict):
        return int(bool(value))
    match = _LEADING_INTEGER.match(value or "")
    return int(match.group(1)) if match else 0


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
