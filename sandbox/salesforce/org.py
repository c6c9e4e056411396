"""The org: its records, and the one way in which they change, whoever asks: REST, the desk, or another rule."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from sandbox.clock import Clock
from sandbox.ledger import Ledger
from sandbox.salesforce import checks, duplicates, ids, moments, org_schema, rules
from sandbox.salesforce.accepting import accept
from sandbox.salesforce.asking import Asking
from sandbox.salesforce.bus import Bus
from sandbox.salesforce.contents import Contents
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.managed import ManagedSubscriptions
from sandbox.salesforce.saving import Saving
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.sessions import Sessions
from sandbox.store import Duplicate, Record, Store, Table

ORGANIZATION_ID = ids.make("00D", 1)

# Told of the verb, the type and the id of a record that somebody wants to write; refuses by raising ApiError.
Guard = Callable[[str, str, str], None]
ChangeType = Literal["CREATE", "UPDATE", "DELETE", "UNDELETE"]


class Org:
    """Records by type and id. Field names are as in the schema; unknown types are the caller's to refuse."""

    def __init__(self, store: Store, clock: Clock, ledger: Ledger, bus: Bus, schemas: Sequence[Path] = ()) -> None:
        """`schemas` are files that add to the org's schema. Raises SchemaError."""
        loaded = org_schema.load(store, clock, schemas)
        self.schema = loaded.schema
        self.schema_changed_at = loaded.changed_at
        self.store = store
        self.clock = clock
        self.ledger = ledger
        self.bus = bus
        self.sessions = Sessions(store, clock, ORGANIZATION_ID)
        self.before_write: Guard = _nothing_against_it
        self.contents = Contents(store)
        self.managed = ManagedSubscriptions(store, self.schema.managed_subscriptions)
        self.asking = Asking()
        self._watchers: list[Callable[[ChangeType, Saving], None]] = []
        self._tables = {each.name: self._table(each) for each in self.schema if not each.event}
        self._bins = {each.name: self._bin(each) for each in self.schema if not each.event}

    def table(self, type_name: str) -> Table:
        """The living records of a type; read only."""
        return self._tables[type_name]

    def bin(self, type_name: str) -> Table:
        """The deleted records of a type; read only."""
        return self._bins[type_name]

    def get(self, type_name: str, record_id: str) -> Record | None:
        """A living record."""
        return self._tables[type_name].get(record_id)

    def deleted(self, type_name: str, record_id: str) -> bool:
        """Whether there was such a record and it lies in the bin."""
        return self._bins[type_name].get(record_id) is not None

    def existing(self, type_name: str, record_id: str) -> Record:
        """A living record. Raises ApiError ENTITY_IS_DELETED or NOT_FOUND."""
        record = self._tables[type_name].get(record_id)
        if record is None and self.deleted(type_name, record_id):
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

    def by_key(self, sobject: SObject, key: Field, value: Any) -> list[Record]:
        """Living records with this value, as the org keeps it, in an external id, in another indexed field or in Id."""
        if key.type != "id":
            return self.find(sobject.name, key.name, value)
        record = self.get(sobject.name, str(value))
        return [] if record is None else [record]

    def user_named(self, username: str) -> str:
        """The id of the user with this username. Raises LookupError."""
        users = self.find("User", "Username", username)
        if not users:
            raise LookupError(f"no user is called {username}")
        return str(users[0]["Id"])

    @contextmanager
    def asked(self, asking: Asking) -> Iterator[None]:
        """For as long as the context lasts, changes are made by that call."""
        before, self.asking = self.asking, asking
        try:
            yield
        finally:
            self.asking = before

    def watch(self, watcher: Callable[[ChangeType, Saving], None]) -> None:
        """Have `watcher` told of every record saved, deleted and restored, in the transaction; it never raises."""
        self._watchers.append(watcher)

    def create(self, type_name: str, fields: Mapping[str, Any], user_id: str) -> str:
        """Insert a record and return its id. Raises ApiError; nothing is changed then."""
        sobject = self.schema[type_name]
        if not sobject.createable:
            message = f"entity type {sobject.name} does not support create"
            raise ApiError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [])
        self.before_write("create", sobject.name, "")
        return self.insert(sobject, accept(self, sobject, fields, "create"), user_id)

    def update(self, type_name: str, record_id: str, fields: Mapping[str, Any], user_id: str) -> None:
        """Change a record. Raises ApiError; nothing is changed then."""
        sobject = self.schema[type_name]
        before = self.existing(sobject.name, record_id)
        _refuse_unless(sobject.updateable)
        self.before_write("update", sobject.name, record_id)
        self.amend(sobject, before, accept(self, sobject, fields, "update"), user_id)

    def delete(self, type_name: str, record_id: str, user_id: str) -> None:
        """Put a record into the bin. Raises ApiError."""
        sobject = self.schema[type_name]
        before = self.existing(sobject.name, record_id)
        _refuse_unless(sobject.deletable)
        self.before_write("delete", sobject.name, record_id)
        self.discard(sobject, before, user_id)

    def insert(self, sobject: SObject, fields: Mapping[str, Any], user_id: str) -> str:
        """Insert with accepted values, read-only fields included: for the org's own rules and seed."""
        record_id = ids.make(sobject.prefix, self.store.next_number(sobject.name))
        stamp = self._stamp(user_id)
        record = {
            **{each.name: _default(each, user_id) for each in sobject.fields.values() if each.type != "address"},
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

    def discard(self, sobject: SObject, before: Record, user_id: str) -> None:
        """Put a record into the bin, whether or not users may: for the org's own rules. Raises ApiError."""
        with self.store.transaction():
            rules.before_delete(Saving(self, sobject, before, dict(before), user_id))
            self._tables[sobject.name].delete(before["Id"])
            gone = {**before, "IsDeleted": True, **self._stamp(user_id)}
            self._bins[sobject.name].put(before["Id"], gone)
            deleted = Saving(self, sobject, before, gone, user_id)
            self._tell("DELETE", deleted)
            rules.after_delete(deleted)

    def undelete(self, type_name: str, record_id: str, user_id: str) -> None:
        """Take a record out of the bin, and with it what was deleted with it. Raises ApiError."""
        sobject = self.schema[type_name]
        before = self._bins[sobject.name].get(record_id)
        if before is None:
            raise ApiError("UNDELETE_FAILED", "Entity is not in the recycle bin", [])
        self.before_write("undelete", sobject.name, record_id)
        with self.store.transaction():
            self._restore(sobject, before, user_id)

    def _save(self, saving: Saving) -> None:
        """The order of execution: defaults and flows before the save, checks, the save, what follows from it."""
        sobject, record = saving.sobject, saving.record
        with self.store.transaction():
            rules.before_save(saving)
            checks.check(saving)
            duplicates.check(saving)
            self._number(saving)
            self.contents.move(sobject, record)
            self._put(saving)
            self._tell("CREATE" if saving.creating else "UPDATE", saving)
            rules.after_save(saving)

    def _restore(self, sobject: SObject, before: Record, user_id: str) -> None:
        saving = Saving(self, sobject, before, {**before, "IsDeleted": False, **self._stamp(user_id)}, user_id)
        self._bins[sobject.name].delete(before["Id"])
        self._put(saving)
        self._tell("UNDELETE", saving)
        for child, field in ((each.child, each.field) for each in sobject.pointing_here):
            if field.on_delete == "cascade":
                for record in self._deleted_with(child, field, before):
                    self._restore(child, record, user_id)

    def _deleted_with(self, child: SObject, field: Field, parent: Record) -> list[Record]:
        """Children in the bin since the parent's deletion, which came right after theirs."""
        moment = moments.parse(parent["SystemModstamp"])
        stamps = [moments.write(moment - timedelta(seconds=each)) for each in (1, 0)]
        found = [each for stamp in stamps for each in self._bins[child.name].find("SystemModstamp", stamp)]
        return [each for each in found if each.get(field.name) == parent["Id"]]

    def _put(self, saving: Saving) -> None:
        try:
            self._tables[saving.sobject.name].put(saving.record["Id"], saving.record)
        except Duplicate as clash:
            raise checks.duplicate_value(clash.field, clash.holder) from clash

    def _tell(self, change: ChangeType, saving: Saving) -> None:
        for watcher in self._watchers:
            watcher(change, saving)

    def _number(self, saving: Saving) -> None:
        for each in saving.sobject.fields.values():
            if each.autonumber and saving.creating:
                series = f"{saving.sobject.name}.{each.name}"
                number = self.store.next_number(series, start=each.autonumber.start)
                saving.record[each.name] = each.autonumber.write(number)

    def _stamp(self, user_id: str) -> dict[str, str]:
        now = moments.write(self.clock.now())
        return {"LastModifiedDate": now, "LastModifiedById": user_id, "SystemModstamp": now}

    def _table(self, sobject: SObject) -> Table:
        fields = sobject.fields.values()
        indexes = [each.name for each in fields if each.has_index]
        unique = [each.name for each in fields if each.unique]
        return self.store.table(sobject.name, indexes=indexes, unique=unique)

    def _bin(self, sobject: SObject) -> Table:
        return self.store.table(f"{sobject.name} deleted", indexes=("SystemModstamp",))


def _nothing_against_it(_verb: str, _type_name: str, _record_id: str) -> None:
    """The guard of an org of its own."""


def _default(field: Field, user_id: str) -> Any:
    if field.type == "boolean":
        return bool(field.default)
    return user_id if field.default == "$User.Id" else field.default


def _refuse_unless(allowed: bool) -> None:
    if not allowed:
        raise ApiError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", [])
