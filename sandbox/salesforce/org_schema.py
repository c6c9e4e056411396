"""The schema of one org: what its state remembers of it between starts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sandbox.clock import Clock
from sandbox.salesforce import schema_files
from sandbox.salesforce.schema import Schema
from sandbox.store import Store

_KEY = "schema"
# Records that say which prefix the ids of a custom type have, by the type's name.
PREFIXES = "key prefix"


@dataclass(frozen=True)
class OrgSchema:
    """A schema, and the moment since which the org has it: what a describe call is modified by."""

    schema: Schema
    changed_at: datetime


def load(store: Store, clock: Clock, extensions: Sequence[Path]) -> OrgSchema:
    """The org's schema with these files added. Custom types keep the key prefixes that an earlier start gave them.

    Raises SchemaError.
    """
    prefixes = store.table(PREFIXES)
    kept = {str(each["name"]): str(each["prefix"]) for each in prefixes.all()}
    schema = schema_files.load(extensions, kept)
    with store.transaction():
        for sobject in schema:
            if sobject.custom and sobject.name not in kept:
                prefixes.put(sobject.name, {"name": sobject.name, "prefix": sobject.prefix})
        return OrgSchema(schema, _changed_at(store, clock, extensions))


def _changed_at(store: Store, clock: Clock, extensions: Sequence[Path]) -> datetime:
    table, digest = store.table(_KEY), hashlib.sha256()
    for path in (*schema_files.OWN, *extensions):
        digest.update(path.read_bytes())
    known = table.get(_KEY)
    if known is None or known["digest"] != digest.hexdigest():
        known = {"digest": digest.hexdigest(), "changed_at": clock.now().isoformat(timespec="seconds")}
        table.put(_KEY, known)
    return datetime.fromisoformat(known["changed_at"])
