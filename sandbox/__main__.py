"""`python -m sandbox --state DIR`: run the outside world until told to stop."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Protocol

from sandbox import people
from sandbox.config import Config, parse_args
from sandbox.salesforce.pubsub import server as pubsub
from sandbox.servers import HttpServer, PortTaken
from sandbox.world import World


class Stoppable(Protocol):
    """A server that runs."""

    async def stop(self) -> None:
        """Close it."""


async def _serve(world: World) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    running: list[Stoppable] = []
    try:
        await _start(world, running)
        _say_ready(world)
        await stop.wait()
    finally:
        for server in reversed(running):
            await server.stop()


async def _start(world: World, running: list[Stoppable]) -> None:
    running.append(await pubsub.start(world))
    for server in _http_servers(world):
        await server.start()
        running.append(server)


def _http_servers(world: World) -> list[HttpServer]:
    config = world.config
    return [HttpServer("people", people.app(world), config.host, config.people_port)]


def _say_ready(world: World) -> None:
    config, authority = world.config, world.authority
    facts = json.dumps(
        {
            "salesforce_url": config.salesforce_url,
            "pubsub_endpoint": config.pubsub_endpoint,
            "whmcs_url": config.whmcs_url,
            "people_url": config.people_url,
            "smtp": f"localhost:{config.smtp_port}",
            "ca": str(authority.ca.resolve()),
            "state": str(config.state.resolve()),
        },
        sort_keys=True,
    )
    (config.state / "ready.json").write_text(facts + "\n", encoding="utf-8")
    sys.stdout.write(f"ready {facts}\n")
    sys.stdout.flush()


def _forget_ready(state: Path) -> None:
    (state / "ready.json").unlink(missing_ok=True)


def main(config: Config) -> int:
    """Run until SIGTERM or SIGINT; exit status 0, or 2 when a port is taken."""
    world = World(config)
    _forget_ready(config.state)
    try:
        asyncio.run(_serve(world))
    except PortTaken as error:
        sys.stderr.write(f"{error}\n")
        return 2
    finally:
        _forget_ready(config.state)
        world.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(parse_args(sys.argv[1:])))
