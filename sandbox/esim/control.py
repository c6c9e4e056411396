"""The JSON side door to the provider, for tests and the demo: switches, buttons, and what it holds."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from functools import partial

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.esim.provider import Provider
from sandbox.esim.records import Ticket
from sandbox.esim.refusals import Refused
from sandbox.pages import posted_json
from sandbox.world import World


def routes(world: World) -> list[BaseRoute]:
    """Routes relative to `/control`. A refusal is 404 for what is not there, 409 for too late, 422 for nonsense."""

    def of(handler: Callable[[Provider, Request], Awaitable[JSONResponse]]) -> Callable[..., Awaitable[JSONResponse]]:
        return partial(handler, world.esim)

    return [
        Route("/esim/settings", of(_settings), methods=["GET", "POST"]),
        Route("/esim/state", of(_state)),
        Route("/esim/tickets/{ticket}/finish", of(_finish), methods=["POST"]),
        Route("/esim/tickets/{ticket}/fail", of(_fail), methods=["POST"]),
        Route("/esim/lines/{line_ref}/use", of(_use), methods=["POST"]),
    ]


async def _settings(provider: Provider, request: Request) -> JSONResponse:
    if request.method == "POST":
        changed = await posted_json(request)
        try:
            provider.configure(**changed)
        except (ValidationError, ValueError) as error:
            raise HTTPException(422, str(error)) from error
        provider.ledger.write("esim", "control.settings", detail={"changed": sorted(changed)})
    return JSONResponse({name: value for name, value in asdict(provider.settings).items() if name != "api_key"})


async def _state(provider: Provider, request: Request) -> JSONResponse:
    """Lines with their tickets: of one order, or all."""
    provider.move_on()
    order_ref = request.query_params.get("order_ref", "")
    lines = provider.lines.find("order_ref", order_ref) if order_ref else provider.lines.all()
    tickets = [ticket for line in lines for ticket in provider.tickets.find("line_ref", line.line_ref)]
    return JSONResponse({"lines": [asdict(line) for line in lines], "tickets": [_shown(each) for each in tickets]})


async def _finish(provider: Provider, request: Request) -> JSONResponse:
    return JSONResponse(_shown(provider.finish(_open_ticket(provider, request))))


async def _fail(provider: Provider, request: Request) -> JSONResponse:
    body = await posted_json(request)
    code, text = str(body.get("code") or "CARRIER_ERROR"), str(body.get("text") or "The carrier gave up.")
    ticket = _open_ticket(provider, request)
    return JSONResponse(_shown(provider.fail(ticket, code, text, retryable=bool(body.get("retryable")))))


async def _use(provider: Provider, request: Request) -> JSONResponse:
    """Lets a phone install the profile (`installed`) and use data (`bytes`)."""
    body = await posted_json(request)
    used = body.get("bytes", 0)
    if not isinstance(used, int) or isinstance(used, bool) or used < 0:
        raise HTTPException(422, "bytes must be a number, 0 or more")
    try:
        line = provider.line(request.path_params["line_ref"])
    except Refused as refusal:
        raise HTTPException(404, refusal.text) from refusal
    profile = "installed" if body.get("installed") and line.profile == "ready" else line.profile
    return JSONResponse(asdict(provider.lines.put(replace(line, profile=profile, bytes_used=line.bytes_used + used))))


def _open_ticket(provider: Provider, request: Request) -> Ticket:
    try:
        ticket = provider.ticket(request.path_params["ticket"])
    except Refused as refusal:
        raise HTTPException(404, refusal.text) from refusal
    if not ticket.is_open:
        raise HTTPException(409, f"the ticket is {ticket.state}")
    return ticket


def _shown(ticket: Ticket) -> dict[str, object]:
    return {**asdict(ticket), "ticket": ticket.ref}
