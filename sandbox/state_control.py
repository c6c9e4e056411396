"""The whole state over the port for people: download it, put another in its place, begin anew."""

import tempfile
from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import BaseRoute, Route

from sandbox import restoring, state
from sandbox.pages import posted_json, refuse_foreign_pages
from sandbox.restoring import BadState
from sandbox.salesforce.schema_files import SchemaError
from sandbox.seed_file import SeedError
from sandbox.world import World

_CHUNK = 2**16
_DOWNLOAD = {"Content-Disposition": 'attachment; filename="sandbox-state.jsonl"'}


def routes(world: World) -> list[BaseRoute]:
    """Routes relative to `/control`."""

    async def export(request: Request) -> StreamingResponse:
        ledger = request.query_params.get("ledger") != "no"
        return StreamingResponse(_export(world, ledger=ledger), media_type="application/jsonl", headers=_DOWNLOAD)

    async def load(request: Request) -> JSONResponse:
        refuse_foreign_pages(request)
        with tempfile.TemporaryFile() as file:
            async for chunk in request.stream():
                file.write(chunk)
            file.seek(0)
            try:
                restoring.load(world, file)
            except BadState as error:
                raise HTTPException(400, str(error)) from error
        return await _done(world, "state.import")

    async def reset(request: Request) -> JSONResponse:
        body = await posted_json(request)
        if body.keys() - {"ledger"} or not isinstance(body.get("ledger", False), bool):
            raise HTTPException(400, 'only {"ledger": true} can be said: to empty the ledger too')
        try:
            state.reset(world, ledger=body.get("ledger", False))
        except (SchemaError, SeedError) as error:
            raise HTTPException(409, str(error)) from error
        return await _done(world, "state.reset")

    return [
        Route("/state/export", export),
        Route("/state/import", load, methods=["POST"]),
        Route("/state/reset", reset, methods=["POST"]),
    ]


async def _export(world: World, *, ledger: bool) -> AsyncIterator[bytes]:
    """The file in pieces. It is written down first, so that what happens while it is sent is not half in it."""
    with tempfile.TemporaryFile() as file:
        state.export(world, file, ledger=ledger)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


async def _done(world: World, operation: str) -> JSONResponse:
    await world.ports.follow()
    world.ledger.write("sandbox", operation)
    return JSONResponse({"status": "ok", "now": world.now().isoformat()})
