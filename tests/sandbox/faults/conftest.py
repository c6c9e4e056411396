"""Every system of a running sandbox, and what makes it misbehave."""

from collections.abc import Iterator

import pytest

from sandbox.config import Config
from sandbox.world import World
from tests.faults import Faults
from tests.sandbox.faults.clients import Salesforce, Whmcs, session
from tests.sandbox_process import Sandbox


@pytest.fixture
def faults(sandbox_process: Sandbox) -> Iterator[Faults]:
    misbehaving = Faults(sandbox_process)
    yield misbehaving
    misbehaving.clear()


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    opened = World(Config(state=tmp_path_factory.mktemp("world")))
    yield opened
    opened.close()


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """A world in this process, without rules."""
    yield shared_world
    shared_world.faults.remove(shared_world.faults.all())


@pytest.fixture
def whmcs(sandbox_process: Sandbox) -> Iterator[Whmcs]:
    with session(sandbox_process) as made:
        yield Whmcs(sandbox_process, made)


@pytest.fixture
def salesforce(sandbox_process: Sandbox) -> Iterator[Salesforce]:
    with session(sandbox_process) as made:
        client = Salesforce(sandbox_process, made)
        client.sign_in()
        yield client
