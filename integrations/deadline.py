"""A deadline for a whole HTTP exchange: the time-outs of sockets are per read, and dripping bytes defeat them."""

import http.client
import io
import math
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool


class OverDeadline(TimeoutError):
    """The call's time is used up."""


@dataclass
class Wire:
    """What is known about the call being made: its limits, whether a byte of it left, and the status it got."""

    until: float  # of time.monotonic()
    max_bytes: int
    sent: bool = False
    status: int | None = None

    def over(self) -> bool:
        return time.monotonic() >= self.until

    def left(self) -> float:
        """Seconds until the deadline, more than 0; raises OverDeadline."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise OverDeadline
        return left


_wire: ContextVar[Wire] = ContextVar("wire")


def current_wire() -> Wire:
    """The call being made in this context; RuntimeError when a session is used outside of Caller.call."""
    try:
        return _wire.get()
    except LookupError:
        raise RuntimeError("a session of integrations.http is used by Caller.call only") from None


@contextmanager
def on_the_wire(wire: Wire) -> Iterator[None]:
    token = _wire.set(wire)
    try:
        yield
    finally:
        _wire.reset(token)


_begin_by: ContextVar[float] = ContextVar("begin_by", default=math.inf)


@contextmanager
def begun_within(seconds: float) -> Iterator[None]:
    """A call made in this block is sent within so many seconds from the block's beginning, or not at all.

    For calls by a right that ends: a process that stood still in between must not send what it was allowed long ago.
    """
    token = _begin_by.set(min(time.monotonic() + seconds, _begin_by.get()))
    try:
        yield
    finally:
        _begin_by.reset(token)


_end_by: ContextVar[float] = ContextVar("end_by", default=math.inf)


@contextmanager
def ended_within(seconds: float) -> Iterator[None]:
    """The calls made in this block take no longer than so many seconds together, whatever their own deadlines allow.

    For reads that somebody waits for in front of a page, which says something else then.
    """
    token = _end_by.set(min(time.monotonic() + seconds, _end_by.get()))
    try:
        yield
    finally:
        _end_by.reset(token)


def latest_end(deadline_s: float) -> float:
    """When a call that begins now and may take so many seconds has to be over, of time.monotonic()."""
    return min(time.monotonic() + deadline_s, _end_by.get())


def _check_beginning(wire: Wire) -> None:
    wire.left()
    if time.monotonic() >= _begin_by.get():
        raise OverDeadline


class _TimedReader(io.RawIOBase):
    """Gives every single read what is left of the call's time."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket, self._raw = sock, sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        self._socket.settimeout(current_wire().left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._raw.close()


class _TimedSocket:
    """The one thing http.client's response asks of a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._socket))


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast(socket.socket, _TimedSocket(sock)), *args, **kwargs)


class _TimedConnection(HTTPSConnection):
    response_class = _TimedResponse

    def send(self, data: Any) -> None:
        """Notes that from here on the far side may have something. Raises OverDeadline rather than begin too late."""
        if self.sock is None:
            self.connect()
        wire = current_wire()
        if not wire.sent:
            _check_beginning(wire)
        wire.sent = True
        super().send(data)


class TimedPool(HTTPSConnectionPool):
    """Connections that keep the deadline of the call being made."""

    ConnectionCls = _TimedConnection
