"""Platform events on the wire: Avro schemas, kept by id for ever, and the encoding of their fields."""

import base64
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro

PROVISION_REQUESTED = "OrderProvisionRequested__e"
PROVISION_TOPIC = f"/event/{PROVISION_REQUESTED}"


class UnknownTopic(Exception):
    """Nothing of this name can be published or subscribed to."""


class UnknownSchema(Exception):
    """No schema was ever registered under this id."""


@dataclass(frozen=True)
class EventSchema:
    """A writer schema; `schema_id` is its fingerprint and stands in the JSON as `uuid`."""

    schema_id: str
    text: str

    @property
    def parsed(self) -> dict[str, Any]:
        """The schema as fastavro wants it."""
        schema: dict[str, Any] = json.loads(self.text)
        return schema


def schema_of(name: str, fields: Mapping[str, str]) -> EventSchema:
    """The schema of an event with these custom fields (name to Avro type), shaped as salesforce-wire.md 1.7 shows."""
    body = {"name": name, "namespace": "com.sforce.eventbus", "type": "record", "fields": _avro_fields(fields)}
    digest = hashlib.md5(json.dumps(body).encode(), usedforsecurity=False).digest()
    schema_id = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return EventSchema(schema_id, json.dumps({**body, "uuid": schema_id}))


def _avro_fields(fields: Mapping[str, str]) -> list[dict[str, Any]]:
    # Nullable even where Setup says required: that is how the real service writes them (section 1.7).
    kinds = {"string": "Text", "double": "Double", "boolean": "Boolean", "long": "DateTime"}
    return [
        {"name": "CreatedDate", "type": "long", "doc": "CreatedDate:DateTime"},
        {"name": "CreatedById", "type": "string", "doc": "CreatedBy:EntityId"},
        *(
            {"name": name, "type": ["null", kind], "doc": f"Data:{kinds[kind]}", "default": None}
            for name, kind in fields.items()
        ),
    ]


class SchemaRegistry:
    """Which schema each topic is written with now, and every schema there ever was, in a directory by id."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._directory.mkdir(exist_ok=True)
        self._current: dict[str, EventSchema] = {}
        self._writers: dict[str, Any] = {}

    def register(self, topic: str, schema: EventSchema) -> None:
        """Write the topic's events with this schema from now on; the ones before it stay readable."""
        (self._directory / f"{schema.schema_id}.json").write_text(schema.text, encoding="utf-8")
        self._current[topic] = schema
        self._writers[topic] = fastavro.parse_schema(schema.parsed)

    def topics(self) -> list[str]:
        """Every topic there is."""
        return list(self._current)

    def current(self, topic: str) -> EventSchema:
        """The schema new events of the topic are written with. Raises UnknownTopic."""
        if topic not in self._current:
            raise UnknownTopic(topic)
        return self._current[topic]

    def by_id(self, schema_id: str) -> EventSchema:
        """Any schema ever registered. Raises UnknownSchema."""
        path = self._directory / f"{schema_id}.json"
        if "/" in schema_id or not path.is_file():
            raise UnknownSchema(schema_id)
        return EventSchema(schema_id, path.read_text(encoding="utf-8"))

    def encode(self, topic: str, payload: Mapping[str, Any]) -> tuple[str, bytes]:
        """Schema id and Avro datum of the fields; absent ones are null. Raises UnknownTopic."""
        schema = self.current(topic)
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, self._writers[topic], dict(payload))
        return schema.schema_id, buffer.getvalue()

    def decode(self, schema_id: str, payload: bytes) -> dict[str, Any]:
        """The fields of an event written with that schema."""
        record = fastavro.schemaless_reader(io.BytesIO(payload), self.by_id(schema_id).parsed, None)
        return dict(record) if isinstance(record, dict) else {}


PROVISION_SCHEMA = schema_of(
    PROVISION_REQUESTED,
    {
        "OrderId__c": "string",
        "IdemKey__c": "string",
        "CorrelationId__c": "string",
        "RequestedBy__c": "string",
        "Version__c": "double",
    },
)
