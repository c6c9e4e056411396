"""What a person in WHMCS' administration does and no action can: run the daily automation, give an order a status of
one's own, make a promotion code."""

import asyncio
from collections.abc import Iterable
from dataclasses import asdict

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.pages import posted_json
from sandbox.whmcs.answers import Payload
from sandbox.whmcs.billing.automation import Automation, has_run
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.ordering.outcomes import STATUSES
from sandbox.whmcs.ordering.records import Order, Promotion
from sandbox.world import World

_PROMOTION: TypeAdapter[Promotion] = TypeAdapter(Promotion)


def routes(world: World) -> list[BaseRoute]:
    """Routes relative to `/control`."""
    whmcs, busy = world.whmcs, asyncio.Lock()

    async def cron(request: Request) -> JSONResponse:
        body = await posted_json(request)
        if busy.locked():
            return _error("the daily automation is running", 409)
        async with busy:
            return JSONResponse(await _run(whmcs, force=bool(body.get("force")), mail=body.get("mails", True) is True))

    async def order_status(request: Request) -> JSONResponse:
        status = str((await posted_json(request)).get("status", ""))
        order = whmcs.orders.get(request.path_params["order"])
        if order is None:
            return _error(f"no order {request.path_params['order']}", 404)
        if status not in (*STATUSES, *whmcs.settings.order_statuses):
            return _error(f"no order status {status!r}; more of them are the setting order_statuses", 422)
        return JSONResponse(_set_status(whmcs, order, status))

    async def promotions(request: Request) -> JSONResponse:
        try:
            return JSONResponse(_new_promotion(whmcs, await posted_json(request)), 201)
        except ValidationError as error:
            return _error(str(error), 422)

    return [
        Route("/whmcs/cron", cron, methods=["POST"]),
        Route("/whmcs/orders/{order:int}/status", order_status, methods=["POST"]),
        Route("/whmcs/promotions", promotions, methods=["POST"]),
    ]


async def _run(whmcs: Whmcs, *, force: bool, mail: bool) -> Payload:
    """Runs the automation unless it ran today; `ran` tells. Other requests come in between its steps."""
    if has_run(whmcs) and not force:
        return {"ran": False, "date": whmcs.today(), "counts": {}}
    automation = Automation(whmcs, mail=mail)
    await _between_requests(automation.steps())
    return {"ran": True, "date": automation.record.date, "counts": automation.record.counts}


async def _between_requests(steps: Iterable[None]) -> None:
    for _ in steps:
        await asyncio.sleep(0)


def _set_status(whmcs: Whmcs, order: Order, status: str) -> Payload:
    before, order.status = order.status, status
    with whmcs.caller(""):
        whmcs.orders.put(order)
        whmcs.note("control.order_status", str(order.id), {"before": before, "after": status})
    return asdict(order)


def _new_promotion(whmcs: Whmcs, body: Payload) -> Payload:
    with whmcs.caller(""):
        promotion = _PROMOTION.validate_python({**body, "id": whmcs.promotions.next_id()})
        whmcs.promotions.put(promotion)
        whmcs.note("control.promotion", promotion.code, {"value": promotion.value, "type": promotion.type})
    return asdict(promotion)


def _error(message: str, status: int) -> JSONResponse:
    return JSONResponse({"error": message}, status)
