"""One fresh world with its eSIM provider, called as a client would."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.types import ASGIApp

from sandbox import people
from sandbox.config import Config
from sandbox.esim import api
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Reply, send


class Client:
    """JSON in and out; `headers` go with every request."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] | None = None, base: str = "") -> None:
        self._app, self._headers, self._base = app, dict(headers or {}), base

    def get(self, path: str, **query: str) -> Reply:
        return send(self._app, "GET", f"{self._base}{path}?{urlencode(query)}", headers=self._headers)

    def post(self, path: str, body: object = None, **headers: str) -> Reply:
        sent = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        return send(
            self._app, "POST", self._base + path, headers=self._headers | sent, chunks=[json.dumps(body).encode()]
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(Config(state=tmp_path))
    yield world
    world.close()


@pytest.fixture
def provider(world: World) -> Client:
    """Signed in at the provider."""
    return Client(api.app(world), {"authorization": f"Bearer {world.esim.settings.api_key}"})


@pytest.fixture
def buttons(world: World) -> Client:
    """The port for people and tests."""
    return Client(people.app(world), base="/control/esim/")
