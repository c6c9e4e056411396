"""Schema files: the org's own in `objects/`, and those that add to it, given at start by `--schema FILE`.

A file is a JSON object with any of these keys; what it says is added to the org, nothing is taken away:

    {
     "objects": {"Sample__c": {"label": "Sample", "fields": [{"name": "Code__c", "type": "string", "length": 20}]}},
     "fields": {"Account": [{"name": "Region__c", "type": "picklist", "values": ["East", "West"], "restricted": true}]},
     "events": {"Sample__e": {"label": "Sample", "fields": [{"name": "Message__c", "type": "string"}]}},
     "channels": {"/event/Samples__chn": ["/event/Sample__e"], "/data/Sales__chn": ["/data/OrderChangeEvent"]},
     "managedEventSubscriptions": {"Managed_Sample": {"topicName": "/event/Sample__e", "state": "RUN"}},
     "duplicateRules": {"Same_Address": {"object": "Contact", "fields": ["Email"], "action": "Alert"}}
    }

- `objects`: custom objects (`…__c`), or standard ones that this org lacks, which also need their `prefix`, the three
  characters their ids begin with. `label` is required; `plural`, `createable`, `updateable`, `deletable` and `readOnly`
  are possible. A custom object has the fields Name, OwnerId and CurrencyIsoCode without saying so; `"nameFormat":
  "S-{0000}"` makes its Name an auto-number.
- `fields`: further fields of objects and events that exist already, in this org or in an earlier file.
- `events`: platform events (`…__e`) with fields of the types string, textarea, double, boolean, date and datetime.
- `channels`: custom channels by name, each of platform events (`/event/…__chn`) or of change events (`/data/…__chn`).
- `managedEventSubscriptions`: by developer name; `defaultReplay` and `errorRecoveryReplay` are LATEST or EARLIEST,
  `state` is RUN or STOP.
- `duplicateRules`: by name; a save that makes a second record with the same values in all `fields` (the first of them
  indexed: an external id, a reference, or one that describe calls an idLookup) is stopped with DUPLICATES_DETECTED and
  the `message`. An Alert can be overridden by the header `Sforce-Duplicate-Rule-Header: allowSave=true`, a Block not.

A field has a `name` and a `type`, one of those in `schema.FieldType` (as describe calls them: a checkbox is a
`boolean`, long text a `textarea` with a `length` above 255, a lookup a `reference` with `references`), and whatever
else of `schema.Field` applies, in camel case: `label`, `help`, `length`, `precision`, `scale`, `required`, `unique`,
`externalId`, `createable`, `updateable`, `restricted`, `values`, `default`, `relationship`, `children`, `onDelete`.
Custom objects and events are given key prefixes when the org first sees them, and keep them as long as its state lives.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits
from typing import TypeVar

from sandbox.salesforce import system_fields
from sandbox.salesforce.schema import DuplicateRule, Field, ManagedSubscription, Schema, SObject
from sandbox.salesforce.schema_source import EventSource, ObjectSource, SchemaError, SchemaFile, read

__all__ = ["OWN", "SchemaError", "load"]

OWN = tuple(sorted(Path(__file__).with_name("objects").glob("*.json")))
T = TypeVar("T")
_EVENT_TYPES = frozenset({"string", "textarea", "double", "boolean", "date", "datetime"})


@dataclass
class _Draft:
    """One type while files add to it; `given` are the fields a file names, in order."""

    name: str
    source: ObjectSource | EventSource
    given: list[Field] = field(default_factory=list)

    @property
    def event(self) -> bool:
        return isinstance(self.source, EventSource)

    def add(self, fields: Sequence[Field], file: Path) -> None:
        known = {each.name.casefold() for each in self._all()}
        for each in fields:
            if each.name.casefold() in known:
                raise SchemaError(f"{file}: {self.name}.{each.name}: there is a field of this name already")
            if self.event and each.type not in _EVENT_TYPES:
                types = ", ".join(sorted(_EVENT_TYPES))
                raise SchemaError(f"{file}: {self.name}.{each.name}: a field of an event has one of the types {types}")
            known.add(each.name.casefold())
            self.given.append(each)

    def finish(self, prefix: str) -> SObject:
        source, fields = self.source, {each.name.casefold(): each for each in self._all()}
        plural = source.plural or f"{source.label}s"
        if isinstance(source, EventSource):
            return SObject(
                self.name, source.label, plural, prefix, fields, updateable=False, deletable=False, event=True
            )
        writable = not source.read_only
        return SObject(
            self.name,
            source.label,
            plural,
            prefix,
            fields,
            createable=writable and source.createable,
            updateable=writable and source.updateable,
            deletable=writable and source.deletable,
            mru=source.mru,
            etag=source.etag,
        )

    def _all(self) -> Iterator[Field]:
        """In the order of describe: the id, the type's own fields, who wrote it when, and what was added to the org."""
        source = self.source
        if isinstance(source, EventSource):
            yield from system_fields.of_event()
            yield from self.given
            return
        custom = self.name.endswith("__c")
        yield from system_fields.identity(source.label)
        if custom and not any(each.name_field for each in self.given):
            yield system_fields.name(source.label, source.name_format)
        yield from (each for each in self.given if not each.custom)
        if source.currency or custom:
            yield system_fields.currency()
        if source.owner or custom:
            yield system_fields.owner()
        yield from system_fields.audit(viewed=source.mru)
        yield from (each for each in self.given if each.custom)


