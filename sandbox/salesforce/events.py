"""Events on the wire: Avro schemas, kept by id for ever, and the encoding of their fields (salesforce-wire.md, 1.7)."""

import base64
import hashlib
import io
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import fastavro

from sandbox.salesforce.avro_fields import avro_field
from sandbox.salesforce.schema import SObject

PROVISION_REQUESTED = "OrderProvisionRequested__e"
PROVISION_TOPIC = f"/event/{PROVISION_REQUESTED}"
_FINGERPRINT = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_DOCS = {"string": "Text", "double": "Double", "boolean": "Boolean", "long": "DateTime", "int": "Integer"}
# What fastavro raises for bytes that are not what the schema says.
_NOT_OF_THIS_SCHEMA = (EOFError, ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError, struct.error)


class UnknownTopic(Exception):
    """Nothing of this name can be published or subscribed to."""


class UnknownSchema(Exception):
    """No schema was ever registered under this id."""


class Unreadable(Exception):
    """These bytes are no datum of the schema."""


@dataclass(frozen=True)
class EventSchema:
    """A writer schema; `schema_id` is its fingerprint and stands in the JSON as `uuid`."""

    schema_id: str
    text: str

    @cached_property
    def parsed(self) -> dict[str, Any]:
        """The schema as fastavro wants it."""
        schema: dict[str, Any] = json.loads(self.text)
        return schema

    def with_fields(self, added: Mapping[str, str]) -> "EventSchema":
        """The schema after an administrator added custom fields (name to Avro type). Raises ValueError for a type that
        no field has, or a name that is taken."""
        fields = list(self.parsed["fields"])
        names = {each["name"] for each in fields}
        for name, kind in added.items():
            if kind not in _DOCS or name in names:
                raise ValueError(f"{name}: {kind} cannot be added; types are {', '.join(_DOCS)}")
            fields.append({"name": name, "type": ["null", kind], "doc": f"Data:{_DOCS[kind]}", "default": None})
        return record_schema(self.parsed["name"], fields)


def record_schema(name: str, fields: list[dict[str, Any]]) -> EventSchema:
    """The schema of this name with these fields, and the fingerprint that follows from them."""
    body = {"name": name, "namespace": "com.sforce.eventbus", "type": "record", "fields": fields}
    digest = hashlib.md5(json.dumps(body).encode(), usedforsecurity=False).digest()
    schema_id = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return EventSchema(schema_id, json.dumps({**body, "uuid": schema_id}))


def platform_event_schema(event: SObject) -> EventSchema:
    """The schema of a platform event, shaped as section 1.7 shows; only what its publisher cannot leave out is not
    nullable."""
    created = [
        {"name": "CreatedDate", "type": "long", "doc": "CreatedDate:DateTime"},
        {"name": "CreatedById", "type": "string", "doc": "CreatedBy:EntityId"},
    ]
    customs = [avro_field(each) for each in event.own_fields]
    return record_schema(event.name, [*created, *customs])


class SchemaRegistry:
    """Which schema each topic is written with now, and every schema there ever was, in a directory by id."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._directory.mkdir(exist_ok=True)
        self._evolved_file = directory / "evolved.json"
        if not self._evolved_file.exists():
            # Always there, so that an exported state says it too when nothing has evolved.
            self._evolved_file.write_text("{}", encoding="utf-8")
        self._evolved = self._read_evolved()
        self._first: dict[str, EventSchema] = {}
        self._current: dict[str, EventSchema] = {}
        self._known: dict[str, EventSchema] = {}
        self._parsed: dict[str, Any] = {}

    def register(self, topic: str, schema: EventSchema) -> None:
        """Write the topic's events with this schema; one that it evolved to in an earlier run stays in use."""
        first, evolved = self._evolved.get(topic, ("", ""))
        self._keep(schema)
        self._first[topic] = schema
        self._current[topic] = self.by_id(evolved) if first == schema.schema_id else schema

    def evolve(self, topic: str, added: Mapping[str, str]) -> EventSchema:
        """Add fields: the topic's events have another schema from now on, and those before it stay readable. Raises
        UnknownTopic and ValueError."""
        before = self.current(topic)
        schema = before.with_fields(added)
        self._keep(schema)
        self._current[topic] = schema
        self._evolved[topic] = [self._first[topic].schema_id, schema.schema_id]
        self._evolved_file.write_text(json.dumps(self._evolved), encoding="utf-8")
        return schema

    def reload(self) -> None:
        """Read again what each topic evolved to, after the directory was replaced."""
        self._evolved = self._read_evolved()
        for topic, schema in self._first.items():
            self.register(topic, schema)

    def topics(self) -> list[str]:
        """Every topic that events are written to."""
        return list(self._current)

    def current(self, topic: str) -> EventSchema:
        """The schema new events of the topic are written with. Raises UnknownTopic."""
        if topic not in self._current:
            raise UnknownTopic(topic)
        return self._current[topic]

    def by_id(self, schema_id: str) -> EventSchema:
        """Any schema ever registered. Raises UnknownSchema."""
        if schema_id not in self._known:
            self._known[schema_id] = self._read_schema(schema_id)
        return self._known[schema_id]

    def encode(self, topic: str, payload: Mapping[str, Any]) -> tuple[str, bytes]:
        """Schema id and Avro datum of the fields; absent ones are null. Raises UnknownTopic, and ValueError for a
        value that does not fit."""
        schema = self.current(topic)
        buffer = io.BytesIO()
        try:
            fastavro.schemaless_writer(buffer, self._parse(schema), dict(payload))
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"the fields do not fit {schema.parsed['name']}: {error}") from error
        return schema.schema_id, buffer.getvalue()

    def decode(self, schema_id: str, payload: bytes) -> dict[str, Any]:
        """The fields of an event written with that schema. Raises UnknownSchema and Unreadable."""
        stream = io.BytesIO(payload)
        try:
            record = fastavro.schemaless_reader(stream, self._parse(self.by_id(schema_id)), None)
        except _NOT_OF_THIS_SCHEMA as error:
            raise Unreadable(f"the payload does not fit its schema ({type(error).__name__})") from error
        if stream.tell() != len(payload) or not isinstance(record, dict):
            raise Unreadable("the payload is longer than its schema says")
        return dict(record)

    def _read_evolved(self) -> dict[str, list[str]]:
        evolved: dict[str, list[str]] = json.loads(self._evolved_file.read_text(encoding="utf-8"))
        return evolved

    def _read_schema(self, schema_id: str) -> EventSchema:
        try:
            if _FINGERPRINT.fullmatch(schema_id):
                text = (self._directory / f"{schema_id}.json").read_text(encoding="utf-8")
                return EventSchema(schema_id, text)
        except FileNotFoundError:
            raise UnknownSchema(schema_id) from None
        raise UnknownSchema(schema_id)

    def _keep(self, schema: EventSchema) -> None:
        (self._directory / f"{schema.schema_id}.json").write_text(schema.text, encoding="utf-8")

    def _parse(self, schema: EventSchema) -> Any:
        if schema.schema_id not in self._parsed:
            self._parsed[schema.schema_id] = fastavro.parse_schema(schema.parsed)
        return self._parsed[schema.schema_id]
