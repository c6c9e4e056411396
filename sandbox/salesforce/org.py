"""The org: its records, and the one way in which they change, whoever asks: REST, the desk, or another rule."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.clock import Clock
from sandbox.ledger import Ledger
from sandbox.salesforce import ids, moments, rules, schema, values
from sandbox.salesforce.bus import Bus
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.saving import Saving
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.sessions import Sessions
from sandbox.store import Duplicate, Record, Store, Table

ORGANIZATION_ID = ids.make("00D", 1)
# Searched for by equality often enough to deserve an index beside ids and external ids.
_INDEXED = {"Contact.Email", "Product2.StockKeepingUnit", "User.Username", "Pricebook2.Name"}

# Told of the verb, the type and the id of a record that somebody wants to write; refuses by raising ApiError.
Guard = Callable[[str, str, str], None]


class Org:
    """Records by type and id. Field names are as in the schema; unknown types are the caller's to refuse."""

    def __init__(self, store: Store, clock: Clock, ledger: Ledger, bus: Bus) -> None:
        self.schema = schema.load()
        self.store = store
        self.clock = clock
        self.ledger = ledger
        self.bus = bus
        self.sessions = Sessions(store, clock, ORGANIZATION_ID)
        self.before_write: Guard = _nothing_against_it
        self._tables = {each.name: self._table(each) for each in self.schema if not each.event}
        self._bins = {each.name: store.table(f"{each.name} deleted") for each in self.schema if not each.event}

    def table(self, type_name: str) -> Table:
        """The living records of a type; read only."""
        return self._tables[type_name]

    def get(self, type_name: str, record_id: str) -> Record | None:
        """A living record."""
        return self._tables[type_name].get(record_id)

    def existing(self, type_name: str, record_id: str) -> Record:
        """A living record. Raises ApiError ENTITY_IS_DELETED or NOT_FOUND."""
        record = self._tables[type_name].get(record_id)
        if record is None and self._bins[type_name].get(record_id):
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted", [])
        if record is None:
            raise not_found()
        return record

    def records(self, type_name: str, *, deleted_too: bool = False) -> Iterator[Record]:
        """All living records of a type, oldest first, then those in the bin when wanted."""
        yield from self._tables[type_name].all()
        if deleted_too:
            yield from self._bins[type_name].all()

    def find(self, type_name: str, field: str, value: Any) -> list[Record]:
        """Living records whose indexed field equals the value."""
        return self._tables[type_name].find(field, value)

    def user_named(self, username: str) -> str:
        """The id of the user with this username. Raises LookupError."""
        users = self.find("User", "Username", username)
        if not users:
            raise LookupError(f"no user is called {username}")
        return str(users[0]["Id"])

    def create(self, type_name: str, fields: Mapping[str, Any], user_id: str) -> str:
        """Insert a record and return its id. Raises ApiError; nothing is changed then."""
        sobject = self.schema[type_name]
        if sobject.read_only or not sobject.createable:
            message = f"entity type {sobject.name} does not support create"
            raise ApiError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [])
        self.before_write("create", sobject.name, "")
        record = self._accept(sobject, fields, "createable")
        return self.insert(sobject, record, user_id)

    def update(self, type_name: str, record_id: str, fields: Mapping[str, Any], user_id: str) -> None:
        """Change a record. Raises ApiError; nothing is changed then."""
        sobject = self.schema[type_name]
        before = self.existing(sobject.name, record_id)
        self._refuse_read_only(sobject)
        self.before_write("update", sobject.name, record_id)
        self.amend(sobject, before, self._accept(sobject, fields, "updateable"), user_id)

    def delete(self, type_name: str, record_id: str, user_id: str) -> None:
        """Put a record into the bin. Raises ApiError."""
        sobject = self.schema[type_name]
        before = self.existing(sobject.name, record_id)
        self._refuse_read_only(sobject)
        self.before_write("delete", sobject.name, record_id)
        with self.store.transaction():
            rules.before_delete(Saving(self, sobject, before, dict(before), user_id))
            self._tables[sobject.name].delete(record_id)
            gone = {**before, "IsDeleted": True, **self._stamp(user_id)}
            self._bins[sobject.name].put(record_id, gone)
            rules.after_delete(Saving(self, sobject, before, gone, user_id))

    def insert(self, sobject: SObject, fields: Mapping[str, Any], user_id: str) -> str:
        """Insert with accepted values, read-only fields included: for the org's own rules and seed."""
        record_id = ids.make(sobject.prefix, self.store.next_number(sobject.name))
        stamp = self._stamp(user_id)
        record = {
            **{each.name: _default(each, user_id) for each in sobject.fields.values()},
            **fields,
            "Id": record_id,
            "CreatedDate": stamp["LastModifiedDate"],
            "CreatedById": user_id,
            **stamp,
        }
        self._save(Saving(self, sobject, {}, record, user_id))
        return record_id

    def amend(self, sobject: SObject, before: Record, changes: Mapping[str, Any], user_id: str) -> None:
        """Change a record with accepted values, read-only fields included: for the org's own rules."""
        record = {**before, **changes, **self._stamp(user_id)}
        self._save(Saving(self, sobject, before, record, user_id))

    def derive(self, type_name: str, record_id: str, changes: Mapping[str, Any]) -> None:
        """Set derived fields beside a save: no flow runs and no user is named, only SystemModstamp moves."""
        table = self._tables[type_name]
        now = moments.write(self.clock.now())
        table.put(record_id, {**(table.get(record_id) or {}), **changes, "SystemModstamp": now})

    def _save(self, saving: Saving) -> None:
        """The order of execution: defaults and flows before the save, checks, the save, what follows from it."""
        sobject, record = saving.sobject, saving.record
        with self.store.transaction():
            rules.before_save(saving)
            self._check(saving)
            self._number(saving)
            try:
                self._tables[sobject.name].put(record["Id"], record)
            except Duplicate as clash:
                raise duplicate_value(clash.field, clash.holder) from clash
            rules.after_save(saving)

    def _accept(self, sobject: SObject, fields: Mapping[str, Any], may: str) -> dict[str, Any]:
        found = {name: sobject.field(name) for name in fields if name.casefold() != "attributes"}
        for name, field in found.items():
            if field is None:
                raise ApiError("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
        known = {name: field for name, field in found.items() if field}
        locked = [field.name for field in known.values() if not getattr(field, may)]
        if locked:
            raise _read_only(locked)
        return {field.name: values.accept(field, fields[name]) for name, field in known.items()}

    def _check(self, saving: Saving) -> None:
        sobject, record = saving.sobject, saving.record
        missing = [each.name for each in sobject.fields.values() if each.required and record.get(each.name) is None]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise ApiError("REQUIRED_FIELD_MISSING", message, missing)
        for each in sobject.fields.values():
            if each.references and saving.changed(each.name) and record.get(each.name) not in (None, record["Id"]):
                self._check_reference(each, record[each.name])

    def _check_reference(self, field: Field, record_id: str) -> None:
        target = self.schema.of_id(record_id)
        if target is None or target.name not in field.references:
            raise ApiError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {record_id}", [field.name])
        if self.get(target.name, record_id) is None:
            raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])

    def _number(self, saving: Saving) -> None:
        for each in saving.sobject.fields.values():
            if each.autonumber and saving.creating:
                number = self.store.next_number(f"{saving.sobject.name}.{each.name}", start=each.autonumber["start"])
                saving.record[each.name] = f"{number:0{each.autonumber['digits']}d}"

    def _refuse_read_only(self, sobject: SObject) -> None:
        if sobject.read_only:
            raise ApiError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", [])

    def _stamp(self, user_id: str) -> dict[str, str]:
        now = moments.write(self.clock.now())
        return {"LastModifiedDate": now, "LastModifiedById": user_id, "SystemModstamp": now}

    def _table(self, sobject: SObject) -> Table:
        fields = sobject.fields.values()
        indexes = [
            each.name
            for each in fields
            if each.references or each.external_id or f"{sobject.name}.{each.name}" in _INDEXED
        ]
        unique = [each.name for each in fields if each.unique]
        return self.store.table(sobject.name, indexes=indexes, unique=unique)


def _nothing_against_it(_verb: str, _type_name: str, _record_id: str) -> None:
    """The guard of an org of its own."""


def _default(field: Field, user_id: str) -> Any:
    if field.type == "boolean":
        return bool(field.default)
    return user_id if field.default == "$User.Id" else field.default


def _read_only(fields: list[str]) -> ApiError:
    message = (
        f"Unable to create/update fields: {', '.join(fields)}. Please check the security settings of this field and "
        "verify that it is read/write for your profile or permission set."
    )
    return ApiError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields)


def duplicate_value(field: str, holder: str) -> ApiError:
    """A unique field's value is in another record, which the message names by its 15 characters."""
    message = f"duplicate value found: {field} duplicates value on record with id: {holder[:15]}"
    return ApiError("DUPLICATE_VALUE", message, [])
