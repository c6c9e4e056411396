"""Field paths bound to the schema: which records to step through, and which field to read at the end."""

from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.soql.syntax import FieldPath
from sandbox.store import Record

_ADVICE = "Please reference your WSDL or the describe call for the appropriate names."


@dataclass(frozen=True)
class Column:
    """A field at the end of zero or more parent relationships; `owners[0]` is the type the path starts from."""

    hops: tuple[Field, ...]
    owners: tuple[SObject, ...]
    field: Field

    def holder(self, org: Org, record: Record) -> Record | None:
        """The record at the end of the path; None where a parent is missing."""
        at: Record | None = record
        for hop, owner in zip(self.hops, self.owners[1:], strict=True):
            at = org.get(owner.name, at.get(hop.name) or "") if at is not None else None
        return at

    def value(self, org: Org, record: Record) -> Any:
        """The field's value, null where a parent is missing."""
        holder = self.holder(org, record)
        return None if holder is None else holder.get(self.field.name)


def resolve(org: Org, sobject: SObject, path: FieldPath) -> Column:
    """Bind a path that starts at this type. Raises ApiError INVALID_FIELD."""
    hops: list[Field] = []
    owners = [sobject]
    for name in path.names[:-1]:
        hop = owners[-1].parent(name)
        if hop is None or len(hop.references) != 1:
            message = (
                f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
                f"relationship, be sure to append the '__r' after the custom relationship name. {_ADVICE}"
            )
            raise path.place.refuse("INVALID_FIELD", message)
        hops.append(hop)
        owners.append(org.schema[hop.references[0]])
    field = owners[-1].field(path.names[-1])
    if field is None:
        message = (
            f"No such column '{path.names[-1]}' on entity '{owners[-1].name}'. If you are attempting to use a custom "
            f"field, be sure to append the '__c' after the custom field name. {_ADVICE}"
        )
        raise path.place.refuse("INVALID_FIELD", message)
    return Column(tuple(hops), tuple(owners), field)
