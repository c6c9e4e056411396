"""How records look in an answer (salesforce-wire.md, section 3.2)."""

from collections.abc import Callable
from typing import Any, TypeAlias

from sandbox.salesforce import addresses
from sandbox.salesforce.schema import Field
from sandbox.salesforce.soql.columns import ANY_TYPE, parent_of, value_of_any_type
from sandbox.salesforce.soql.selection import Branches, Children, Parent, Part, RowSelection, Shape
from sandbox.salesforce.soql.source import Source
from sandbox.store import Record

# So many children stand in their parent's answer; the rest is fetched by a locator of their own.
CHILDREN_SHOWN = 200
Steps: TypeAlias = tuple[str, ...]
KeepRest: TypeAlias = Callable[[Steps, str, list[str]], str]


class Presenter:
    """Shows the records of one answer.

    `base` is `/services/data/vNN.0`, which the URLs begin with. `keep_rest` takes the relationship names that lead to
    a sub-query, the parent's id and the ids of all its children, and gives the URL of those not shown.
    """

    def __init__(self, source: Source, base: str, keep_rest: KeepRest) -> None:
        self._source = source
        self._base = base
        self._keep_rest = keep_rest

    def show(self, shape: Shape, record: Record, steps: Steps = ()) -> dict[str, Any]:
        """One record with its attributes first."""
        sobject = self._source.schema.of_id(record["Id"]) if shape.sobject is ANY_TYPE else shape.sobject
        url = record_url(self._base, (sobject or shape.sobject).name, record["Id"])
        shown: dict[str, Any] = {"attributes": {"type": shape.sobject.name, "url": url}}
        for name, part in shape.parts.items():
            shown[name] = self._part(name, part, shape, record, url, steps)
        return shown

    def _part(self, name: str, part: Part, shape: Shape, record: Record, url: str, steps: Steps) -> Any:
        match part:
            case Field():
                if shape.sobject is ANY_TYPE:
                    return value_of_any_type(self._source, record, part.name)
                return value(part, record, url)
            case Parent():
                parent = parent_of(self._source, part.reference, part.shape.sobject, record)
                return None if parent is None else self.show(part.shape, parent, steps)
            case Branches():
                return self._branch(part, record, steps)
            case Children():
                return self._children(part.rows, part.field, record, (*steps, name))

    def _branch(self, part: Branches, record: Record, steps: Steps) -> dict[str, Any] | None:
        parent = parent_of(self._source, part.reference, ANY_TYPE, record)
        if parent is None:
            return None
        sobject = self._source.schema.of_id(parent["Id"])
        return self.show(part.by_type.get(sobject.name if sobject else "", part.otherwise), parent, steps)

    def _children(self, rows: RowSelection, field: str, parent: Record, steps: Steps) -> dict[str, Any] | None:
        found = rows.ids(self._source.find(rows.matching.sobject.name, field, parent["Id"]))
        if not found:
            return None
        body: dict[str, Any] = {"totalSize": len(found), "done": len(found) <= CHILDREN_SHOWN}
        if not body["done"]:
            body["nextRecordsUrl"] = self._keep_rest(steps, parent["Id"], found)
        return {**body, "records": self.page(rows, found[:CHILDREN_SHOWN], steps)}

    def page(self, rows: RowSelection, ids: list[str], steps: Steps = ()) -> list[dict[str, Any]]:
        """The records with these ids as far as they still exist."""
        records = (rows.record(record_id) for record_id in ids)
        return [self.show(rows.shape, record, steps) for record in records if record is not None]


def record_url(base: str, type_name: str, record_id: str) -> str:
    """Where a record is found."""
    return f"{base}/sobjects/{type_name}/{record_id}"


def value(field: Field, record: Record, url: str) -> Any:
    """A field's value as JSON carries it; of bytes only the address where they are."""
    if field.type == "address":
        return addresses.compose(field.name, record)
    if field.type == "base64":
        return f"{url}/{field.name}" if record.get(field.name) else None
    return record.get(field.name)
