"""A TLS server that answers as told: dripping, resetting, lying. What a real system does is the sandbox's part."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.authority import open_authority

Behaviour = Callable[[ssl.SSLSocket, bytes], None]


def answer(
    body: bytes = b"{}", status: str = "200 OK", kind: str = "application/json", headers: tuple[str, ...] = ()
) -> Behaviour:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]

    def behave(connection: ssl.SSLSocket, _request: bytes) -> None:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return behave


def reset(connection: ssl.SSLSocket, _request: bytes) -> None:
    """Takes the request and drops the connection without an answer, by TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang_up(connection: ssl.SSLSocket, _request: bytes) -> None:
    """Takes the request and closes politely without an answer."""


def cut_short(connection: ssl.SSLSocket, _request: bytes) -> None:
    """Promises more than it sends."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"result":"succ')


@dataclass
class FarSide:
    """The server: `behaviours` are used one per request, the last one again and again."""

    ca: Path
    address: tuple[str, int]
    behaviours: list[Behaviour] = field(default_factory=lambda: [answer()])
    requests: list[bytes] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.address[1]}"

    def will(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)

    def drip(self, first: bytes) -> Behaviour:
        """Sends `first`, then one byte every few milliseconds until the client has enough of it."""

        def behave(connection: ssl.SSLSocket, _request: bytes) -> None:
            connection.sendall(first)
            while not self.stopping.wait(0.02):
                connection.sendall(b"x")

        return behave

    def serve(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        while not self.stopping.is_set():
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connection, args=(raw, context), daemon=True).start()

    def _connection(self, raw: socket.socket, context: ssl.SSLContext) -> None:
        try:
            with context.wrap_socket(raw, server_side=True) as connection:
                while request := _request(connection):
                    self.requests.append(request)
                    behave = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
                    behave(connection, request)
                    if behave in {reset, hang_up, cut_short}:
                        return
        except OSError:
            return


def _request(connection: ssl.SSLSocket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += (chunk := connection.recv(65536))
        if not chunk:
            return b""
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def far_side(state: Path) -> Iterator[FarSide]:
    """A running FarSide with a certificate of its own authority."""
    authority = open_authority(state)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        side = FarSide(ca=authority.ca, address=listener.getsockname())
        thread = threading.Thread(target=side.serve, args=(listener, context), daemon=True)
        thread.start()
        yield side
        side.stopping.set()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
