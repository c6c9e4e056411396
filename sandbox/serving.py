"""Every server of the sandbox in one process, until a signal ends it."""

import asyncio
import json
import signal
import sys
from typing import Any, Protocol

from starlette.types import ASGIApp

from sandbox import people
from sandbox.esim import api as esim
from sandbox.faults.ports import door
from sandbox.mail import smtp
from sandbox.salesforce import app as salesforce
from sandbox.salesforce.logins import PASSWORD, SECURITY_TOKEN
from sandbox.salesforce.oauth.client import CLIENT_ID, CLIENT_SECRET
from sandbox.salesforce.pubsub import server as pubsub
from sandbox.salesforce.seed import INTEGRATION_USERNAME
from sandbox.servers import HttpServer
from sandbox.whmcs import api as whmcs
from sandbox.whmcs.accounts.switches import CUSTOMER_NUMBER_FIELD
from sandbox.world import World


class Stoppable(Protocol):
    """A server that runs."""

    async def stop(self) -> None:
        """Close it."""


def run(world: World) -> None:
    """Serve until SIGTERM or SIGINT, then release everything. Raises PortTaken."""
    ready = world.config.state / "ready.json"
    # Whoever reads the file may believe that the sandbox listens; one left behind by a crash would say so wrongly.
    ready.unlink(missing_ok=True)
    try:
        asyncio.run(_serve(world))
    finally:
        ready.unlink(missing_ok=True)
        world.close()


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
        world.faults.holds.stop()
        for server in reversed(running):
            await server.stop()


async def _start(world: World, running: list[Stoppable]) -> None:
    for server in _http_servers(world):
        await server.start()
        running.append(server)
        world.ports.register(server.name, server)
    post = await smtp.start(world)
    running.append(post)
    world.ports.register("mail", post)
    running.append(await pubsub.start(world))
    await world.ports.follow()


def _http_servers(world: World) -> list[HttpServer]:
    config = world.config
    return [
        _behind_tls(world, "salesforce", salesforce.app(world), config.salesforce_port),
        _behind_tls(world, "whmcs", whmcs.app(world), config.whmcs_port),
        _behind_tls(world, "esim", esim.app(world), config.esim_port),
        HttpServer("people", people.app(world), config.host, config.people_port),
    ]


def _behind_tls(world: World, name: str, app: ASGIApp, port: int) -> HttpServer:
    """A system's server: it speaks TLS, and rules about faults may shut its door."""
    authority, shut = world.authority, door(world.faults, name)
    return HttpServer(
        name, app, world.config.host, port, certificate=authority.certificate, key=authority.key, door=shut
    )


def _say_ready(world: World) -> None:
    facts = json.dumps(_facts(world), sort_keys=True)
    (world.config.state / "ready.json").write_text(facts + "\n", encoding="utf-8")
    sys.stdout.write(f"ready {facts}\n")
    sys.stdout.flush()


def _facts(world: World) -> dict[str, Any]:
    """Everything a portal's environment needs, and where people look."""
    config, authority, settings = world.config, world.authority, world.whmcs.settings
    return {
        "salesforce_url": config.salesforce_url,
        "salesforce_client_id": CLIENT_ID,
        "salesforce_client_secret": CLIENT_SECRET,
        "salesforce_password": PASSWORD,
        "salesforce_security_token": SECURITY_TOKEN,
        "salesforce_username": INTEGRATION_USERNAME,
        "salesforce_key": str(authority.client_key.resolve()),
        "pubsub_endpoint": config.pubsub_endpoint,
        "whmcs_url": config.whmcs_url,
        "whmcs_identifier": settings.api_identifier,
        "whmcs_secret": settings.api_secret,
        "whmcs_payment_method": settings.gateways[0].module,
        "whmcs_customer_number_field_id": CUSTOMER_NUMBER_FIELD,
        "esim_url": config.esim_url,
        "esim_key": world.esim.settings.api_key,
        "people_url": config.people_url,
        "smtp": f"localhost:{config.smtp_port}",
        "ca": str(authority.ca.resolve()),
        "state": str(config.state.resolve()),
    }
