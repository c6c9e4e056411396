"""An org that several tests of one file look at and none of them changes."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.config import Config
from sandbox.world import World
from tests.sandbox.salesforce.conftest import Api


@contextmanager
def opened(state: Path, key_material: Path) -> Iterator[Api]:
    """A client of a fresh org in this directory, for as long as the block runs."""
    shutil.copytree(key_material, state, dirs_exist_ok=True)
    world = World(Config(state=state))
    try:
        yield Api(world)
    finally:
        world.close()
