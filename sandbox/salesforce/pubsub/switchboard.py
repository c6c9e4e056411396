"""The live streams of the Pub/Sub API and the knobs with which it is made to misbehave."""

from collections import Counter
from typing import Protocol

import grpc

from sandbox.salesforce.pubsub.refusals import Refusal

# A stream without credit is ended after this long (salesforce-wire.md, section 1.4).
IDLE_S = 60.0


class Live(Protocol):
    """A stream that can be woken and ended from outside."""

    def poke(self) -> None:
        """Look at the switchboard again."""

    def cut(self, status: grpc.StatusCode) -> None:
        """End with this status."""


class Switchboard:
    """`keepalive_s`: silence after which an empty response is sent. `muted`: accepted streams are sent nothing."""

    def __init__(self, keepalive_s: float) -> None:
        self.keepalive_s = keepalive_s
        self.idle_s = IDLE_S
        self.muted = False
        self._live: set[Live] = set()
        self._planned: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        return len(self._live)

    def join(self, stream: Live) -> None:
        """A stream was opened."""
        self._live.add(stream)

    def leave(self, stream: Live) -> None:
        """A stream is over."""
        self._live.discard(stream)

    def pace(self, *, keepalive_s: float, idle_s: float) -> None:
        """Change both times for streams under way too."""
        self.keepalive_s, self.idle_s = keepalive_s, idle_s
        self._poke()

    def mute(self, muted: bool) -> None:
        """Say nothing more on any stream, not even keep-alives; or speak again."""
        self.muted = muted
        self._poke()

    def cut(self, status: grpc.StatusCode) -> int:
        """End every live stream; returns how many there were."""
        streams = list(self._live)
        for stream in streams:
            stream.cut(status)
        return len(streams)

    def plan(self, operation: str, code: str, times: int) -> None:
        """Refuse the next calls of an operation with this error code."""
        self._planned[operation, code] = times

    def refuse_if_planned(self, operation: str) -> None:
        """Raises the Refusal that is planned for this operation, once for each time it was asked for."""
        for (planned, code), times in self._planned.items():
            if planned == operation and times > 0:
                self._planned[planned, code] -= 1
                raise Refusal(code, "Refused because the sandbox was told to.")

    def _poke(self) -> None:
        for stream in self._live:
            stream.poke()
