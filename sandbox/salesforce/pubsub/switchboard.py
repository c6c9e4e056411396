"""The live streams of the Pub/Sub API and their connections, and the knobs that reach all of them at once."""

from dataclasses import dataclass, replace
from typing import Protocol

import grpc


class Live(Protocol):
    """A stream that can be woken and ended from outside."""

    def poke(self) -> None:
        """Look at the switchboard again."""

    def cut(self, status: grpc.StatusCode) -> None:
        """End with this status."""


class Connections(Protocol):
    """The TCP connections under the streams."""

    def reset(self) -> int:
        """End each with a TCP reset; returns how many there were."""

    def freeze(self, frozen: bool) -> None:
        """Move no more bytes in either direction, or move them again."""


@dataclass(frozen=True)
class Pace:
    """Times in seconds (salesforce-wire.md, sections 1.1, 1.4 and 1.5).

    `keepalive_s`: silence after which an empty response is sent. `idle_s`: a subscription without credit ends.
    `publish_idle_s`: a publish stream without a request ends. `commit_idle_s`: a managed one without a commit ends.
    """

    keepalive_s: float
    idle_s: float = 60.0
    publish_idle_s: float = 70.0
    commit_idle_s: float = 1800.0


class Switchboard:
    """`muted`: accepted streams are sent nothing. `connections` is there as long as the server runs."""

    def __init__(self, keepalive_s: float) -> None:
        self.pace = Pace(keepalive_s)
        self.muted = False
        self.connections: Connections | None = None
        self._live: set[Live] = set()

    def __len__(self) -> int:
        return len(self._live)

    def join(self, stream: Live) -> None:
        """A stream was opened."""
        self._live.add(stream)

    def leave(self, stream: Live) -> None:
        """A stream is over."""
        self._live.discard(stream)

    def change_pace(self, **seconds: float) -> Pace:
        """Change some of the times, for streams under way too. Raises TypeError for an unknown name."""
        self.pace = replace(self.pace, **seconds)
        self.poke()
        return self.pace

    def mute(self, muted: bool) -> None:
        """Say nothing more on any stream, not even keep-alives; or speak again."""
        self.muted = muted
        self.poke()

    def cut(self, status: grpc.StatusCode) -> int:
        """End every live stream; returns how many there were."""
        streams = list(self._live)
        for stream in streams:
            stream.cut(status)
        return len(streams)

    def reset(self) -> int:
        """End every connection with a TCP reset, and the streams with them; returns how many connections there were."""
        return self.connections.reset() if self.connections else 0

    def freeze(self, frozen: bool) -> None:
        """Let every connection look open but move no bytes, pings included; or let what was held back go on."""
        if self.connections:
            self.connections.freeze(frozen)

    def poke(self) -> None:
        """Have every live stream look at what may have changed."""
        for stream in list(self._live):
            stream.poke()
