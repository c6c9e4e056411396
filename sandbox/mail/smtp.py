"""The SMTP sink: accepts every message to every address and relays none."""

import asyncio
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.mail.mailbox import Mailbox
from sandbox.servers import PortTaken
from sandbox.world import World

SIZE_LIMIT = 32 * 1024 * 1024
GREETING = "Sonix sandbox mail sink"


class _Sink:
    """aiosmtpd's handler: called on the sandbox's loop, once for each complete message."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The name and the answer are aiosmtpd's; the answer means that the message is on disk."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        self._mailbox.receive(envelope.mail_from or "", envelope.rcpt_tos, raw)
        return "250 2.0.0 OK"


class SmtpServer:
    """The sink on a port."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._sink = _Sink(mailbox)
        self._listener: asyncio.Server | None = None
        self._connections: WeakSet[SMTP] = WeakSet()

    async def start(self, host: str, port: int) -> None:
        """Listen on the running loop. Raises PortTaken."""
        try:
            self._listener = await asyncio.get_running_loop().create_server(self._connection, host, port)
        except OSError as error:
            raise PortTaken("smtp", port) from error

    @property
    def port(self) -> int:
        """The port that listens, which the system chose if it was told 0."""
        return int(self._listener.sockets[0].getsockname()[1]) if self._listener else 0

    async def stop(self) -> None:
        """Close the port and every connection; a message that was not answered yet is not kept."""
        if self._listener is None:
            return
        self._listener.close()
        for connection in list(self._connections):
            if connection.transport:
                connection.transport.close()
        await self._listener.wait_closed()

    def _connection(self) -> SMTP:
        made = SMTP(self._sink, data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True, ident=GREETING, hostname="localhost")
        self._connections.add(made)
        return made


async def start(world: World) -> SmtpServer:
    """A sink on the configured port. Raises PortTaken."""
    server = SmtpServer(world.mailbox)
    await server.start(world.config.host, world.config.smtp_port)
    return server
