"""WHMCS as its staff sees it: the clients, one client with everything of theirs, and the daily run."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.desk.dossier import billing_order
from sandbox.desk.room import Room, paged, part
from sandbox.whmcs.billing import automation


def routes(room: Room) -> list[BaseRoute]:
    """Relative to the root of the port for people."""
    page, whmcs = room.guarded, room.world.whmcs

    async def clients(request: Request) -> Response:
        skip, limit = part(request)
        found = whmcs.clients.part(skip, limit, newest_first=True)
        pages = paged(request, found)
        shown = [(each, whmcs.pay_methods.find("client_id", each.id)) for each in found]
        return room.show(request, "billing.html", "whmcs", {"clients": shown, "today": whmcs.today(), **pages})

    async def client(request: Request) -> Response:
        held = whmcs.clients.get(request.path_params["client"])
        if held is None:
            raise HTTPException(404, "WHMCS has no such client.")
        context = {
            "client": held,
            "methods": whmcs.pay_methods.find("client_id", held.id),
            "orders": [billing_order(room.world, each) for each in whmcs.orders.newest("client_id", held.id, limit=50)],
            "services": [
                (each, whmcs.products[each.pid].name) for each in whmcs.services.newest("client_id", held.id, limit=50)
            ],
            "invoices": whmcs.invoices.newest("client_id", held.id, limit=50),
        }
        return room.show(request, "client.html", "whmcs", context)

    async def daily_run(request: Request) -> Response:
        return await room.act(request, lambda _form: _run(room))

    return [
        Route("/billing", page(clients)),
        Route("/billing/clients/{client:int}", page(client)),
        Route("/billing/daily", page(daily_run), methods=["POST"]),
    ]


def _run(room: Room) -> str:
    whmcs = room.world.whmcs
    if automation.has_run(whmcs):
        return f"The daily run of {whmcs.today()} was done already; move the clock to see the next one."
    counts = automation.run(whmcs).counts
    done = ", ".join(f"{task} {figure}: {n}" for task, figures in counts.items() for figure, n in figures.items())
    return f"The daily run of {whmcs.today()} is done. {done or 'There was nothing to do'}."
