"""Reading the mail: a list, one message, its HTML in a frame that can do nothing, and the same as JSON."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.desk.look import desk_pages
from sandbox.mail.mailbox import Mailbox, Message
from sandbox.world import World

PAGE_SIZE = 100
# No script, no form, no request to anywhere: a message shows what it brought along.
MESSAGE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


def routes(world: World) -> list[BaseRoute]:
    """Pages, relative to `/mail`."""
    mailbox = world.mailbox
    pages = desk_pages(Path(__file__).with_name("templates"))

    async def overview(request: Request) -> Response:
        to = request.query_params.get("to", "")
        found = mailbox.newest_first(to, limit=PAGE_SIZE)
        context = {"messages": found, "total": mailbox.count(to), "to": to, "here": "mail", "notice": None}
        return pages.render("mail.html", context)

    async def message(request: Request) -> Response:
        context = {"message": _wanted(mailbox, request), "here": "mail", "notice": None}
        return pages.render("message.html", context)

    async def html(request: Request) -> Response:
        headers = {"Content-Security-Policy": MESSAGE_POLICY, "X-Content-Type-Options": "nosniff"}
        return HTMLResponse(_wanted(mailbox, request).part("html"), headers=headers)

    async def raw(request: Request) -> Response:
        return Response(_wanted(mailbox, request).raw, media_type="text/plain; charset=utf-8")

    return [
        Route("/", overview),
        Route("/{number:int}", message),
        Route("/{number:int}/html", html),
        Route("/{number:int}/raw", raw),
    ]


def control(world: World) -> list[BaseRoute]:
    """JSON, relative to `/control`: messages newest first, one message, the newest to an address."""
    mailbox = world.mailbox

    async def listing(request: Request) -> JSONResponse:
        to = request.query_params.get("to", "")
        found = mailbox.newest_first(to, limit=PAGE_SIZE)
        return JSONResponse({"total": mailbox.count(to), "messages": [each.full() for each in found]})

    async def newest(request: Request) -> JSONResponse:
        found = mailbox.newest_first(request.query_params.get("to", ""), limit=1)
        return JSONResponse(found[0].full() if found else {"error": "no message"}, 200 if found else 404)

    async def one(request: Request) -> JSONResponse:
        return JSONResponse(_wanted(mailbox, request).full())

    return [Route("/mail", listing), Route("/mail/newest", newest), Route("/mail/{number:int}", one)]


def _wanted(mailbox: Mailbox, request: Request) -> Message:
    message = mailbox.get(request.path_params["number"])
    if message is None:
        raise HTTPException(404, "There is no such message.")
    return message
