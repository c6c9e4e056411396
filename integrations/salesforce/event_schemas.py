"""Reading event payloads, each with the schema that it names itself: one response may mix them.

salesforce-wire.md §1.7.
"""

import io
import json
import struct
import threading
from collections.abc import Callable
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException

from integrations.salesforce.stream_errors import SchemaRejected

# What fastavro raises for bytes that are not what the schema says.
NOT_OF_THIS_SCHEMA = (EOFError, ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError, struct.error)


class Undecodable(Exception):
    """These bytes can never be read; says why, and nothing of what they hold."""


class EventSchemas:
    """Decodes payloads. `fetch` asks the Pub/Sub API for a schema's JSON; a schema never changes, so it is asked once.

    Safe to share between threads; one at a time asks.
    """

    def __init__(self, fetch: Callable[[str], str]) -> None:
        self._fetch = fetch
        self._known: dict[str, Any] = {}
        self._mutex = threading.Lock()

    def decode(self, schema_id: str, payload: bytes) -> dict[str, Any]:
        """The fields of an event. Raises Undecodable; a failure to get the schema passes through and says nothing
        about the event."""
        schema = self._known.get(schema_id) or self._learnt(schema_id)
        stream = io.BytesIO(payload)
        try:
            fields = fastavro.schemaless_reader(stream, schema, None)
        except NOT_OF_THIS_SCHEMA as error:
            raise Undecodable(f"the payload does not fit its schema ({type(error).__name__})") from error
        if stream.tell() != len(payload):
            raise Undecodable("the payload is longer than its schema says")
        if not isinstance(fields, dict):
            raise Undecodable("the schema is not that of a record")
        return fields

    def _learnt(self, schema_id: str) -> Any:
        if not schema_id:
            raise Undecodable("the event names no schema")  # GetSchema must never be asked for it
        with self._mutex:
            if schema_id not in self._known:
                self._known[schema_id] = self._parsed(schema_id)
            return self._known[schema_id]

    def _parsed(self, schema_id: str) -> Any:
        try:
            return fastavro.parse_schema(json.loads(self._fetch(schema_id)))
        except SchemaRejected as error:
            raise Undecodable("there is no schema of the id that the event names") from error
        except (SchemaParseException, ValueError, KeyError, TypeError) as error:
            raise Undecodable(f"its schema cannot be parsed ({type(error).__name__})") from error
