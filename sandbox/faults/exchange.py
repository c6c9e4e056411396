"""One HTTP exchange taken apart: the request read whole, the answer recorded, and several ways to send one."""

from dataclasses import dataclass, field, replace

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.servers import Connection

Headers = list[tuple[bytes, bytes]]
_CHUNK = 64 * 1024


class Gone(Exception):
    """The client ended the connection before its request was complete."""


@dataclass(frozen=True)
class Recorded:
    """A whole answer."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def with_headers(self, **headers: str) -> "Recorded":
        """The same with these headers (`_` for `-`) instead of its own of that name."""
        new = {name.replace("_", "-").encode(): text.encode("latin-1") for name, text in headers.items()}
        kept = [(name, text) for name, text in self.headers if name.lower() not in new]
        return replace(self, headers=[*kept, *new.items()])

    def with_body(self, body: bytes) -> "Recorded":
        """The same with another body."""
        return replace(self, body=body).with_headers(content_length=str(len(body)))


class Exchange:
    """A request that was read to its end, and the connection its answer goes out on."""

    def __init__(self, app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        self._app, self._scope, self._body = app, scope, body
        self.receive, self._send = receive, send

    @classmethod
    async def read(cls, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> "Exchange":
        """Take the whole request in. Raises Gone."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            body += message.get("body", b"")
            if not message.get("more_body"):
                return cls(app, scope, bytes(body), receive, send)

    @property
    def request(self) -> Request:
        """The request, whose body may be read once more by each who asks."""
        return Request(dict(self._scope), self._again())

    async def carry_out(self) -> Recorded:
        """Let the application do it, and keep what it answers."""
        parts: list[Message] = []

        async def record(message: Message) -> None:
            parts.append(message)

        await self._app(self._scope, self._again(), record)
        start, *bodies = parts
        headers = [(bytes(name), bytes(text)) for name, text in start["headers"]]
        return Recorded(start["status"], headers, b"".join(each.get("body", b"") for each in bodies))

    async def pass_on(self) -> None:
        """Let the application answer by itself."""
        await self._app(self._scope, self._again(), self._send)

    async def send(self, answer: Recorded) -> None:
        """Send a whole answer."""
        await self.begin(answer)
        await self._send({"type": "http.response.body", "body": answer.body})

    async def begin(self, answer: Recorded) -> None:
        """Send status and headers alone."""
        await self._send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})

    async def send_part(self, part: bytes, *, more: bool = True) -> None:
        """Send a part of a body that was begun."""
        for at in range(0, len(part), _CHUNK):
            await self._send({"type": "http.response.body", "body": part[at : at + _CHUNK], "more_body": True})
        if not more:
            await self._send({"type": "http.response.body", "body": b""})

    async def hang_up(self, *, reset: bool = False) -> None:
        """End the connection and return when it is over, so that the server has nothing to add."""
        connection: Connection = self._scope["state"]["connection"]
        if reset:
            connection.reset()
        else:
            connection.close()
        while (await self.receive())["type"] != "http.disconnect":
            continue

    def _again(self) -> Receive:
        rest: list[Message] = [{"type": "http.request", "body": self._body, "more_body": False}]

        async def receive() -> Message:
            return rest.pop() if rest else await self.receive()

        return receive
