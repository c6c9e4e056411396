"""The Tooling API as far as clients of the Pub/Sub API need it: which managed event subscriptions there are
(salesforce-wire.md, section 8)."""

from collections.abc import Iterator
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.managed import PREFIX
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.schema import Field, FieldType, Schema, SObject
from sandbox.salesforce.soql.answer import Presenter
from sandbox.salesforce.soql.grouping import GroupSelection
from sandbox.salesforce.soql.select import select
from sandbox.salesforce.soql.selection import CountSelection, RowSelection
from sandbox.salesforce.soql.source import Living
from sandbox.store import Record

_TYPE = "ManagedEventSubscription"
_FIELDS: dict[str, FieldType] = {
    "Id": "id",
    "DeveloperName": "string",
    "MasterLabel": "string",
    "FullName": "string",
    "TopicName": "string",
    "DefaultReplay": "picklist",
    "ErrorRecoveryReplay": "picklist",
    "State": "picklist",
}
# A structure rather than a value: it can be selected and nothing else.
_METADATA = Field(name="Metadata", type="textarea", length=32_768)
_SCHEMA = Schema(
    [
        SObject(
            name=_TYPE,
            label="Managed Event Subscription",
            plural="Managed Event Subscriptions",
            prefix=PREFIX,
            fields={
                each.name.casefold(): each for each in [*(Field(name=n, type=t) for n, t in _FIELDS.items()), _METADATA]
            },
        )
    ]
)
_ONE_ROW_ONLY = {"Metadata", "FullName"}


def query(org: Org, call: Call) -> Answer:
    """GET tooling/query/?q=; every object but ManagedEventSubscription is unknown. Raises ApiError."""
    text = call.params.get("q")
    if text is None:
        raise ApiError("MALFORMED_QUERY", "A query string has to be specified")
    selected = select(_Subscriptions(org, call.user_id), text, call.version)
    match selected:
        case CountSelection():
            return _answer(text, selected.count(), [])
        case GroupSelection():
            rows = [{"attributes": {"type": "AggregateResult"}, **row} for row in selected.rows()]
            return _answer(text, len(rows), rows)
        case RowSelection():
            return _answer(text, *_rows(selected, call))


def _rows(selected: RowSelection, call: Call) -> tuple[int, list[dict[str, Any]]]:
    found = selected.ids()
    if len(found) > 1 and _ONE_ROW_ONLY & selected.shape.parts.keys():
        message = (
            "When retrieving results with Metadata or FullName fields, the query qualifications must specify no more "
            f"than one row for retrieval. Result size: {len(found)}"
        )
        raise ApiError("MALFORMED_QUERY", message)
    presenter = Presenter(selected.matching.source, f"{call.base}/tooling", lambda *_: "")
    return len(found), presenter.page(selected, found)


def _answer(text: str, size: int, records: list[dict[str, Any]]) -> Answer:
    body = {
        "size": size,
        "totalSize": size,
        "done": True,
        "queryLocator": None,
        "entityTypeName": _TYPE if records else None,
        "records": records,
    }
    return Answer(200, body, detail={"rows": len(records), "soql": text})


class _Subscriptions(Living):
    """The managed event subscriptions as records of a type, Metadata beside the fields it repeats."""

    def __init__(self, org: Org, user_id: str) -> None:
        super().__init__(org, user_id)
        self._managed = org.managed
        self.schema = _SCHEMA

    def get(self, type_name: str, record_id: str) -> Record | None:
        """One subscription, or a record of the org such as the user who asks."""
        if type_name != _TYPE:
            return super().get(type_name, record_id)
        record = self._managed.get(record_id)
        return None if record is None else _flat(record)

    def find(self, type_name: str, field: str, value: object) -> list[Record]:
        """None: there are too few for an index."""
        return []

    def count(self, type_name: str, field: str, value: object) -> int | None:
        """None: there are too few for an index."""
        return None

    def count_between(self, type_name: str, field: str, first: str, end: str) -> int | None:
        """None: there are too few for an index."""
        return None

    def records(self, type_name: str) -> Iterator[Record]:
        """All subscriptions, or what else the org has."""
        return super().records(type_name) if type_name != _TYPE else (_flat(each) for each in self._managed.all())

    def size(self, type_name: str) -> int:
        """How many subscriptions there are."""
        return len(self._managed.all())


def _flat(record: Record) -> Record:
    metadata = record["Metadata"]
    return {
        "Id": record["Id"],
        "DeveloperName": record["DeveloperName"],
        "FullName": record["DeveloperName"],
        "MasterLabel": metadata["label"],
        "TopicName": metadata["topicName"],
        "DefaultReplay": metadata["defaultReplay"],
        "ErrorRecoveryReplay": metadata["errorRecoveryReplay"],
        "State": metadata["state"],
        "Metadata": metadata,
    }
