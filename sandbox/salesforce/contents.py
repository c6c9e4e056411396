"""The bytes of files, kept beside the records they belong to: a record that is read does not bring them along."""

import base64
from typing import Any

from sandbox.salesforce.schema import SObject
from sandbox.store import Store

_TOTAL = "total"


class Contents:
    """Contents by record and field. In the record itself stands how many bytes there are."""

    def __init__(self, store: Store) -> None:
        self._table = store.table("content")
        self._sizes = store.table("content size")

    @property
    def size(self) -> int:
        """How many bytes were ever kept; what lies in the bin takes up room too."""
        kept = self._sizes.get(_TOTAL)
        return int(kept["bytes"]) if kept else 0

    def move(self, sobject: SObject, record: dict[str, Any]) -> None:
        """Take base64 text that was accepted out of a record that is being saved; in the save's transaction."""
        for field in sobject.fields.values():
            text = record.get(field.name)
            if field.type == "base64" and isinstance(text, str):
                record[field.name] = size = len(base64.b64decode(text))
                self._sizes.put(_TOTAL, {"bytes": self.size - len(self.read(record["Id"], field.name)) + size})
                self._table.put(f"{record['Id']}.{field.name}", {"base64": text})

    def read(self, record_id: str, field: str) -> bytes:
        """The bytes; none when there are none."""
        kept = self._table.get(f"{record_id}.{field}")
        return base64.b64decode(kept["base64"]) if kept else b""
