"""The desk's pages."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.desk import billing_pages, customer_pages, esim_pages, order_pages, record_pages
from sandbox.desk.look import HERE
from sandbox.desk.room import Room
from sandbox.ledger import Wanted
from sandbox.world import World

LEDGER_ROWS = 200


def routes(world: World) -> list[BaseRoute]:
    """Everything of the desk, relative to the root of the port for people."""
    room = Room(world)

    async def ledger(request: Request) -> Response:
        """What the systems accepted, newest first, narrowed by system and by any word in a row."""
        system, word = request.query_params.get("system", ""), request.query_params.get("word", "").strip()
        wanted = Wanted(system=system or None, word=word or None)
        entries = list(world.ledger.select(wanted, limit=LEDGER_ROWS, newest_first=True))
        context = {"entries": entries, "total": world.ledger.count(wanted), "systems": world.ledger.systems()}
        return room.show(request, "ledger.html", "ledger", {**context, "system": system, "word": word})

    return [
        *order_pages.routes(room),
        *customer_pages.routes(room),
        *billing_pages.routes(room),
        *esim_pages.routes(room),
        *record_pages.routes(room),
        Route("/ledger", room.guarded(ledger)),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
