"""Managed event subscriptions: their configuration, as the Tooling API shows it, and how far each has committed."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.schema import ManagedSubscription
from sandbox.store import Duplicate, Record, Store

PREFIX = "18x"
STATES = ("RUN", "STOP")
PRESETS = ("LATEST", "EARLIEST")
_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*", re.ASCII)
_METADATA = {"label", "topicName", "defaultReplay", "state", "errorRecoveryReplay"}


class InUse(Exception):
    """Somebody subscribes with it already."""


class ManagedSubscriptions:
    """Records `{Id, DeveloperName, Metadata}`, where Metadata has `label`, `topicName`, `state` (RUN, STOP),
    `defaultReplay` and `errorRecoveryReplay` (LATEST, EARLIEST); beside them the committed replay numbers."""

    def __init__(self, store: Store, configured: Mapping[str, ManagedSubscription]) -> None:
        """`configured` are those of the schema files, by developer name; each is made once and can then be changed."""
        self._store = store
        self._table = store.table("ManagedEventSubscription", unique=["DeveloperName"])
        self._positions = store.table("ManagedEventSubscription position")
        self._held: set[str] = set()
        for name, subscription in configured.items():
            if self.named(name) is None:
                given = subscription.model_dump(by_alias=True)
                self.create(name, given | {"label": subscription.label or name})

    def all(self) -> list[Record]:
        """Every subscription, oldest first."""
        return list(self._table.all())

    def get(self, subscription_id: str) -> Record | None:
        """The one with this id of 18 characters."""
        return self._table.get(subscription_id)

    def named(self, developer_name: str) -> Record | None:
        """The one with this developer name."""
        return next(iter(self._table.find("DeveloperName", developer_name)), None)

    def create(self, developer_name: str, metadata: dict[str, Any]) -> Record:
        """Make one; what `metadata` leaves out has its default. Raises ValueError."""
        if not _NAME.fullmatch(developer_name):
            raise ValueError(f"{developer_name!r} is no developer name: letters, digits and single underscores")
        defaults = {"label": developer_name, "state": "RUN", "defaultReplay": "LATEST", "errorRecoveryReplay": "LATEST"}
        subscription_id = ids.make(PREFIX, self._store.next_number("ManagedEventSubscription"))
        record = {"Id": subscription_id, "DeveloperName": developer_name, "Metadata": _checked(defaults | metadata)}
        return self._put(record)

    def change(self, subscription_id: str, metadata: dict[str, Any]) -> Record:
        """Give it other metadata; what is left out stays. Raises LookupError and ValueError."""
        record = self._table.get(subscription_id)
        if record is None:
            raise LookupError(f"there is no managed event subscription {subscription_id}")
        return self._put({**record, "Metadata": _checked(record["Metadata"] | metadata)})

    def delete(self, subscription_id: str) -> None:
        """Forget it and what it committed. Repeatable."""
        with self._store.transaction():
            self._table.delete(subscription_id)
            self._positions.delete(subscription_id)

    def committed(self, subscription_id: str) -> int | None:
        """The replay number it committed last; None before the first time."""
        position = self._positions.get(subscription_id)
        return None if position is None else int(position["replay"])

    def commit(self, subscription_id: str, replay: int) -> None:
        """Note how far its subscriber is."""
        self._positions.put(subscription_id, {"replay": replay})

    @contextmanager
    def held(self, subscription_id: str) -> Iterator[None]:
        """Have it alone. Raises InUse."""
        if subscription_id in self._held:
            raise InUse(subscription_id)
        self._held.add(subscription_id)
        try:
            yield
        finally:
            self._held.remove(subscription_id)

    def _put(self, record: dict[str, Any]) -> Record:
        try:
            self._table.put(record["Id"], record)
        except Duplicate as clash:
            raise ValueError(f"{record['DeveloperName']} is taken by {clash.holder}") from clash
        return record


def _checked(metadata: dict[str, Any]) -> dict[str, Any]:
    if unknown := metadata.keys() - _METADATA:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    for name, allowed in (("state", STATES), ("defaultReplay", PRESETS), ("errorRecoveryReplay", PRESETS)):
        if metadata[name] not in allowed:
            raise ValueError(f"{name} is one of {', '.join(allowed)}")
    if not isinstance(metadata.get("topicName"), str) or not isinstance(metadata["label"], str):
        raise ValueError("topicName and label are texts")
    return metadata
