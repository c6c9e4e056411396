"""The one place where HTTP goes wrong: a middleware around each system's application."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.faults import bodies
from sandbox.faults.book import Faults
from sandbox.faults.exchange import Exchange, Gone, Recorded
from sandbox.faults.holds import Stopping
from sandbox.faults.kinds import http
from sandbox.faults.kinds.base import Fault
from sandbox.faults.rules import Offer
from sandbox.faults.waits import Waits

# What a system calls a request, and what it is about.
Namer = Callable[[Request], Awaitable[Offer]]
# What a system answers to a fault of its own, None where it is left to the application.
Inside = Callable[[Request, Fault], Recorded | None]
_OUTCOMES = (http.Drop, http.Replacement, http.Drip, http.Truncate, http.PhpNotice, http.ContentType)


class Misbehaving:
    """Passes requests on, and does to each what the rules say. Without a rule for the system it does nothing.

    `inside_kinds` are the system's own faults that replace an answer before anything is done; `inside` makes it.
    """

    def __init__(
        self,
        app: ASGIApp,
        faults: Faults,
        system: str,
        namer: Namer,
        inside_kinds: Sequence[type[Fault]] = (),
        inside: Inside = lambda _request, _fault: None,
    ) -> None:
        self._app, self._faults, self._system, self._namer = app, faults, system, namer
        self._kinds: tuple[type[Fault], ...] = (*_OUTCOMES, *inside_kinds)
        self._inside = inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not self._faults.concern(self._system):
            await self._app(scope, receive, send)
            return
        try:
            exchange = await Exchange.read(self._app, scope, receive, send)
        except Gone:
            return
        try:
            await self._serve(exchange)
        except Stopping:
            await exchange.hang_up()

    async def _serve(self, exchange: Exchange) -> None:
        offer = await self._namer(exchange.request)
        waits = Waits(self._faults, offer)
        struck = self._faults.take(offer, *self._kinds)
        await waits.until_over("before")
        if struck is None and not waits.any("after"):
            await exchange.pass_on()
            return
        fault = struck.fault if struck else None
        answer = await self._answer(exchange, fault)
        await waits.until_over("after")
        await self._deliver(exchange, fault, answer)

    async def _answer(self, exchange: Exchange, fault: Fault | None) -> Recorded:
        """What there is to send, with everything done that is to be done; empty where nothing is sent."""
        if isinstance(fault, http.Drop):
            return await exchange.carry_out() if fault.at == "after" else Recorded(0)
        if isinstance(fault, http.Replacement):
            if fault.at == "after":
                await exchange.carry_out()
            return bodies.replacement(self._system, fault)
        replaced = self._inside(exchange.request, fault) if fault else None
        return replaced or await exchange.carry_out()

    async def _deliver(self, exchange: Exchange, fault: Fault | None, answer: Recorded) -> None:
        match fault:
            case http.Drop():
                await exchange.hang_up(reset=fault.how == "reset")
            case http.Truncate():
                await self._truncated(exchange, answer, fault.keep)
            case http.Drip():
                await self._dripped(exchange, answer, fault.bytes_per_s)
            case http.Huge():
                await self._endless(exchange, answer, fault.size)
            case http.PhpNotice():
                await exchange.send(bodies.with_notice(answer, fault.text))
            case http.ContentType():
                await exchange.send(answer.with_headers(content_type=fault.content_type))
            case _:
                await exchange.send(answer)

    @staticmethod
    async def _truncated(exchange: Exchange, answer: Recorded, keep: float) -> None:
        # One byte is missing at least, even of an empty body.
        await exchange.begin(answer.with_headers(content_length=str(max(1, len(answer.body)))))
        await exchange.send_part(answer.body[: int(len(answer.body) * keep)])
        await exchange.hang_up()

    async def _dripped(self, exchange: Exchange, answer: Recorded, bytes_per_s: float) -> None:
        await exchange.begin(answer)
        client_left = asyncio.create_task(_left(exchange))
        try:
            for byte in answer.body:
                if client_left.done():
                    return
                await exchange.send_part(bytes([byte]))
                await self._faults.holds.pause(1 / bytes_per_s)
            await exchange.send_part(b"", more=False)
        finally:
            client_left.cancel()

    @staticmethod
    async def _endless(exchange: Exchange, answer: Recorded, size: int) -> None:
        await exchange.begin(answer)
        client_left = asyncio.create_task(_left(exchange))
        try:
            for part in bodies.huge(size):
                if client_left.done():
                    return
                await exchange.send_part(part)
                # Gives way to the task that notices the client's end, and to every other request.
                await asyncio.sleep(0)
            await exchange.send_part(b"", more=False)
        finally:
            client_left.cancel()


async def _left(exchange: Exchange) -> None:
    while (await exchange.receive())["type"] != "http.disconnect":
        continue
