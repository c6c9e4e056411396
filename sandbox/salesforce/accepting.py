"""From the fields of a request to values the org can keep: known fields, writable, of the right type."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from sandbox.salesforce import values
from sandbox.salesforce.errors import ApiError, unreadable
from sandbox.salesforce.schema import Field, SObject

if TYPE_CHECKING:
    from sandbox.salesforce.org import Org

Purpose = Literal["create", "update"]


def accept(org: "Org", sobject: SObject, fields: Mapping[str, Any], purpose: Purpose) -> dict[str, Any]:
    """The values by field name. Raises ApiError.

    A reference may be given by its relationship's name and an external id of the other record:
    `{"Account": {"SF_Account_No__c": "104882"}}`.
    """
    accepted: dict[str, Any] = {}
    locked: list[str] = []
    for name, value in fields.items():
        if name.casefold() == "attributes":
            continue
        field = sobject.field(name)
        by_parent = None if field else sobject.parent(name)
        if field is None and by_parent is None:
            raise no_such_column(sobject, name)
        target = field or by_parent
        if target and not (target.createable if purpose == "create" else target.updateable):
            locked.append(target.name)
        elif by_parent:
            accepted[by_parent.name] = _found(org, sobject, by_parent, value)
        elif field:
            accepted[field.name] = values.accept(field, value)
    if locked:
        raise _read_only(locked, purpose)
    return accepted


def no_such_column(sobject: SObject, name: str) -> ApiError:
    """A field that this type has not, or that this user may not see: the service does not tell which."""
    return ApiError("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")


def _found(org: "Org", sobject: SObject, reference: Field, parent: Any) -> str | None:
    """The id of the one record that the external id names."""
    if parent is None:
        return None
    if not isinstance(parent, dict):
        raise unreadable("SObject", parent)
    kind = org.schema[reference.references[0]]
    keys = {name: value for name, value in parent.items() if name != "attributes"}
    name, value = next(iter(keys.items()), ("", None))
    key = kind.field(name)
    if len(keys) != 1 or key is None or not (key.external_id or key.id_lookup):
        raise ApiError(
            "INVALID_FIELD", f"{name} is not an External ID or indexed field for {kind.name}", [reference.name]
        )
    wanted = values.accept(key, value)
    found = org.by_key(kind, key, wanted)
    if not found:
        message = f"Foreign key external ID: {value} not found for field {key.name} in entity {kind.name}"
        raise ApiError("INVALID_FIELD", message, [])
    if len(found) > 1:
        raise ApiError(
            "INVALID_FIELD", f"More than one record found for external id field: {[r['Id'] for r in found]}", []
        )
    return str(found[0]["Id"])


def _read_only(fields: list[str], purpose: Purpose) -> ApiError:
    if fields == ["Id"] and purpose == "create":
        return ApiError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
    message = (
        f"Unable to create/update fields: {', '.join(fields)}. Please check the security settings of this field and "
        "verify that it is read/write for your profile or permission set."
    )
    return ApiError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields)
