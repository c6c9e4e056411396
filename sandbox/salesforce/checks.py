"""What must be true of every record that is saved, whatever its type: required fields, references, unique values."""

from typing import TYPE_CHECKING

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import Field

if TYPE_CHECKING:
    from sandbox.salesforce.org import Org
    from sandbox.salesforce.saving import Saving


def check(saving: "Saving") -> None:
    """Raises ApiError REQUIRED_FIELD_MISSING, or what is wrong with a reference that this save changes."""
    sobject, record = saving.sobject, saving.record
    missing = [name for name in sobject.required if record.get(name) is None]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise ApiError("REQUIRED_FIELD_MISSING", message, missing)
    for each in sobject.references:
        if saving.changed(each.name) and record.get(each.name) not in (None, record["Id"]):
            _check_reference(saving.org, each, record[each.name])


def _check_reference(org: "Org", field: Field, record_id: str) -> None:
    target = org.schema.of_id(record_id)
    if target is None or target.name not in field.references:
        message = f"{field.label}: id value of incorrect type: {record_id}"
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", message, [field.name])
    if org.get(target.name, record_id) is None:
        if org.deleted(target.name, record_id):
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted", [], status=400)
        raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])


def duplicate_value(field: str, holder: str) -> ApiError:
    """A unique field's value is in another record, which the message names by its 15 characters."""
    message = f"duplicate value found: {field} duplicates value on record with id: {holder[:15]}"
    return ApiError("DUPLICATE_VALUE", message, [])
