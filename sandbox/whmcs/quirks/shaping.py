"""The documented answer in the shapes that an installation's irregularities make of it."""

import html
import re
from collections.abc import Mapping
from typing import Any, Final

from sandbox.whmcs.quirks.switches import Quirks

Payload = dict[str, Any]

_PAGING = frozenset({"startnumber", "numreturned"})
# Names that end like ids of rows, and are other things.
_NO_IDS = re.compile(r"(transid|tax_id|subscription_?id|remote_?id|uuid|tid|paid)\Z", re.I)
_ID = re.compile(r"(id|_id)\Z", re.I)
_DIGITS = re.compile(r"(0|[1-9][0-9]{0,17})\Z")
_REPORTED_EMPTY = frozenset({"products", "invoices", "transactions", "domains"})


class _Missing:
    """Stands for a value whose key is left out."""


_MISSING: Final = _Missing()
_WORDS: dict[str, tuple[Any, Any]] = {
    "documented": (True, False),
    "strings": ("1", ""),
    "numbers": (1, 0),
    "on": ("on", ""),
    "words": ("true", "false"),
}
_EMPTY: dict[str, Any] = {"empty_string": "", "empty_array": [], "null": None, "missing": _MISSING}


def shaped(payload: Payload, quirks: Quirks) -> Payload:
    """The whole answer. What is of the documented shape already stays as it is."""
    if quirks == Quirks():
        return payload
    return _Shaper(quirks).answer(payload)


class _Shaper:
    """Walks through one answer."""

    def __init__(self, quirks: Quirks) -> None:
        self.quirks = quirks

    def answer(self, payload: Payload) -> Payload:
        """The top level, where paging and the client's deprecated fields stand."""
        if not self.quirks.client_at_top and isinstance(payload.get("client"), dict):
            payload = {key: value for key, value in payload.items() if key not in payload["client"]}
        shown = {self._name(key): self._top(key, value) for key, value in payload.items()}
        return {key: value for key, value in shown.items() if value is not _MISSING}

    def _name(self, key: str) -> str:
        return self.quirks.success_key if key == "result" else key

    def _top(self, key: str, value: Any) -> Any:
        if key in _PAGING:
            return str(value) if self.quirks.paging == "strings" else value
        if key == "totalresults":
            return self._total(value)
        if self.quirks.empty_lists == "reported" and key in _REPORTED_EMPTY and _rows(value) == []:
            return ""
        return self._value(key, value)

    def _total(self, value: Any) -> Any:
        if self.quirks.totalresults == "absent":
            return _MISSING
        if self.quirks.totalresults == "documented":
            return self._value("totalresults", value)
        return str(value) if self.quirks.totalresults == "strings" else int(value)

    def _value(self, key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return self._list(key, value)
        return self._scalar(key, value)

    def _object(self, value: Mapping[str, Any]) -> Any:
        rows = _rows(value)
        if rows == [] and self.quirks.empty_lists in _EMPTY:
            return _EMPTY[self.quirks.empty_lists]
        if rows is not None and len(rows) == 1 and self.quirks.one_row == "object":
            return {key: self._value(key, each[0]) for key, each in value.items()}
        shown = {key: self._value(key, each) for key, each in value.items()}
        return {key: each for key, each in shown.items() if each is not _MISSING}

    def _list(self, key: str, value: list[Any]) -> Any:
        if key == "customfields" and self.quirks.custom_fields == "wrapped":
            return {"customfield": self._list("customfield", value)}
        shown = [self._value(key, each) for each in value]
        if self.quirks.lists == "numeric_keys":
            return {str(number): each for number, each in enumerate(shown)}
        return shown

    def _scalar(self, key: str, value: Any) -> Any:
        if isinstance(value, bool):
            return _WORDS[self.quirks.booleans][0 if value else 1]
        if _ID.search(key) and not _NO_IDS.search(key):
            value = self._id(value)
        if isinstance(value, int | float):
            return str(value) if self.quirks.numbers == "strings" else value
        return self._text(value) if isinstance(value, str) else value

    def _id(self, value: Any) -> Any:
        if self.quirks.ids == "strings" and isinstance(value, int):
            return str(value)
        if self.quirks.ids == "integers" and isinstance(value, str) and _DIGITS.match(value):
            return int(value)
        return value

    def _text(self, value: str) -> str:
        if self.quirks.text == "plain":
            return value
        return html.escape(value).replace("&#x27;", "&#039;")


def _rows(value: Any) -> list[Any] | None:
    """The rows of `{"singular": [...]}`, or None when this is another kind of value."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    (only,) = value.values()
    return only if isinstance(only, list) else None
