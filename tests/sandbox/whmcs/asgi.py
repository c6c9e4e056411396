"""Requests straight into an ASGI application, and a browser that keeps cookies and follows where it is sent."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from starlette.types import ASGIApp, Message

ORIGIN = "http://localhost:8480"


@dataclass(frozen=True)
class Reply:
    """A complete answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: list[str]

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


def send(
    app: ASGIApp,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    chunks: Iterable[bytes] = (),
    address: str = "127.0.0.1",
) -> Reply:
    """One request whose body arrives in these pieces."""
    parts = urlsplit(urljoin(ORIGIN, url))
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": [
            (name.lower().encode(), value.encode()) for name, value in {"host": parts.netloc, **(headers or {})}.items()
        ],
        "client": (address, 50000),
        "server": (parts.hostname, parts.port),
    }
    pieces = list(chunks)
    inbox: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    inbox.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Message] = []

    async def receive() -> Message:
        return inbox.pop(0) if inbox else {"type": "http.disconnect"}

    async def collect(message: Message) -> None:
        sent.append(message)

    asyncio.run(_run(app, scope, receive, collect))
    return _reply(sent)


async def _run(app: ASGIApp, scope: dict[str, Any], receive: Any, collect: Any) -> None:
    await app(scope, receive, collect)


def _reply(sent: list[Message]) -> Reply:
    start = sent[0]
    headers = [(name.decode().lower(), value.decode()) for name, value in start["headers"]]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Reply(start["status"], dict(headers), body, [value for name, value in headers if name == "set-cookie"])


def send_json(app: ASGIApp, url: str, body: Any = None) -> Reply:
    """POSTs JSON as a program does, without an Origin."""
    return send(
        app, "POST", url, headers={"content-type": "application/json"}, chunks=[json.dumps(body or {}).encode()]
    )


@dataclass
class Browser:
    """One person at one application."""

    app: ASGIApp
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, url: str, *, follow: bool = True) -> Reply:
        return self._go("GET", url, {}, [], follow=follow)

    def post(self, url: str, *, origin: str = ORIGIN, follow: bool = True, **form: str) -> Reply:
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": origin}
        return self._go("POST", url, headers, [urlencode(form).encode()], follow=follow)

    def _go(self, method: str, url: str, headers: dict[str, str], chunks: list[bytes], *, follow: bool) -> Reply:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        reply = send(self.app, method, url, headers={**headers, "cookie": cookie}, chunks=chunks)
        for line in reply.cookies:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        if follow and reply.status in (302, 303, 307):
            return self.get(reply.headers["location"])
        return reply


def words(reply: Reply) -> str:
    """A page's text without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", reply.text))
