"""The desk's buttons for programs: JSON in, JSON out, the same rules."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.desk.agent import ORDER_ACTIONS, Agent
from sandbox.pages import posted_json
from sandbox.salesforce.errors import ApiError
from sandbox.world import World


def routes(world: World) -> list[BaseRoute]:
    """Routes relative to `/control`."""
    agent = Agent(world)

    async def order(request: Request) -> JSONResponse:
        order_id, action = request.path_params["order"], request.path_params["action"]
        body = await posted_json(request)
        if action not in ORDER_ACTIONS:
            return JSONResponse({"error": f"{action} is none of {', '.join(ORDER_ACTIONS)}"}, 404)
        if action == "fail":
            return _answer(lambda: agent.fail(order_id, str(body.get("error") or "")))
        return _answer(lambda: ORDER_ACTIONS[action](agent, order_id))

    async def eligibility(request: Request) -> JSONResponse:
        body, account_id = await posted_json(request), request.path_params["account"]
        if not body.get("value"):
            return JSONResponse({"error": "value is missing"}, 422)
        return _answer(lambda: agent.set_eligibility(account_id, str(body["value"])))

    async def identity(request: Request) -> JSONResponse:
        body, account_id = await posted_json(request), request.path_params["account"]
        status = body.get("status")
        if status == "Verified":
            return _answer(lambda: agent.verify_identity(account_id))
        if status == "Rejected":
            return _answer(lambda: agent.reject_identity(account_id, str(body.get("message") or "")))
        return JSONResponse({"error": "status must be Verified or Rejected"}, 422)

    async def restore(request: Request) -> JSONResponse:
        return _answer(lambda: agent.restore(request.path_params["record"]))

    return [
        Route("/desk/records/{record}/restore", restore, methods=["POST"]),
        Route("/desk/orders/{order}/{action}", order, methods=["POST"]),
        Route("/desk/accounts/{account}/eligibility", eligibility, methods=["POST"]),
        Route("/desk/accounts/{account}/identity", identity, methods=["POST"]),
    ]


def _answer(act: Callable[[], str]) -> JSONResponse:
    try:
        return JSONResponse({"said": act()})
    except ApiError as error:
        return JSONResponse({"error": error.message, "errorCode": error.code}, error.status)
