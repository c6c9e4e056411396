"""Fields of a record, read strictly: what is missing or of another kind is an error that names object, field and id."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from integrations.errors import Misconfigured, Rejected

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One record of an answer. A field may be a path such as `Account.Name`; a parent that is null makes it null.

    A field that is absent raises Misconfigured, for we did ask for it; a value that cannot be right raises Rejected.
    """

    operation: str
    object: str
    record: Record

    @property
    def id(self) -> str:
        """The record's own id, 18 characters."""
        return self.text("Id")

    def value(self, path: str) -> Any:
        """As it came, or None."""
        value: Any = self.record
        for name in path.split("."):
            if value is None:
                return None
            if not isinstance(value, Mapping) or name not in value:
                self._absent(path)
            value = value[name]
        return value

    def text(self, path: str) -> str:
        """A text, empty for null."""
        value = self.value(path)
        if value is None:
            return ""
        return value if isinstance(value, str) else self._wrong(path, "is not a text")

    def maybe_integer(self, path: str) -> int | None:
        """A whole number, which the wire may write as 12.0; None for null."""
        value = self.value(path)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or value != int(value):
            self._wrong(path, "is not a whole number")
        return int(value)

    def integer(self, path: str) -> int:
        """A whole number that must be there."""
        value = self.maybe_integer(path)
        return self._wrong(path, "is empty") if value is None else value

    def moment(self, path: str) -> datetime:
        """A point in time, aware."""
        try:
            return datetime.fromisoformat(self.text(path))
        except ValueError:
            self._wrong(path, "is not a date and time")

    def maybe_moment(self, path: str) -> datetime | None:
        """A point in time, aware; None for null."""
        return None if self.value(path) is None else self.moment(path)

    def options(self, path: str) -> Mapping[str, Any]:
        """A JSON object in a text; empty when the text is."""
        try:
            value = json.loads(self.text(path) or "{}")
        except (ValueError, RecursionError):
            self._wrong(path, "is not JSON")
        return value if isinstance(value, dict) else self._wrong(path, "is not a JSON object")

    def children(self, name: str, child: str) -> "list[Row]":
        """The records of a child subquery; null when there are none."""
        value = self.value(name)
        records: Sequence[Record] = value["records"] if value else ()
        if value and value.get("done") is False:
            self._wrong(name, "has more records than one answer holds")
        return [Row(self.operation, child, record) for record in records]

    def _absent(self, path: str) -> NoReturn:
        sentence = f"{self.object}.{path} did not come: deploy the field and give the integration user access to it."
        raise Misconfigured("salesforce", self.operation, "missing_field", sentence)

    def _wrong(self, path: str, why: str) -> NoReturn:
        record_id = self.record.get("Id", "?")
        raise Rejected("salesforce", self.operation, "bad_field", f"{self.object} {record_id}: {path} {why}")
