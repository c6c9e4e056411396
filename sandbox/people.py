"""The plain-http pages for human eyes: the desk, WHMCS' client area, the mail, and what the ledger says."""

from dataclasses import asdict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from sandbox.salesforce.pubsub import control as pubsub
from sandbox.world import World


def app(world: World) -> Starlette:
    """One application for the loopback port that people open in a browser."""
    controls = [*_control(world), Mount("/pubsub", routes=pubsub.routes(world))]
    return Starlette(routes=[Mount("/control", routes=controls)])


def _control(world: World) -> list[Route]:
    async def ledger(request: Request) -> JSONResponse:
        query = request.query_params
        after = query.get("after", "0")
        if not after.isdecimal():
            return JSONResponse({"error": "after must be the number of an entry"}, status_code=400)
        entries = world.ledger.read(query.get("system"), query.get("operation"), int(after))
        return JSONResponse([{**asdict(entry), "at": entry.at.isoformat()} for entry in entries])

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "now": world.now().isoformat()})

    return [Route("/ledger", ledger), Route("/health", health)]
