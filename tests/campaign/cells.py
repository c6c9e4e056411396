"""Many cells at once: each a process of its own with its own sandbox, fed with seeds until there are none."""

import json
import os
import selectors
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sandbox.embedded.processes import port_is_free
from tests.campaign import broken, seeds, servers
from tests.campaign.forks import fork, log_to
from tests.campaign.seeds import Seed

PATIENCE_S = 60
# Below those that the kernel gives to connections, and none twice: many cells start at the same moment.
_ports = filter(port_is_free, range(20_000 + os.getpid() % 80 * 100, 32_000))
PORTS = ("salesforce", "pubsub", "whmcs", "esim", "people", "smtp")


@dataclass(frozen=True)
class Options:
    """How every cell is made."""

    cells: int
    keep: Path  # logs of red seeds
    broken: str = ""
    without: str = ""  # SQL
    trace: bool = False
    history: bool = False


def live_through(wanted: Iterable[Seed], everything: servers.Servers, options: Options) -> Iterator[dict[str, Any]]:
    """The facts of each seed, as they come in."""
    left = deque(wanted)
    cells = selectors.DefaultSelector()
    for number in range(min(options.cells, len(left))):
        wire = _cell(number, everything, options)
        cells.register(wire, selectors.EVENT_READ, wire.makefile("rw"))
    while cells.get_map():
        for key, _events in cells.select():
            line = key.data.readline()
            if not line:
                raise RuntimeError(f"a cell died; its last words:\n{_last_words(everything.folder)}")
            if "number" in (answer := json.loads(line)):
                yield answer
            if left:
                _send(key.data, left.popleft().number)
            else:
                _send(key.data, None)
                cells.unregister(key.fileobj)


def live_through_broken(everything: servers.Servers, keep: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each chosen seed with and without its safeguard, all at once: the safeguard's name (empty: none is missing)
    and the facts."""
    cells: list[tuple[str, Seed, socket.socket, IO[str]]] = []
    for name, seed in seeds.CHOSEN.items():
        for taken in (name, ""):
            options = Options(1, keep, broken=taken, without=broken.SINGLE_FLIGHT if taken == "single flight" else "")
            wire = _cell(len(cells), everything, options)
            cells.append((taken, seed, wire, wire.makefile("rw")))
    for _taken, seed, _wire, lines in cells:
        lines.readline()
        _send(lines, seed.number)
    for taken, _seed, _wire, lines in cells:
        if not (said := lines.readline()):
            raise RuntimeError(f"a cell died; its last words:\n{_last_words(everything.folder)}")
        _send(lines, None)
        yield taken, json.loads(said)


def _last_words(folder: Path) -> str:
    logs = sorted(folder.glob("*/driver.log"), key=lambda log: log.stat().st_mtime)
    return "\n".join(log.read_text()[-2000:] for log in logs)


def _send(wire: IO[str], number: int | None) -> None:
    wire.write(json.dumps(number) + "\n")
    wire.flush()


def _cell(number: int, everything: servers.Servers, options: Options) -> socket.socket:
    """Forks a cell; what comes from the socket are facts, what goes into it numbers of seeds."""
    name = f"cell{number}"
    folder = everything.folder / name
    folder.mkdir()
    database = everything.new_database(name, without=options.without)
    ours, theirs = socket.socketpair()
    ports = list(islice(_ports, len(PORTS)))
    redis = f"{everything.redis_server}/{number + 1}"
    fork(lambda: _live(theirs, folder, ports, database, redis, options), close=[ours])
    theirs.close()
    return ours


def _live(wire: socket.socket, folder: Path, ports: Sequence[int], database: str, redis: str, options: Options) -> None:
    ready = _outside(folder, ports)
    log_to(folder / "driver.log")
    os.environ |= servers.variables(database, redis, ready)
    import django

    django.setup()
    from django.conf import settings

    from tests.campaign import history, roles, tracing
    from tests.campaign.cell import Cell, logged
    from tests.campaign.shop import Shop
    from tests.campaign.zygote import Zygote
    from tests.sandbox_process import Buttons

    roles.prepare()
    zygote = Zygote(folder, broken=options.broken, trace=options.trace)
    for name in ("READ_DEADLINE_S", "ADD_ORDER_DEADLINE_S"):
        setattr(settings, name, PATIENCE_S)  # only the portal's processes, forked above, are in a hurry
    cell = Cell(folder, zygote, Shop(ready, Buttons(ready["people_url"])))
    lines = wire.makefile("rw")
    _tell(lines, {"ready": True})
    for line in lines:
        number = json.loads(line)
        if number is None:
            break
        seed = seeds.seed(number)
        with logged(folder, options.keep, seed) as result:
            result |= cell.run(seed)
            if options.history:
                result["history"] = history.of(cell.shop, result["orders"])
            if options.trace:
                cell.close()
                result["points"] = tracing.read(folder)
        _tell(lines, result)
    cell.close()


def _tell(lines: IO[str], facts: dict[str, Any]) -> None:
    lines.write(json.dumps(facts) + "\n")
    lines.flush()


def _outside(folder: Path, ports: Sequence[int]) -> dict[str, Any]:
    """A sandbox of this cell's own, forked from this process."""
    reader, writer = os.pipe()

    def become() -> None:
        os.close(reader)
        log_to(folder / "outside.log")
        os.dup2(writer, 1)
        sandbox_main = _sandbox()
        named = [part for name, port in zip(PORTS, ports, strict=True) for part in (f"--{name}-port", str(port))]
        sys.exit(sandbox_main(["--state", str(folder / "outside"), *named]))

    fork(become)
    os.close(writer)
    with os.fdopen(reader) as said:
        return servers.read_ready(said.readline())


def _sandbox() -> Callable[[list[str]], int]:
    import sandbox.__main__

    return sandbox.__main__.main
