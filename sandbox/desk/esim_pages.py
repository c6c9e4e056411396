"""The eSIM provider: lines, and tickets to finish or to let fail."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.desk.room import Room, paged, part
from sandbox.esim.provider import Provider
from sandbox.esim.records import Ticket
from sandbox.esim.refusals import Refused


def routes(room: Room) -> list[BaseRoute]:
    """Relative to the root of the port for people."""
    page, provider = room.guarded, room.world.esim

    async def lines(request: Request) -> Response:
        provider.move_on()
        skip, limit = part(request)
        found = provider.lines.part(skip, limit, newest_first=True)
        pages = paged(request, found)
        waiting = [each for state in ("accepted", "processing") for each in provider.tickets.find("state", state)]
        context = {"lines": found, "waiting": waiting, "settings": provider.settings, **pages}
        return room.show(request, "esim.html", "esim", context)

    async def line(request: Request) -> Response:
        provider.move_on()
        held = provider.lines.get(request.path_params["line"])
        if held is None:
            raise HTTPException(404, "The provider has no such line.")
        tickets = provider.tickets.find("line_ref", held.line_ref)[::-1]
        return room.show(request, "line.html", "esim", {"line": held, "tickets": tickets})

    async def finish(request: Request) -> Response:
        return await room.act(request, lambda _form: _said(provider.finish(_open(provider, request))))

    async def fail(request: Request) -> Response:
        def do(form: dict[str, str]) -> str:
            text = form.get("text", "").strip() or "The carrier gave up."
            return _said(provider.fail(_open(provider, request), "CARRIER_ERROR", text))

        return await room.act(request, do)

    async def pace(request: Request) -> Response:
        def do(form: dict[str, str]) -> str:
            by_hand = form.get("pace") == "hand"
            provider.configure(processing_s=-1 if by_hand else 0)
            return "Tickets wait for a button." if by_hand else "Tickets are done at once."

        return await room.act(request, do)

    return [
        Route("/esim", page(lines)),
        Route("/esim/lines/{line:int}", page(line)),
        Route("/esim/tickets/{ticket}/finish", page(finish), methods=["POST"]),
        Route("/esim/tickets/{ticket}/fail", page(fail), methods=["POST"]),
        Route("/esim/pace", page(pace), methods=["POST"]),
    ]


def _open(provider: Provider, request: Request) -> Ticket:
    """Raises Refused."""
    ticket = provider.ticket(request.path_params["ticket"])
    if not ticket.is_open:
        raise Refused("TICKET_ENDED", f"the ticket is {ticket.state} already")
    return ticket


def _said(ticket: Ticket) -> str:
    return f"Ticket {ticket.ref} ({ticket.kind}) is {ticket.state}."