def load(extensions: Sequence[Path] = (), kept_prefixes: Mapping[str, str] | None = None) -> Schema:
    """The org's schema with these files added, in order. Raises SchemaError.

    `kept_prefixes` are the key prefixes of custom types that were allocated before, by name; new ones get others.
    """
    drafts: dict[str, _Draft] = {}
    subscriptions: dict[str, ManagedSubscription] = {}
    channels: dict[str, tuple[str, ...]] = {}
    rules: dict[str, DuplicateRule] = {}
    for group in (OWN, *((path,) for path in extensions)):
        for path in group:
            file = read(path)
            _add_types(drafts, file, path)
            _add_named(subscriptions, file.managed_event_subscriptions, path, "managed event subscription")
            _add_named(channels, file.channels, path, "channel")
            _add_named(rules, file.duplicate_rules, path, "duplicate rule")
        _refuse_strangers(drafts, group[-1])
    prefixes = _prefixes(list(drafts.values()), kept_prefixes or {})
    schema = Schema([each.finish(prefixes[each.name]) for each in drafts.values()], subscriptions, rules, channels)
    _check_rules(schema)
    return schema


def _add_types(drafts: dict[str, _Draft], file: SchemaFile, path: Path) -> None:
    types: dict[str, ObjectSource | EventSource] = {**file.objects, **file.events}
    for name, source in types.items():
        if name.casefold() in drafts:
            raise SchemaError(f"{path}: {name}: there is an object of this name already")
        if isinstance(source, EventSource) != name.endswith("__e"):
            raise SchemaError(f"{path}: {name}: the names of events, and of nothing else, end in __e")
        if source.prefix is None and not name.endswith(("__c", "__e")):
            raise SchemaError(f"{path}: {name}: a standard object needs the `prefix` of its ids")
        draft = drafts[name.casefold()] = _Draft(name, source)
        draft.add(source.fields, path)
    for name, fields in file.fields.items():
        if name.casefold() not in drafts:
            raise SchemaError(f"{path}: {name}: there is no object of this name to add fields to")
        drafts[name.casefold()].add(fields, path)


def _add_named(known: dict[str, T], more: Mapping[str, T], path: Path, kind: str) -> None:
    for name, each in more.items():
        if name in known:
            raise SchemaError(f"{path}: {name}: there is a {kind} of this name already")
        known[name] = each


def _check_rules(schema: Schema) -> None:
    """A duplicate rule looks for records by an index."""
    for name, rule in schema.duplicate_rules.items():
        sobject = schema.get(rule.object)
        if sobject is None or sobject.event:
            raise SchemaError(f"{name}: there is no object {rule.object} to look for duplicates of")
        known = {each.name: each for each in sobject.fields.values()}
        if strangers := [each for each in rule.fields if each not in known]:
            raise SchemaError(f"{name}: {rule.object} has no field {strangers[0]}")
        if not known[rule.fields[0]].has_index:
            raise SchemaError(f"{name}: {rule.fields[0]} has no index, which the first field of a duplicate rule needs")


def _refuse_strangers(drafts: Mapping[str, _Draft], path: Path) -> None:
    """A file may refer to itself and to what came before it."""
    for draft in drafts.values():
        for each in draft.given:
            for name in each.references:
                if name.casefold() not in drafts or drafts[name.casefold()].event:
                    raise SchemaError(f"{path}: {draft.name}.{each.name}: there is no object {name} to refer to")


def _prefixes(drafts: Sequence[_Draft], kept: Mapping[str, str]) -> dict[str, str]:
    """The key prefix of every type. Raises SchemaError when two want the same."""
    given = {each.name: each.source.prefix or kept.get(each.name) for each in drafts}
    holders: dict[str, str] = {}
    for name, prefix in given.items():
        if prefix and prefix in holders:
            raise SchemaError(f"{name}: the prefix {prefix} belongs to {holders[prefix]}")
        if prefix:
            holders[prefix] = name
    taken = {*holders, *kept.values()}
    for draft in drafts:
        if given[draft.name] is None:
            given[draft.name] = next(each for each in _free("e" if draft.event else "a") if each not in taken)
            taken.add(str(given[draft.name]))
    return {name: str(prefix) for name, prefix in given.items()}


def _free(first: str) -> Iterator[str]:
    alphabet = digits + ascii_uppercase + ascii_lowercase
    return (f"{first}{second}{third}" for second in alphabet for third in alphabet)
