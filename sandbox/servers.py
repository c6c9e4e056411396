"""HTTP servers that share one event loop: each is started, waited for until it listens, and stopped.

The port is ours, what arrives on it is uvicorn's: so a port can be closed and opened while the server runs, and an
application finds the connection under a request in `scope["state"]["connection"]` when it has to break it.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Closing with this on sends a TCP reset and forgets what was not sent yet.
_NO_LINGER = struct.pack("ii", 1, 0)
# How long a client may take to say goodbye in TLS before the connection is closed all the same.
_TLS_GOODBYE_S = 0.5


class PortTaken(Exception):
    """Somebody else listens on a port this process was told to use."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(f"The port {port} for {name} is already in use; choose another one with --{name}-port.")


class Connection:
    """The connection under a request."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """End it politely, once what was written is on its way."""
        self._transport.close()

    def reset(self) -> None:
        """Break it at once, by TCP reset."""
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()


Door = Callable[[Connection], bool]


def open_door(_: Connection) -> bool:
    """Lets every connection in."""
    return True


class _Quiet(uvicorn.Server):
    """A uvicorn server that leaves signals to the process it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Protocol(HttpToolsProtocol):
    """uvicorn's side of one connection, unless the door is shut to it."""

    def __init__(self, server: uvicorn.Server, door: Door) -> None:
        state: dict[str, Any] = {}
        super().__init__(server.config, server.server_state, state)
        self._state, self._door, self._inside = state, door, False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        connection = Connection(transport)
        self._inside = self._door(connection)
        if self._inside:
            self._state["connection"] = connection
            super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._inside:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._inside:
            super().connection_lost(exc)


class HttpServer:
    """One application on one port; over TLS when a certificate is given. `door` is asked about each new connection
    and has broken those that it does not let in."""

    def __init__(
        self,
        name: str,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        door: Door = open_door,
    ) -> None:
        self.name, self._host, self._port, self._door = name, host, port, door
        self._server = _Quiet(
            uvicorn.Config(
                app,
                log_config=None,
                lifespan="off",
                access_log=False,
                ssl_certfile=certificate,
                ssl_keyfile=key,
                timeout_graceful_shutdown=2,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when the port listens. Raises PortTaken."""
        listener = listen(self.name, self._host, self._port)
        self._task = asyncio.create_task(self._server.serve(sockets=[]))
        while not self._server.started:
            if self._task.done():
                await self._task
            await asyncio.sleep(0.01)
        await self._accept(listener)

    async def stop(self) -> None:
        """Answer what is under way and close the port."""
        self._server.should_exit = True
        if self._task:
            await self._task

    async def open_port(self) -> None:
        """Listen, unless the port listens already. Raises PortTaken."""
        if not self._server.servers:
            await self._accept(listen(self.name, self._host, self._port))

    def close_port(self) -> None:
        """Listen no longer, so that connections are refused; what is under way goes on."""
        for listening in self._server.servers:
            listening.close()
        self._server.servers.clear()
        self.hang_up_idle()

    def hang_up_idle(self) -> None:
        """End the connections on which nothing is under way; the others end with their answer."""
        for connection in list(self._server.server_state.connections):
            connection.shutdown()

    async def _accept(self, listener: socket.socket) -> None:
        loop, tls = asyncio.get_running_loop(), self._server.config.ssl
        goodbye_s = _TLS_GOODBYE_S if tls else None
        listening = await loop.create_server(
            lambda: _Protocol(self._server, self._door), sock=listener, ssl=tls, ssl_shutdown_timeout=goodbye_s
        )
        self._server.servers.append(listening)


def require_free(host: str, ports: Mapping[str, int]) -> None:
    """Listen on all of them at once for a moment. Raises PortTaken, also when two of them are the same."""
    with ExitStack() as held:
        for name, port in ports.items():
            held.enter_context(listen(name, host, port))


def listen(name: str, host: str, port: int) -> socket.socket:
    """A listening socket for `create_server`. Raises PortTaken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise PortTaken(name, port) from error
    listener.setblocking(False)
    return listener
