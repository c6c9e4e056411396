"""What an action answers, and how the answer looks in each response type and quirk profile (whmcs-wire §1, §1.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from sandbox.whmcs.php import PhpArray, json_encode, to_int
from sandbox.whmcs.records import Quirks

Payload = dict[str, Any]

DEFAULT_PAGE = 25
# whmcspy adds numreturned to limitstart and stops on a falsy one, so these stay integers in every profile (§1.5).
_ALWAYS_INTEGERS = frozenset({"startnumber", "numreturned"})


class Refused(Exception):
    """A business error: `{"result":"error"}`, HTTP 200 unless said otherwise, and nothing changed."""

    def __init__(self, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


@dataclass
class Answer:
    """An action's outcome. `key` and `detail` go to the ledger.

    `failure` is an error text although state changed, as when a module fails in the middle of AcceptOrder.
    """

    payload: Payload = field(default_factory=dict)
    key: str = ""
    detail: Payload = field(default_factory=dict)
    failure: str = ""


def failed(message: str) -> Payload:
    """The body of any error."""
    return {"result": "error", "message": message}


def page(form: PhpArray, rows: Sequence[Payload], plural: str, singular: str) -> Payload:
    """The list envelope with paging: limitstart 0 and limitnum 25 unless sent (§1.5)."""
    start = max(to_int(form.get("limitstart")), 0)
    limit = to_int(form.get("limitnum")) or DEFAULT_PAGE
    shown = list(rows[start : start + max(limit, 0)])
    return {
        "totalresults": len(rows),
        "startnumber": start,
        "numreturned": len(shown),
        plural: {singular: shown},
    }


def shaped(payload: Payload, quirks: Quirks) -> Payload:
    """The payload in the shapes that this profile makes of it; `strict-docs` leaves the documented ones."""
    if quirks == "strict-docs":
        return payload
    change = _as_legacy_strings if quirks == "legacy-strings" else _as_single_object
    return {key: value if key in _ALWAYS_INTEGERS else change(value) for key, value in payload.items()}


def _as_legacy_strings(value: Any) -> Any:
    """Numbers and booleans as the strings PHP prints; an empty collection as `""`."""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        collection = _collection(value)
        return "" if collection == [] else {key: _as_legacy_strings(each) for key, each in value.items()}
    return [_as_legacy_strings(each) for each in value] if isinstance(value, list) else value


def _as_single_object(value: Any) -> Any:
    """A collection of one as the thing itself, as after conversion from XML; an empty one as a bare `[]`."""
    if isinstance(value, dict):
        collection = _collection(value)
        if collection == []:
            return []
        if collection is not None and len(collection) == 1:
            return {key: _as_single_object(each[0]) for key, each in value.items()}
        return {key: _as_single_object(each) for key, each in value.items()}
    return [_as_single_object(each) for each in value] if isinstance(value, list) else value


def _collection(value: Mapping[str, Any]) -> list[Any] | None:
    """The rows of `{"singular": [...]}`, or None when this is another kind of object."""
    (only,) = value.values() if len(value) == 1 else (None,)
    return only if isinstance(only, list) else None


def render(payload: Payload, response_type: str, action: str) -> tuple[str, str]:
    """Body and content type. Without a known response type the legacy `key=value;` text comes (§1)."""
    kind = response_type.lower()
    if kind == "json":
        return json_encode(payload), "application/json"
    if kind == "xml":
        body = "".join(_xml(key, value) for key, value in {"action": action, **payload}.items())
        return f'<?xml version="1.0" encoding="utf-8"?>\n<whmcsapi>\n{body}</whmcsapi>', "application/xml"
    return "".join(f"{name}={value};" for name, value in _flat("", payload)), "text/html; charset=utf-8"


def _xml(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_xml(name, each) for each in value)
    if isinstance(value, dict):
        inner = "".join(_xml(key, each) for key, each in value.items())
        return f"<{name}>\n{inner}</{name}>\n"
    return f"<{name}>{escape(_plain(value))}</{name}>\n"


def _flat(prefix: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [pair for key, each in items for pair in _flat(f"{prefix}[{key}]" if prefix else str(key), each)]
    return [(prefix, _plain(value))]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else str(value)
