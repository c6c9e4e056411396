"""The TCP port in front of the gRPC server: passes bytes on, and does to connections what no gRPC server would do.

TLS and HTTP/2 go through untouched; the server itself listens on a port of its own on loopback.
"""

import asyncio
from typing import cast

from sandbox.servers import Connection, Door, listen, open_door

# Why an end of a passage is not read from.
_NOT_CONNECTED, _FROZEN, _FULL = "not connected", "frozen", "full"


class Front:
    """The public port. It can be closed and opened while the server behind it runs, and its connections broken."""

    def __init__(self, host: str, port: int, behind: int, door: Door = open_door) -> None:
        self._host, self._port, self._behind, self._door = host, port, behind, door
        self._listening: asyncio.Server | None = None
        self._passages: set[Passage] = set()
        self._frozen = False

    async def open_port(self) -> None:
        """Listen, unless the port listens already. Raises PortTaken."""
        if self._listening is None:
            listener = listen("pubsub", self._host, self._port)
            self._listening = await asyncio.get_running_loop().create_server(self._passage, sock=listener)

    def close_port(self) -> None:
        """Listen no longer, so that connections are refused, and end those there are."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        self.hang_up_idle()

    def hang_up_idle(self) -> None:
        """End every connection: gRPC keeps one for all calls, so none is ever known to be idle."""
        for passage in list(self._passages):
            passage.close()

    def reset(self) -> int:
        """Break every connection by TCP reset; returns how many there were."""
        passages = list(self._passages)
        for passage in passages:
            passage.reset()
        return len(passages)

    def freeze(self, frozen: bool) -> None:
        """Move no more bytes on any connection, new ones included, in either direction; or let them go on."""
        self._frozen = frozen
        for passage in self._passages:
            passage.freeze(frozen)

    def _passage(self) -> "End":
        return Passage(self._behind, self._door, self._passages, frozen=self._frozen).outer


class Passage:
    """One connection: an outer end to the client, an inner one to the server. What one receives the other sends."""

    def __init__(self, behind: int, door: Door, passages: "set[Passage]", *, frozen: bool) -> None:
        self._behind, self._door, self._passages, self._frozen = behind, door, passages, frozen
        self.outer = End(self)
        self.inner = End(self)
        self._connecting: asyncio.Task[None] | None = None

    def opened(self, end: "End") -> None:
        """An end is there; neither is read from until both are."""
        end.hold(_NOT_CONNECTED)
        if end is self.outer and self._door(Connection(end.transport)):
            self._passages.add(self)
            self._connecting = asyncio.create_task(self._connect())

    def freeze(self, frozen: bool) -> None:
        """Read from neither end, or from both again."""
        for end in (self.outer, self.inner):
            if frozen:
                end.hold(_FROZEN)
            else:
                end.let_go(_FROZEN)

    def close(self) -> None:
        """End both sides politely, once what was written is on its way."""
        self._passages.discard(self)
        for end in (self.outer, self.inner):
            end.close()

    def reset(self) -> None:
        """Break the client's side at once."""
        Connection(self.outer.transport).reset()

    def opposite(self, end: "End") -> "End":
        """The other end."""
        return self.inner if end is self.outer else self.outer

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self.inner, "127.0.0.1", self._behind)
        except OSError:
            self.close()
            return
        if self not in self._passages:
            self.inner.close()  # the client is gone already
            return
        self.freeze(self._frozen)
        for end in (self.outer, self.inner):
            end.let_go(_NOT_CONNECTED)


class End(asyncio.Protocol):
    """One end of a passage."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._holds: set[str] = set()
        self._transport: asyncio.Transport | None = None

    @property
    def transport(self) -> asyncio.Transport:
        """Of a connected end."""
        assert self._transport is not None
        return self._transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._passage.opened(self)

    def data_received(self, data: bytes) -> None:
        self._passage.opposite(self).transport.write(data)

    def pause_writing(self) -> None:
        self._passage.opposite(self).hold(_FULL)

    def resume_writing(self) -> None:
        self._passage.opposite(self).let_go(_FULL)

    def connection_lost(self, _: Exception | None) -> None:
        self._passage.close()

    def hold(self, why: str) -> None:
        """Do not read for this reason."""
        self._holds.add(why)
        if self._transport is not None:
            self._transport.pause_reading()

    def let_go(self, why: str) -> None:
        """The reason is gone; read again when it was the last."""
        self._holds.discard(why)
        if not self._holds and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """Close it if it is open. Repeatable."""
        if self._transport is not None:
            self._transport.close()
