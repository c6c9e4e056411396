"""Orders: what waits, the list, and one order in every system."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.desk.agent import ORDER_ACTIONS
from sandbox.desk.dossier import dossier, order_rows
from sandbox.desk.room import Room, paged, part
from sandbox.world import World

_SHORTEST_REFRESH_S, _LONGEST_REFRESH_S = 2, 60
# What waits for an agent: the words, the type, the field and value that make it wait, and the list that shows it.
_WAITING = (
    ("orders to review", "Order", "Status", "Pending Review", "/?status=Pending%20Review"),
    ("orders failed", "Order", "Activation_Status__c", "Failed", "/?status=Failed"),
    ("addresses to check", "Account", "Internet_Eligibility_Status__c", "Pending", "/customers?internet=Pending"),
    ("papers to look at", "Account", "Id_Verification_Status__c", "Pending", "/customers?identity=Pending"),
    ("new cases", "Case", "Status", "New", "/cases"),
)


def routes(room: Room) -> list[BaseRoute]:
    """Relative to the root of the port for people."""

    async def overview(request: Request) -> Response:
        only, (skip, limit) = request.query_params.get("status", ""), part(request)
        rows = order_rows(room.world, only=only, skip=skip, limit=limit)
        pages = paged(request, rows)
        context = {"rows": rows, "only": only, "todo": todo(room.world), "refresh": _refresh(request), **pages}
        return room.show(request, "overview.html", "orders", context)

    async def order(request: Request) -> Response:
        found = dossier(room.world, request.path_params["order"])
        return room.show(request, "order.html", "orders", {"found": found})

    async def change(request: Request) -> Response:
        order_id, action = request.path_params["order"], request.path_params["action"]
        if action not in ORDER_ACTIONS:
            raise HTTPException(404, "There is no such button.")
        if action == "fail":
            return await room.act(request, lambda form: room.agent.fail(order_id, form.get("error", "").strip()))
        return await room.act(request, lambda _form: ORDER_ACTIONS[action](room.agent, order_id))

    page = room.guarded
    return [
        Route("/", page(overview)),
        Route("/orders/{order}", page(order)),
        Route("/orders/{order}/{action}", page(change), methods=["POST"]),
    ]


def todo(world: World) -> list[tuple[str, int, str]]:
    """What waits for an agent: words, how many, and where they are."""
    return [(words, world.org.table(kind).count(field, value), url) for words, kind, field, value, url in _WAITING]


def _refresh(request: Request) -> int:
    """Seconds after which the overview loads itself again, 0 for never."""
    asked = request.query_params.get("refresh", "")
    return min(max(int(asked), _SHORTEST_REFRESH_S), _LONGEST_REFRESH_S) if asked.isdecimal() else 0
