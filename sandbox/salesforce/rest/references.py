"""`@{ref.path}`: how a Composite's sub-request speaks of the answer to an earlier one (salesforce-wire.md 3.6)."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sandbox.salesforce.errors import ApiError

_REFERENCE = re.compile(r"@\{([^{}]*)\}")
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")


def in_url(url: str, bodies: Mapping[str, Any]) -> str:
    """The URL with every reference replaced. Raises ApiError PROCESSING_HALTED for one that leads nowhere."""
    return _REFERENCE.sub(lambda match: quote(_text(_look_up(match[1], bodies)), safe=""), url)


def in_body(body: Any, bodies: Mapping[str, Any]) -> Any:
    """The body with every reference in its texts replaced; a text that is one reference becomes what it stands for."""
    if isinstance(body, dict):
        return {name: in_body(value, bodies) for name, value in body.items()}
    if isinstance(body, list):
        return [in_body(value, bodies) for value in body]
    if not isinstance(body, str):
        return body
    whole = _REFERENCE.fullmatch(body)
    if whole:
        return _look_up(whole[1], bodies)
    return _REFERENCE.sub(lambda match: _text(_look_up(match[1], bodies)), body)


def _look_up(path: str, bodies: Mapping[str, Any]) -> Any:
    name = re.split(r"[.\[]", path, maxsplit=1)[0]
    value: Any = bodies.get(name)
    for match in _STEP.finditer(path, len(name)):
        value = _step(value, match)
    if value is None:
        message = f"Invalid reference specified. No value for {path} found in {name}."
        raise ApiError("PROCESSING_HALTED", message)
    return value


def _step(value: Any, match: re.Match[str]) -> Any:
    key, position = match.groups()
    if key is not None:
        return value.get(key) if isinstance(value, dict) else None
    return value[int(position)] if isinstance(value, list) and int(position) < len(value) else None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
