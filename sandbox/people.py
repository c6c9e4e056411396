"""The plain-http port: pages for human eyes, and under /control the buttons and the ledger for programs."""

from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route

from sandbox.desk import control as desk_control
from sandbox.desk import pages as desk
from sandbox.ledger import Entry
from sandbox.mail import pages as mail
from sandbox.salesforce.pubsub import control as pubsub_control
from sandbox.whmcs import clientarea
from sandbox.whmcs import control as whmcs_control
from sandbox.world import World


def app(world: World) -> Starlette:
    """One application for the loopback port: the desk at the root, everything else below a name of its own."""
    return Starlette(
        routes=[
            Mount("/control", routes=_control(world)),
            Mount("/whmcs", routes=clientarea.routes(world)),
            Mount("/mail", routes=mail.routes(world)),
            *desk.routes(world),
        ]
    )


def _control(world: World) -> list[BaseRoute]:
    return [
        *_ledger(world),
        *desk_control.routes(world),
        *whmcs_control.routes(world),
        *mail.control(world),
        Mount("/pubsub", routes=pubsub_control.routes(world)),
    ]


def _ledger(world: World) -> list[BaseRoute]:
    async def ledger(request: Request) -> JSONResponse:
        query = request.query_params
        after = query.get("after", "0")
        if not after.isdecimal():
            return JSONResponse({"error": "after must be the number of an entry"}, status_code=400)
        entries = world.ledger.read(query.get("system"), query.get("operation"), int(after))
        return JSONResponse([_row(entry) for entry in entries if entry.key == query.get("key", entry.key)])

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "now": world.now().isoformat()})

    return [Route("/ledger", ledger), Route("/health", health)]


def _row(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "id": entry.number, "at": entry.at.isoformat()}
