"""`python -m sandbox`: run the outside world until told to stop. `--help` says everything else."""

import gzip
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from sandbox import arguments, restoring, serving, state
from sandbox.arguments import Errand
from sandbox.salesforce.schema_files import SchemaError
from sandbox.seed_file import SeedError
from sandbox.servers import PortTaken, require_free
from sandbox.world import StateTaken, World, has_state, require_alone

_GZIP = b"\x1f\x8b"


class CannotStart(Exception):
    """Something that was asked for cannot be done; the sentence says why, and nothing was changed."""


def main(argv: Sequence[str]) -> int:
    """Do what the arguments say; exit status 0, or 2 with a sentence on stderr when it cannot be done."""
    try:
        _do(arguments.parse(argv))
    except (CannotStart, PortTaken, SchemaError, StateTaken, SeedError, restoring.BadState) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _do(errand: Errand) -> None:
    if errand.export:
        _export(errand, errand.export)
        return
    config = replace(errand.config, state=errand.config.state.absolute()).with_free_ports()
    # Before there is a world: its state would have been made, or forgotten, for a start that fails.
    require_alone(config.state)
    require_free(config.host, config.ports)
    new, made_here = not has_state(config.state), not config.state.exists()
    if (errand.reset or errand.restore) and not new:
        _ask(errand, config.state)
    if errand.config.seeds and not new and not errand.reset:
        sys.stderr.write(f"There is a state in {config.state} already, so --seed changes nothing; see --reset.\n")
    world = World(config)
    if errand.reset and not new and not errand.restore:
        state.reset(world, ledger=True)
    if errand.restore:
        try:
            _restore(world, errand.restore)
        except (CannotStart, restoring.BadState):
            world.close()
            if made_here:
                shutil.rmtree(config.state)
            raise
    serving.run(world)


def _ask(errand: Errand, folder: Path) -> None:
    """Raises CannotStart unless the state may be forgotten."""
    if errand.sure:
        return
    if not sys.stdin.isatty():
        raise CannotStart(f"There is a state in {folder}; --yes says that it may be forgotten.")
    sys.stderr.write(f"Forget the state in {folder}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CannotStart("Nothing was changed.")


def _export(errand: Errand, path: Path) -> None:
    config = errand.config
    if not has_state(config.state):
        raise CannotStart(f"There is no state in {config.state}.")
    partial = path.with_name(f"{path.name}.part")
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with closing(World(config)) as world, opened(partial, "wb") as file:
            state.export(world, file)
        partial.replace(path)
    except OSError as error:
        raise CannotStart(f"{path}: {error.strerror}") from error


def _restore(world: World, path: Path) -> None:
    try:
        with path.open("rb") as file:
            zipped = file.read(len(_GZIP)) == _GZIP
        with gzip.open(path) if zipped else path.open("rb") as lines:
            restoring.load(world, lines)
    except (OSError, EOFError) as error:
        raise CannotStart(f"{path}: {error}") from error
    except restoring.BadState as error:
        raise CannotStart(f"{path}, {error}") from error
    world.ledger.write("sandbox", "state.import", detail={"file": path.name})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
