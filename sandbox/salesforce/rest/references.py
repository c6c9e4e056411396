"""`@{ref.path}`: how a sub-request speaks of the answer to an earlier one (salesforce-wire.md, section 3.6)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sandbox.salesforce.errors import ApiError

_REFERENCE = re.compile(r"@\{([^{}]*)\}")
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d{1,9})\]")
_STEPS = re.compile(rf"(?:{_STEP.pattern})+")


@dataclass(frozen=True)
class Answered:
    """What references to one sub-request look into, and whether a field that is null there counts as a value."""

    body: Any
    nulls_are_values: bool = False


_UNKNOWN = Answered(None)


def in_url(url: str, answered: Mapping[str, Answered]) -> str:
    """The URL with every reference replaced. Raises ApiError PROCESSING_HALTED for one that leads nowhere."""
    return _REFERENCE.sub(lambda match: quote(_text(match[1], answered), safe=""), url)


def in_body(body: Any, answered: Mapping[str, Answered]) -> Any:
    """The body with every reference in its texts replaced; a text that is one reference becomes what it stands for,
    null included. Raises ApiError PROCESSING_HALTED for one that leads nowhere."""
    if isinstance(body, dict):
        return {name: in_body(value, answered) for name, value in body.items()}
    if isinstance(body, list):
        return [in_body(value, answered) for value in body]
    if not isinstance(body, str):
        return body
    whole = _REFERENCE.fullmatch(body)
    if whole:
        return _look_up(whole[1], answered)
    return _REFERENCE.sub(lambda match: _text(match[1], answered), body)


def names_in(value: Any) -> Iterator[str]:
    """The reference ids that any text in a URL or body speaks of."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from names_in(each)
    elif isinstance(value, str):
        yield from (_name(path) for path in _REFERENCE.findall(value))


def _name(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _look_up(path: str, answered: Mapping[str, Answered]) -> Any:
    name = _name(path)
    target = answered.get(name, _UNKNOWN)
    try:
        value = _follow(target.body, path.removeprefix(name))
    except LookupError:
        value, found = None, False
    else:
        # Only single values can be referred to, and null is one of them in a record that was read.
        found = target.nulls_are_values if value is None else not isinstance(value, dict | list)
    if not found:
        message = f"Invalid reference specified. No value for {path} found in {name}."
        raise ApiError("PROCESSING_HALTED", message)
    return value


def _follow(value: Any, path: str) -> Any:
    """What `.field` and `[position]`, one or more of them, lead to. Raises LookupError."""
    if not _STEPS.fullmatch(path):
        raise LookupError(path)
    for key, position in _STEP.findall(path):
        if not isinstance(value, list if position else dict):
            raise LookupError(path)
        value = value[int(position)] if position else value[key]
    return value


def _text(path: str, answered: Mapping[str, Answered]) -> str:
    value = _look_up(path, answered)
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
