"""A sandbox in this process, with its port for people."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from sandbox import people
from sandbox.authority import open_authority
from sandbox.config import Config
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Reply, send, send_json


class Control:
    """A program at the port for people."""

    def __init__(self, world: World) -> None:
        self.app = people.app(world)

    def get(self, path: str, **query: object) -> Reply:
        return send(self.app, "GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: object = None) -> Reply:
        return send_json(self.app, path, body)


@pytest.fixture(scope="session")
def key_material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and certificates, made once: each test's world gets a copy."""
    state = tmp_path_factory.mktemp("keys")
    open_authority(state)
    return state


@pytest.fixture
def state(tmp_path: Path, key_material: Path) -> Path:
    shutil.copytree(key_material, tmp_path / "state")
    return tmp_path / "state"


@pytest.fixture
def world(state: Path) -> Iterator[World]:
    opened = World(Config(state=state))
    yield opened
    opened.close()


@pytest.fixture
def control(world: World) -> Control:
    return Control(world)
