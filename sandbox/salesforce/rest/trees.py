"""Trees: up to 200 new records with their children in one call, all or nothing (salesforce-wire.md, section 3.6)."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from sandbox.salesforce.errors import ApiError, unreadable
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.rest.envelopes import listed, properties
from sandbox.salesforce.rest.rows import limited
from sandbox.salesforce.rest.sobjects import stored_type
from sandbox.salesforce.rest.undoing import all_or_nothing, attempt
from sandbox.salesforce.schema import SObject

LIMIT = 200
LEVEL_LIMIT = 5
TYPE_LIMIT = 5


@dataclass(frozen=True)
class Node:
    """One record to be made where a `sobject` belongs; `link` is its field for the record made for `parent`."""

    sobject: SObject
    reference_id: str
    type_name: str
    fields: dict[str, Any]
    level: int
    parent: str
    link: str


# The new record's id, or why there is none, by the reference id of the node.
Outcome = dict[str, str | list[ApiError]]


def create(org: Org, call: Call, type_name: str) -> Answer:
    """POST composite/tree/{type}. Raises ApiError for a bad envelope; a refused record is answered with 400."""
    sobject = stored_type(org, type_name)
    nodes = list(_read(org, sobject, properties(call.body, ("records",))))
    _check_limits(nodes)
    outcome = _twins(nodes) or _strangers(nodes)
    if not outcome:
        outcome, _ = all_or_nothing(org.store, lambda: _create_all(org, call, nodes), _refused)
    return _answer(outcome, len(nodes))


def _read(
    org: Org, sobject: SObject, collection: dict[str, Any], level: int = 1, parent: str = "", link: str = ""
) -> Iterator[Node]:
    """The nodes of a collection of records and of everything under them. Raises ApiError."""
    for row in listed(collection, "records"):
        reference_id, type_name = _attributes(row)
        children = {name: value for name, value in row.items() if isinstance(value, dict) and "records" in value}
        fields = {name: value for name, value in row.items() if name != "attributes" and name not in children}
        yield Node(sobject, reference_id, type_name, fields, level, parent, link)
        for name, below in children.items():
            relationship = sobject.child(name)
            if relationship is None:
                raise ApiError("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
            if level == LEVEL_LIMIT:
                raise ApiError("LIMIT_EXCEEDED", f"The request can’t contain more than {LEVEL_LIMIT} levels.")
            child = org.schema[relationship.child]
            yield from _read(org, child, below, level + 1, reference_id, relationship.field)


def _attributes(row: Any) -> tuple[str, str]:
    """The reference id and the type of a row. Raises ApiError."""
    attributes = row.get("attributes") if isinstance(row, dict) else None
    if not isinstance(attributes, dict):
        raise unreadable("SObject", row)
    reference_id, type_name = attributes.get("referenceId"), attributes.get("type")
    if not isinstance(reference_id, str) or not reference_id[:1].isalnum():
        # The one refusal of this resource with this status (seen by a public client; the code's own is 400).
        raise ApiError("INVALID_INPUT", "Include a reference ID for each record in the request.", status=403)
    return reference_id, str(type_name)


def _check_limits(nodes: list[Node]) -> None:
    limited(nodes, LIMIT)
    if len({node.type_name.casefold() for node in nodes}) > TYPE_LIMIT:
        raise ApiError("LIMIT_EXCEEDED", f"The request can’t contain more than {TYPE_LIMIT} types of records.")


def _twins(nodes: list[Node]) -> Outcome:
    """Reference ids that more than one record has."""
    twins = [name for name, times in Counter(node.reference_id for node in nodes).items() if times > 1]
    said = ApiError("INVALID_INPUT", "Duplicate ReferenceId provided in the request.")
    return {name: [said, ApiError("PROCESSING_HALTED", f"Duplicate ReferenceId found: {name}")] for name in twins}


def _strangers(nodes: list[Node]) -> Outcome:
    """Records of another type than the address or the relationship they are under asks for."""
    return {
        node.reference_id: [ApiError("INVALID_INPUT", f"Invalid entity type provided in the request: {node.type_name}")]
        for node in nodes
        if node.type_name.casefold() != node.sobject.name.casefold()
    }


def _create_all(org: Org, call: Call, nodes: list[Node]) -> Outcome:
    """Make the records level by level and, within a level, type by type; after a refusal, no further group."""
    types = list(dict.fromkeys(node.sobject.name for node in nodes))
    in_order = sorted(nodes, key=lambda node: (node.level, types.index(node.sobject.name)))
    made: Outcome = {}
    for _, group in groupby(in_order, lambda node: (node.level, node.sobject.name)):
        for node in group:
            record_id = attempt(org.store, partial(_create, org, call, node, made))
            made[node.reference_id] = [record_id] if isinstance(record_id, ApiError) else record_id
        if _refused(made):
            break
    return made


def _create(org: Org, call: Call, node: Node, made: Outcome) -> str:
    link = {node.link: made[node.parent]} if node.link else {}
    return org.create(node.sobject.name, {**node.fields, **link}, call.user_id)


def _refused(outcome: Outcome) -> bool:
    return any(isinstance(each, list) for each in outcome.values())


def _answer(outcome: Outcome, records: int) -> Answer:
    refused = {name: errors for name, errors in outcome.items() if isinstance(errors, list)}
    results: list[dict[str, Any]] = [
        {"referenceId": name, "errors": [error.in_collection() for error in errors]} for name, errors in refused.items()
    ] or [{"referenceId": name, "id": record_id} for name, record_id in outcome.items()]
    return Answer(
        400 if refused else 201,
        {"hasErrors": bool(refused), "results": results},
        key=",".join(str(each.get("id", "")) for each in results),
        detail={"records": records, "undone": bool(refused)},
    )
