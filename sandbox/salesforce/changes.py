"""Change Data Capture: an event for every change of a captured record, whoever makes it (salesforce-wire.md, 1.8)."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.change_schemas import Slot, bitmaps, change_event_name, change_schema, slot_value, slots
from sandbox.salesforce.events import SchemaRegistry
from sandbox.salesforce.org import ChangeType, Org
from sandbox.salesforce.saving import Saving
from sandbox.salesforce.schema import Field

CAPTURED = ("Account", "Opportunity", "Order", "Product2")
# Where a change comes from that no API call made.
_OWN_ORIGIN = "com/salesforce/api/soap/66.0;client=SfdcInternalAPI/"
# In every update, although it may look the same within one second.
_ALWAYS = "LastModifiedDate"


def change_topic(type_name: str) -> str:
    """Where the change events of a type are published."""
    return f"/data/{change_event_name(type_name)}"


@dataclass(frozen=True)
class _Body:
    """What an event says of a record: values by field, and bitmaps of those that changed and that became null."""

    values: dict[str, Any]
    changed: list[str]
    nulled: list[str]


class Changes:
    """Watches an org and publishes its changes once they are committed; what is rolled back never happened.

    Every save is an event of its own: the sandbox neither merges events nor sends gap events or differences of texts.
    """

    def __init__(self, org: Org, schemas: SchemaRegistry) -> None:
        self._org = org
        self._slots = {name: slots(org.schema[name]) for name in CAPTURED}
        self._transaction = 0
        self._transaction_key = ""
        self._sequence = 0
        self._commit_number = 0
        for name in CAPTURED:
            schemas.register(change_topic(name), change_schema(org.schema[name]))
        org.watch(self._note)

    def _note(self, change: ChangeType, saving: Saving) -> None:
        name = saving.sobject.name
        if name not in self._slots:
            return
        body = _body(change, saving, self._slots[name])
        header = {
            "entityName": name,
            "recordIds": [saving.record["Id"]],
            "changeType": change,
            "changeOrigin": self._org.asking.origin or _OWN_ORIGIN,
            "commitUser": saving.user_id,
            "nulledFields": body.nulled,
            "diffFields": [],
            "changedFields": body.changed,
        }
        self._org.store.on_commit(self._publication(name, header, body.values))

    def _publication(self, name: str, header: dict[str, Any], values: dict[str, Any]) -> Callable[[], None]:
        def publish() -> None:
            self._org.bus.publish(change_topic(name), {"ChangeEventHeader": header | self._commit(), **values})

        return publish

    def _commit(self) -> dict[str, Any]:
        """The part of the header that the commit decides: one key for each transaction, numbered from 1 within it."""
        now = self._org.clock.now()
        if self._org.store.commits != self._transaction:
            self._transaction, self._sequence = self._org.store.commits, 0
            self._transaction_key = f"0000{str(uuid.uuid4())[4:]}"
            # Above what a double can count exactly, as the real ones are.
            self._commit_number = max(self._commit_number + 1, int(now.timestamp() * 1_000_000) * 1000)
        self._sequence += 1
        return {
            "transactionKey": self._transaction_key,
            "sequenceNumber": self._sequence,
            "commitTimestamp": int(now.timestamp() * 1000),
            "commitNumber": self._commit_number,
        }


def _body(change: ChangeType, saving: Saving, fields: list[Slot]) -> _Body:
    if change == "DELETE":
        return _Body({}, [], [])
    if change != "UPDATE":
        return _Body({each.name: slot_value(each, saving.record) for each in fields}, [], [])

    def changed(field: Field) -> bool:
        return saving.changed(field.name) or field.name == _ALWAYS

    def nulled(field: Field) -> bool:
        return changed(field) and saving.record.get(field.name) is None

    touched = [each for each in fields if any(map(changed, each.parts.values()))]
    values = {each.name: slot_value(each, saving.record, changed) for each in touched}
    return _Body(values, bitmaps(fields, changed), bitmaps(fields, nulled))
