"""What the streaming RPCs have in common: requests come, responses go, and either side or a knob ends it."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

import grpc

from sandbox.salesforce.pubsub.refusals import Refusal
from sandbox.salesforce.pubsub.switchboard import Pace, Switchboard

Request = TypeVar("Request")
Response = TypeVar("Response")


class Conversation(ABC, Generic[Request, Response]):
    """One streaming call after its first request. Everything happens on the event loop; only `run` waits."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard
        self._outbox: deque[Callable[[], Response]] = deque()
        self._end: grpc.StatusCode | None = None
        self._failure: BaseException | None = None
        self._bell = asyncio.Event()
        self._now = asyncio.get_running_loop().time
        self._quiet_since = self._now()
        self.half_closed = False

    @abstractmethod
    def take(self, request: Request) -> None:
        """Act on a request after the first one. Raises Refusal."""

    @abstractmethod
    def due(self) -> Response | None:
        """What is to be said now, if anything."""

    @abstractmethod
    def finished(self) -> bool:
        """Whether it has come to a good end. Raises Refusal when it may not go on."""

    @abstractmethod
    def patience(self) -> float:
        """Seconds after which `due` or `finished` may have another answer although nothing happened."""

    @property
    def pace(self) -> Pace:
        """The times in force."""
        return self._switchboard.pace

    def quiet_for(self) -> float:
        """Seconds since the last response."""
        return self._now() - self._quiet_since

    def say(self, compose: Callable[[], Response]) -> None:
        """Send a response as soon as possible; it is composed then."""
        self._outbox.append(compose)
        self.poke()

    def poke(self) -> None:
        """Something changed: look again."""
        self._bell.set()

    def cut(self, status: grpc.StatusCode) -> None:
        """End with this status and without trailers, as when a connection is taken down."""
        self._end = status
        self.poke()

    async def run(self, requests: AsyncIterator[Request], send: Callable[[Response], Awaitable[None]]) -> None:
        """Serve until the client or the server ends it. Raises Refusal for any end but a good one."""
        reader = asyncio.create_task(self._read(requests))
        reader.add_done_callback(self._read_all)
        self._switchboard.join(self)
        try:
            while not self._is_over():
                response = self._next()
                if response is None:
                    await self._wait()
                else:
                    self._quiet_since = self._now()
                    await send(response)
        finally:
            self._switchboard.leave(self)
            reader.cancel()

    async def _read(self, requests: AsyncIterator[Request]) -> None:
        async for request in requests:
            self.take(request)
            self.poke()

    def _read_all(self, reader: asyncio.Task[None]) -> None:
        """No more requests come: the client is done, or one of them was refused."""
        self._failure = None if reader.cancelled() else reader.exception()
        self.half_closed = True
        self.poke()

    def _is_over(self) -> bool:
        if self._end is not None:
            if self._end is not grpc.StatusCode.OK:
                raise Refusal("", "Connection closed.", self._end)
            return True
        if self._outbox and not self._switchboard.muted:
            return False
        if self._failure:
            raise self._failure
        return self.finished() and not self._outbox

    def _next(self) -> Response | None:
        if self._switchboard.muted:
            return None
        return self._outbox.popleft()() if self._outbox else self.due()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(None if self._switchboard.muted else max(0.0, self.patience())):
                await self._bell.wait()
        except TimeoutError:
            return
        self._bell.clear()
