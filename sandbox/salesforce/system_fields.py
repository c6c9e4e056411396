"""Fields that the platform itself gives to objects and events."""

from collections.abc import Iterator

from sandbox.salesforce.schema import AutoNumber, Field

_LOCKED: dict[str, object] = {"createable": False, "updateable": False, "system": True}


def identity(label: str) -> Iterator[Field]:
    """What every record begins with; `label` is its type's."""
    yield _field("Id", "id", label=f"{label} ID", idLookup=True, **_LOCKED)
    yield _field("IsDeleted", "boolean", label="Deleted", **_LOCKED)


def audit(*, viewed: bool) -> Iterator[Field]:
    """Who made the record and who changed it last, when; and when somebody looked at it, where that is kept."""
    yield from _creation()
    yield _field("LastModifiedDate", "datetime", **_LOCKED)
    yield _user("LastModifiedBy", "Last Modified By ID", **_LOCKED)
    yield _field("SystemModstamp", "datetime", indexed=True, **_LOCKED)
    if viewed:
        yield _field("LastViewedDate", "datetime", **_LOCKED)
        yield _field("LastReferencedDate", "datetime", **_LOCKED)


def of_event() -> Iterator[Field]:
    """What every platform event has: it has no life after its publication."""
    yield _field("ReplayId", "string", length=1000, **_LOCKED)
    yield from _creation()
    yield _field("EventUuid", "string", label="Event UUID", length=36, **_LOCKED)


def name(label: str, number_format: str | None) -> Field:
    """The Name of a custom object: a text, or an auto-number when a format is given."""
    if number_format is None:
        return _field("Name", "string", label=f"{label} Name", length=80, nameField=True, idLookup=True)
    number = AutoNumber(format=number_format)
    locked = {"createable": False, "updateable": False}
    return _field(
        "Name", "string", label=f"{label} Name", length=80, nameField=True, idLookup=True, autonumber=number, **locked
    )


def owner() -> Field:
    """Whose the record is: the user's who made it, until somebody else is named."""
    return _user("Owner", "Owner ID", default="$User.Id")


def currency() -> Field:
    """In which of the org's currencies the record's amounts are."""
    return _field(
        "CurrencyIsoCode", "picklist", label="Currency ISO Code", values=("JPY", "USD"), restricted=True, default="JPY"
    )


def _creation() -> Iterator[Field]:
    yield _field("CreatedDate", "datetime", **_LOCKED)
    yield _user("CreatedBy", "Created By ID", **_LOCKED)


def _user(relationship: str, label: str, **more: object) -> Field:
    return _field(
        f"{relationship}Id", "reference", label=label, references=("User",), relationship=relationship, **more
    )


def _field(name: str, kind: str, **more: object) -> Field:
    return Field.model_validate({"name": name, "type": kind, **more})
