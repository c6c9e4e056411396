"""HTTP servers that share one event loop: each is started, waited for until it listens, and stopped."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp


class PortTaken(Exception):
    """Somebody else listens on a port this process was told to use."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(f"The port {port} for {name} is already in use; choose another one with --{name}-port.")


class _Quiet(uvicorn.Server):
    """A uvicorn server that leaves signals to the process it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """One application on one port; over TLS when a certificate is given."""

    def __init__(
        self, name: str, app: ASGIApp, host: str, port: int, *, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        self._name, self._host, self._port = name, host, port
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
        listener = _listen(self._name, self._host, self._port)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            if self._task.done():
                await self._task
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Answer what is under way and close the port."""
        self._server.should_exit = True
        if self._task:
            await self._task


def _listen(name: str, host: str, port: int) -> socket.socket:
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
