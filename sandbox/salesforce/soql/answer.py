"""How records look in an answer (salesforce-wire.md, section 3.2)."""

from typing import Any

from sandbox.salesforce import addresses
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import Field
from sandbox.salesforce.soql.select import Children, Parent, Part, Shape
from sandbox.store import Record


def show(org: Org, shape: Shape, record: Record, base: str) -> dict[str, Any]:
    """One record with its attributes first; `base` is `/services/data/vNN.0`, which the caller's URLs begin with."""
    url = record_url(base, shape.sobject.name, record["Id"])
    shown: dict[str, Any] = {"attributes": {"type": shape.sobject.name, "url": url}}
    for name, part in shape.parts.items():
        shown[name] = _part(org, part, record, base, url)
    return shown


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


def _part(org: Org, part: Part, record: Record, base: str, url: str) -> Any:
    match part:
        case Field():
            return value(part, record, url)
        case Parent():
            parent = org.get(part.shape.sobject.name, record.get(part.reference.name) or "")
            return None if parent is None else show(org, part.shape, parent, base)
        case Children():
            return _children(org, part, record, base)


def _children(org: Org, part: Children, record: Record, base: str) -> dict[str, Any] | None:
    selection = part.selection
    rows = selection.records(org, org.find(selection.sobject.name, part.field, record["Id"]))
    shape = selection.shape
    if not rows or shape is None:
        return None
    return {"totalSize": len(rows), "done": True, "records": [show(org, shape, row, base) for row in rows]}
