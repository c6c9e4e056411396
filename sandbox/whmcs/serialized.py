"""PHP's serialize() and its base64, read and written: scalars and arrays only (whmcs-wire §1.4).

Objects and references are refused, because unserialising them is how PHP applications get attacked. Lengths count
bytes of UTF-8. Keys are normalised as PHP does: a string key of plain digits becomes an integer.
"""

import base64
import binascii
import re
from typing import TypeAlias

from sandbox.whmcs.php import INT_MAX, array_key

Scalar: TypeAlias = bool | int | float | str | None
Value: TypeAlias = Scalar | dict[int | str, "Value"]
Array: TypeAlias = dict[int | str, Value]

MAX_DEPTH = 32
_INTEGER = re.compile(rb"[+-]?[0-9]{1,40}\Z")
_FLOAT = re.compile(rb"([+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?|-?INF|NAN)\Z")
_LENGTH = re.compile(rb"[0-9]{1,9}\Z")


class NotSerialized(ValueError):
    """The text is not base64 of a serialised scalar or array."""


def decode(encoded: str) -> Array:
    """The array behind a `base64(serialize($array))` parameter, or NotSerialized."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotSerialized("not base64") from error
    value = unserialize(raw)
    if not isinstance(value, dict):
        raise NotSerialized("not an array")
    return value


def unserialize(raw: bytes) -> Value:
    """One complete serialised value; trailing bytes are refused."""
    reader = _Reader(raw)
    value = reader.value(0)
    if reader.at != len(raw):
        raise NotSerialized("bytes after the value")
    return value


def serialize(value: Value) -> bytes:
    """What PHP's serialize() makes of the value."""
    match value:
        case None:
            return b"N;"
        case bool():
            return b"b:%d;" % value
        case int():
            return b"i:%d;" % value
        case float():
            return b"d:%s;" % repr(value).replace("inf", "INF").replace("nan", "NAN").encode()
        case str():
            raw = value.encode("utf-8", "surrogatepass")
            return b's:%d:"%s";' % (len(raw), raw)
    pairs = b"".join(serialize(key) + serialize(each) for key, each in value.items())
    return b"a:%d:{%s}" % (len(value), pairs)


class _Reader:
    """A cursor over serialised bytes; each method consumes exactly what it names."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def value(self, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise NotSerialized("nested too deeply")
        kind = self._take(2)
        if kind == b"N;":
            return None
        if kind == b"a:":
            return self._array(depth)
        return self._scalar(kind)

    def _scalar(self, kind: bytes) -> Scalar:
        if kind == b"s:":
            found = self._string()
            self._expect(b";")
            return found
        if kind == b"i:":
            return max(-INT_MAX, min(int(self._until(b";", _INTEGER)), INT_MAX))
        if kind == b"d:":
            return float(self._until(b";", _FLOAT))
        if kind == b"b:":
            return self._until(b";", re.compile(rb"[01]\Z")) == b"1"
        raise NotSerialized(f"type {kind[:1].decode('ascii', 'replace')!r} is not accepted")

    def _array(self, depth: int) -> Array:
        count = int(self._until(b":", _LENGTH))
        self._expect(b"{")
        found: Array = {}
        for _ in range(count):
            key = self._array_key()
            found[key] = self.value(depth + 1)
        self._expect(b"}")
        return found

    def _array_key(self) -> int | str:
        kind = self._take(2)
        if kind not in (b"i:", b"s:"):
            raise NotSerialized("an array key is an integer or a string")
        key = self._scalar(kind)
        return array_key(key) if isinstance(key, str) else int(key or 0)

    def _string(self) -> str:
        length = int(self._until(b":", _LENGTH))
        self._expect(b'"')
        content = self._take(length)
        self._expect(b'"')
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise NotSerialized("a string is not UTF-8") from error

    def _until(self, end: bytes, pattern: re.Pattern[bytes]) -> bytes:
        stop = self.raw.find(end, self.at)
        found = self.raw[self.at : stop] if stop >= 0 else b""
        if not pattern.match(found):
            raise NotSerialized(f"malformed at byte {self.at}")
        self.at = stop + 1
        return found

    def _take(self, length: int) -> bytes:
        found = self.raw[self.at : self.at + length]
        if len(found) != length:
            raise NotSerialized("too short")
        self.at += length
        return found

    def _expect(self, token: bytes) -> None:
        if self._take(len(token)) != token:
            raise NotSerialized(f"{token.decode()!r} expected at byte {self.at - len(token)}")
