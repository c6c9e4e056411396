"""PHP's serialize() for the few arrays that WHMCS wants, in base64 (whmcs-wire.md §1.4). There is no unserialize."""

import base64
from collections.abc import Mapping
from typing import TypeAlias

Value: TypeAlias = "int | str | Mapping[int, Value] | Mapping[str, Value]"


def encoded(array: Mapping[int, Value]) -> str:
    """base64(serialize($array)). Raises ValueError for a NUL in a text, TypeError for any type not listed."""
    return base64.b64encode(serialize(array)).decode("ascii")


def serialize(value: Value) -> bytes:
    """Integers, texts and arrays only; lengths count bytes of UTF-8. A text stays a text, whatever it holds."""
    if isinstance(value, bool):
        raise TypeError("a flag is sent as 1 or left out (whmcs-wire.md §0 no. 1)")
    if isinstance(value, int):
        return b"i:%d;" % value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        inner = b"".join(_key(key) + serialize(each) for key, each in value.items())
        return b"a:%d:{%s}" % (len(value), inner)
    raise TypeError(f"PHP arrays of ours hold no {type(value).__name__}")


def _key(key: int | str) -> bytes:
    """PHP turns a key of digits into an integer, and so do we."""
    plain = isinstance(key, str) and key.isascii() and key.isdigit() and str(int(key)) == key
    return serialize(int(key) if plain else key)


def _text(text: str) -> bytes:
    if "\0" in text:
        raise ValueError("a NUL in a text for WHMCS")
    data = text.encode("utf-8")
    return b's:%d:"%s";' % (len(data), data)
