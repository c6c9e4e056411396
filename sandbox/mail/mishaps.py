"""What goes wrong with mail because a rule says so (`sandbox.faults`)."""

import asyncio
from collections.abc import Callable

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
        self._under_way: set[asyncio.Task[str | None]] = set()

    async def carry_out(self, server: SMTP, offer: Callable[[], Offer], act: Act) -> str:
        """The command's reply, or the one that a rule puts in its place; does not return when the connection ends."""
        if not self._faults.concern("mail"):
            return act()
        task = asyncio.create_task(self._struck(server, offer(), act))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        # A sender who leaves ends the conversation, but not a command that arrived whole.
        reply = await asyncio.shield(task)
        return await _never() if reply is None else reply

    async def _struck(self, server: SMTP, offer: Offer, act: Act) -> str | None:
        """The reply; None when the connection was ended instead."""
        try:
            return await self._outcome(server, offer, act)
        except Stopping:
            _hang_up(server, reset=False)
            return None

    async def _outcome(self, server: SMTP, offer: Offer, act: Act) -> str | None:
        waits = Waits(self._faults, offer)
        outcome: Strike[Fault] | None = self._faults.take(offer, Drop, SmtpReply)
        fault = outcome.fault if outcome else None
        await waits.until_over("before")
        if isinstance(fault, Drop) and fault.at == "before":
            _hang_up(server, reset=fault.how == "reset")
            return None
        reply = f"{fault.code} {fault.text}" if isinstance(fault, SmtpReply) else act()
        await waits.until_over("after")
        if isinstance(fault, Drop):
            _hang_up(server, reset=fault.how == "reset")
            return None
        return reply


def _hang_up(server: SMTP, *, reset: bool) -> None:
    if isinstance(server.transport, asyncio.Transport):
        connection = Connection(server.transport)
        if reset:
            connection.reset()
        else:
            connection.close()


async def _never() -> str:
    """For a conversation whose connection was ended: its task is cancelled by that."""
    never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    return await never
