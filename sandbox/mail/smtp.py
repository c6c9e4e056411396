"""The SMTP sink: accepts every message to every address and relays none."""

import asyncio
import email
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.faults.book import Faults
from sandbox.faults.ports import door
from sandbox.faults.rules import Offer
from sandbox.mail.mailbox import CORRELATION_HEADER, Mailbox
from sandbox.mail.mishaps import Mishaps
from sandbox.servers import Connection, Door, PortTaken
from sandbox.world import World

SIZE_LIMIT = 32 * 1024 * 1024
GREETING = "Sonix sandbox mail sink"
# What rules about faults may name; the last one is the end of DATA, under its name in the ledger.
COMMANDS = ("HELO", "MAIL", "RCPT", "message.accept")


class _Sink:
    """aiosmtpd's handler, on the sandbox's loop; the names of its methods and what they answer are aiosmtpd's."""

    def __init__(self, mailbox: Mailbox, faults: Faults) -> None:
        self._mailbox = mailbox
        self._mishaps = Mishaps(faults)

    async def handle_HELO(self, server: SMTP, session: Session, envelope: Envelope, name: str) -> str:
        session.host_name = name
        return await self._mishaps.carry_out(server, lambda: Offer("mail", "HELO"), lambda: f"250 {server.hostname}")

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, name: str, lines: list[str]
    ) -> list[str]:
        session.host_name = name
        said = await self._mishaps.carry_out(server, lambda: Offer("mail", "HELO"), lambda: "")
        return [said] if said else lines

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        def accept() -> str:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
            return "250 OK"

        return await self._mishaps.carry_out(server, lambda: Offer("mail", "MAIL", frozenset([address])), accept)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        def accept() -> str:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
            return "250 OK"

        return await self._mishaps.carry_out(server, lambda: Offer("mail", "RCPT", frozenset([address])), accept)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """A complete message; the answer means that it is on disk."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()

        def accept() -> str:
            self._mailbox.receive(envelope.mail_from or "", envelope.rcpt_tos, raw)
            return "250 2.0.0 OK"

        return await self._mishaps.carry_out(server, lambda: _offer(envelope.rcpt_tos, raw), accept)


def _offer(recipients: list[str], raw: bytes) -> Offer:
    correlation_id = str(email.message_from_bytes(raw).get(CORRELATION_HEADER, ""))
    return Offer("mail", "message.accept", frozenset(recipients), correlation_id, raw.decode("utf-8", "replace"))


class _Conversation(SMTP):
    """aiosmtpd's side of one connection, unless the door is shut to it."""

    def __init__(self, sink: _Sink, enter: Door) -> None:
        super().__init__(sink, data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True, ident=GREETING, hostname="localhost")
        self._enter, self._inside = enter, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._inside = isinstance(transport, asyncio.Transport) and self._enter(Connection(transport))
        if self._inside:
            super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._inside:
            super().data_received(data)

    def eof_received(self) -> bool | None:
        return super().eof_received() if self._inside else None

    def connection_lost(self, error: Exception | None) -> None:
        if self._inside:
            super().connection_lost(error)

    @property
    def is_idle(self) -> bool:
        """Whether no message is under way."""
        return self.envelope is None or not self.envelope.mail_from


class SmtpServer:
    """The sink on a port."""

    def __init__(self, mailbox: Mailbox, faults: Faults) -> None:
        self._sink, self._enter = _Sink(mailbox, faults), door(faults, "mail")
        self._listener: asyncio.Server | None = None
        self._address = ("", 0)
        self._connections: WeakSet[_Conversation] = WeakSet()

    async def start(self, host: str, port: int) -> None:
        """Listen on the running loop. Raises PortTaken."""
        self._address = (host, port)
        await self.open_port()

    @property
    def port(self) -> int:
        """The port that listens, which the system chose if it was told 0."""
        return int(self._listener.sockets[0].getsockname()[1]) if self._listener else 0

    async def stop(self) -> None:
        """Close the port and every connection; a message that was not answered yet is not kept."""
        listener = self._listener
        self.close_port()
        for connection in list(self._connections):
            if connection.transport:
                connection.transport.close()
        if listener:
            await listener.wait_closed()

    async def open_port(self) -> None:
        """Listen, unless the port listens already. Raises PortTaken."""
        host, port = self._address
        if self._listener:
            return
        try:
            self._listener = await asyncio.get_running_loop().create_server(self._connection, host, port)
        except OSError as error:
            raise PortTaken("smtp", port) from error

    def close_port(self) -> None:
        """Listen no longer, so that connections are refused; a message under way goes on."""
        if self._listener:
            self._listener.close()
            self._listener = None
            self.hang_up_idle()

    def hang_up_idle(self) -> None:
        """End the connections on which no message is under way."""
        for connection in list(self._connections):
            if connection.transport and connection.is_idle:
                connection.transport.close()

    def _connection(self) -> SMTP:
        made = _Conversation(self._sink, self._enter)
        self._connections.add(made)
        return made


async def start(world: World) -> SmtpServer:
    """A sink on the configured port. Raises PortTaken."""
    server = SmtpServer(world.mailbox, world.faults)
    await server.start(world.config.host, world.config.smtp_port)
    return server
