"""Publishing platform events with PublishAfterCommit: what is rolled back was never said."""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.salesforce import values
from sandbox.salesforce.avro_fields import avro_value
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import SObject

if TYPE_CHECKING:
    from sandbox.salesforce.org import Org


def publish(org: "Org", event: SObject, fields: Mapping[str, Any], user_id: str) -> str:
    """Check the fields, and put the event on the bus after commit; returns its UUID. Raises ApiError."""
    record = _accept(event, fields)
    event_id = str(uuid.uuid4())
    created = {"CreatedDate": int(org.clock.now().timestamp() * 1000), "CreatedById": user_id}
    encoded = {name: avro_value(event.fields[name.casefold()], value) for name, value in record.items()}
    topic = f"/event/{event.name}"

    def deliver() -> None:
        stored = org.bus.publish(topic, {**encoded, **created}, event_id=event_id)
        org.ledger.write(
            "salesforce",
            "event.publish",
            key=event_id,
            correlation_id=record.get("CorrelationId__c") or "",
            detail={"topic": topic, "replay": stored.replay, **record},
        )

    org.store.on_commit(deliver)
    return event_id


def _accept(event: SObject, fields: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, value in fields.items():
        field = event.field(name)
        if field is None or not field.createable:
            raise ApiError("INVALID_FIELD", f"No such column '{name}' on sobject of type {event.name}")
        record[field.name] = values.accept(field, value)
    missing = [each.name for each in event.fields.values() if each.required and record.get(each.name) is None]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise ApiError("REQUIRED_FIELD_MISSING", message, missing)
    return record
