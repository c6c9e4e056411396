"""What stands behind three names (salesforce-wire.md, section 3.5): `sobjects/{type}/{field}/{value}` is a row by
external id; `sobjects/{type}/{id}/{name}` is bytes, the parent a reference leads to, or children that point back."""

import mimetypes
import re

from sandbox.salesforce import ids
from sandbox.salesforce.errors import not_found
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import keyed, sobjects
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.schema import ChildRelationship, Field, SObject
from sandbox.store import Record

_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
# Resources of a type that this org answers nothing for; none of them is the name of a field.
_ABSENT = frozenset({"describe", "listviews", "quickactions", "defaultvalues", "relevantitems"})


def read(org: Org, call: Call, type_name: str, middle: str, last: str) -> Answer:
    """GET sobjects/{type}/{middle}/{last}"""
    sobject = _type(org, type_name, middle)
    if not _is_id(sobject, middle):
        return keyed.read(org, call, sobject, middle, last)
    record = org.existing(sobject.name, sobjects.own_id(sobject, middle))
    field, reference, children = sobject.field(last), sobject.parent(last), sobject.child(last)
    if field is not None and field.type == "base64":
        return _content(org, record, field)
    if reference is not None:
        return sobjects.shown(org, call, *_parent(org, record, reference))
    if children is not None:
        return _children(org, call, record, children)
    raise not_found()


def write(org: Org, call: Call, type_name: str, middle: str, last: str) -> Answer:
    """PATCH sobjects/{type}/{middle}/{last}"""
    sobject = _type(org, type_name, middle)
    if not _is_id(sobject, middle):
        return keyed.upsert(org, call, sobject, middle, last)
    parent, record = _parent_named(org, sobject, middle, last)
    return sobjects.changed(org, call, parent, record) or Answer(204, key=record["Id"])


def delete(org: Org, call: Call, type_name: str, middle: str, last: str) -> Answer:
    """DELETE sobjects/{type}/{middle}/{last}"""
    sobject = _type(org, type_name, middle)
    if not _is_id(sobject, middle):
        return keyed.delete(org, call, sobject, middle, last)
    parent, record = _parent_named(org, sobject, middle, last)
    return sobjects.deleted(org, call, parent, record["Id"])


def _type(org: Org, name: str, middle: str) -> SObject:
    sobject = sobjects.stored_type(org, name)
    if middle.casefold() in _ABSENT:
        raise not_found()
    return sobject


def _is_id(sobject: SObject, text: str) -> bool:
    return ids.normalise(text) is not None and sobject.field(text) is None


def _parent_named(org: Org, sobject: SObject, record_id: str, relationship: str) -> tuple[SObject, Record]:
    record = org.existing(sobject.name, sobjects.own_id(sobject, record_id))
    reference = sobject.parent(relationship)
    if reference is None:
        raise not_found()
    return _parent(org, record, reference)


def _parent(org: Org, record: Record, reference: Field) -> tuple[SObject, Record]:
    parent_id = record.get(reference.name) or ""
    parent = org.schema.of_id(parent_id)
    found = org.get(parent.name, parent_id) if parent else None
    if parent is None or found is None:
        raise not_found()
    return parent, found


def _children(org: Org, call: Call, record: Record, relationship: ChildRelationship) -> Answer:
    child = org.schema[relationship.child]
    fields = sobjects.wanted_fields(call, child)
    found = org.find(child.name, relationship.field, record["Id"])
    rows = [sobjects.row(call, child, each, fields) for each in found]
    return Answer(200, {"totalSize": len(rows), "done": True, "records": rows}, detail={"rows": len(rows)})


def _content(org: Org, record: Record, field: Field) -> Answer:
    content = org.contents.read(record["Id"], field.name)
    return Answer(200, content=content, headers={"Content-Type": _kind(record)}, key=record["Id"])


def _kind(record: Record) -> str:
    """What the bytes are, as the record says or its file's name tells."""
    said = str(record.get("ContentType") or "")
    guessed, _ = mimetypes.guess_type(f"file.{record.get('FileExtension')}")
    return said if _MEDIA_TYPE.fullmatch(said) else guessed or "application/octet-stream"
