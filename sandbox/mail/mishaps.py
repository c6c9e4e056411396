"""What goes wrong with mail because a rule says so (`sandbox.faults`)."""

import asyncio
from collections.abc import Awaitable, Callable

from aiosmtpd.smtp import SMTP

from sandbox.faults.book import Faults, Strike
from sandbox.faults.holds import Stopping
from sandbox.faults.kinds.base import Fault
from sandbox.faults.kinds.http import Drop
from sandbox.faults.kinds.mail import SmtpReply
from sandbox.faults.rules import Offer
from sandbox.faults.waits import Waits
from sandbox.servers import Connection

# Carries out a command and gives its reply.
Act = Callable[[], str]


class Mishaps:
    """Faults of the commands of an SMTP conversation."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def carry_out(self, server: SMTP, offer: Callable[[], Offer], act: Act) -> str:
        """The command's reply, or the one that a rule puts in its place; does not return when the connection ends."""
        if not self._faults.concern("mail"):
            return act()
        try:
            return await self._struck(server, offer(), act)
        except Stopping:
            return await _hang_up(server, reset=False)

    async def _struck(self, server: SMTP, offer: Offer, act: Act) -> str:
        waits = Waits(self._faults, offer)
        outcome: Strike[Fault] | None = self._faults.take(offer, Drop, SmtpReply)
        fault = outcome.fault if outcome else None
        await waits.until_over("before")
        if isinstance(fault, Drop) and fault.at == "before":
            return await _hang_up(server, reset=fault.how == "reset")
        reply = f"{fault.code} {fault.text}" if isinstance(fault, SmtpReply) else act()
        await waits.until_over("after")
        if isinstance(fault, Drop):
            return await _hang_up(server, reset=fault.how == "reset")
        return reply


async def _hang_up(server: SMTP, *, reset: bool) -> str:
    """End the connection; the conversation's task is cancelled by that, so this never returns."""
    if isinstance(server.transport, asyncio.Transport):
        connection = Connection(server.transport)
        if reset:
            connection.reset()
        else:
            connection.close()
    never: Awaitable[str] = asyncio.get_running_loop().create_future()
    return await never
