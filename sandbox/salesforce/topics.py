"""What can be published and subscribed to: platform events, change events, and channels that join several of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.salesforce.events import SchemaRegistry, UnknownTopic
from sandbox.store import Store

ALL_CHANGES = "/data/ChangeEvents"
_CHANNEL = re.compile(r"/(event|data)/[A-Za-z]\w*__chn", re.ASCII)
_SUFFIX = {"event": "__e", "data": "ChangeEvent"}


@dataclass(frozen=True)
class Topic:
    """One topic; `members` are those whose events it delivers. `schema_id` is empty where the members' differ."""

    name: str
    members: tuple[str, ...]
    schema_id: str
    can_publish: bool
    can_subscribe: bool


class Topics:
    """Finds topics, and keeps the org's custom channels and who may use what.

    Permissions are the integration user's, and forgotten at the end of the process; channels are kept.
    """

    def __init__(self, schemas: SchemaRegistry, store: Store) -> None:
        self._schemas = schemas
        self._channels = store.table("PlatformEventChannel")
        self._no_publishing: set[str] = set()
        self._no_subscribing: set[str] = set()

    def find(self, name: str) -> Topic:
        """The topic of this name (section 1.6 of salesforce-wire.md). Raises UnknownTopic."""
        members = self._members(name)
        own = members == (name,)
        return Topic(
            name,
            members,
            self._schemas.current(name).schema_id if own else "",
            # Change events come from records only, and a channel is for listening.
            can_publish=own and name.startswith("/event/") and name not in self._no_publishing,
            can_subscribe=name not in self._no_subscribing,
        )

    def names(self) -> list[str]:
        """Every topic there is."""
        return [*self._schemas.topics(), ALL_CHANGES, *(each["Name"] for each in self._channels.all())]

    def put_channel(self, name: str, members: Sequence[str]) -> None:
        """Make a custom channel, or give it other members. Raises ValueError for a name that no channel can have, and
        for members that do not exist or are of the other kind."""
        match = _CHANNEL.fullmatch(name)
        if not match:
            raise ValueError(f"{name} is no channel: /event/Name__chn or /data/Name__chn")
        suffix = _SUFFIX[match[1]]
        for member in members:
            if member not in self._schemas.topics() or not member.endswith(suffix):
                raise ValueError(f"{member} cannot be a member of {name}")
        self._channels.put(name, {"Name": name, "Members": list(members)})

    def permit(self, name: str, *, publish: bool, subscribe: bool) -> Topic:
        """Say what the integration user may do with a topic. Raises UnknownTopic."""
        self.find(name)
        _switch(self._no_publishing, name, publish)
        _switch(self._no_subscribing, name, subscribe)
        return self.find(name)

    def _members(self, name: str) -> tuple[str, ...]:
        known = self._schemas.topics()
        if name in known:
            return (name,)
        if name == ALL_CHANGES:
            return tuple(each for each in known if each.startswith("/data/"))
        channel = self._channels.get(name)
        if channel is None:
            raise UnknownTopic(name)
        return tuple(channel["Members"])


def _switch(forbidden: set[str], name: str, allowed: bool) -> None:
    if allowed:
        forbidden.discard(name)
    else:
        forbidden.add(name)
