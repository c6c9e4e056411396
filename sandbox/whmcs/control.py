"""The JSON side door to the installation, for tests and the demo: settings, cards, and what it holds."""

from dataclasses import asdict

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.pages import posted_json
from sandbox.whmcs import billing_control, mishaps, people_control
from sandbox.whmcs.about import explained
from sandbox.whmcs.actions import BY_NAME
from sandbox.whmcs.actions.documented import Documented, documented
from sandbox.whmcs.answers import Payload
from sandbox.whmcs.cards import TEST_NUMBER, CardRefused, add_card
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.marks import mark_of, marked_orders, order_mark, services_of
from sandbox.whmcs.ordering.records import Order, Service
from sandbox.whmcs.quirks.switches import listed
from sandbox.whmcs.records import Settings
from sandbox.world import World

_SECRETS = ("api_secret", "admin_password", "api_access_key", "api_credentials")


def routes(world: World) -> list[BaseRoute]:
    """Routes relative to `/control`."""
    whmcs = world.whmcs

    async def pay_methods(request: Request) -> JSONResponse:
        body = await posted_json(request)
        client = whmcs.clients.get(request.path_params["client"])
        if client is None:
            return _error(f"no client {request.path_params['client']}", 404)
        try:
            with whmcs.caller(""):
                expiry = str(body.get("expiry") or f"12/{(whmcs.server_now().year + 3) % 100:02d}")
                method = add_card(whmcs, client.id, str(body.get("number") or TEST_NUMBER), expiry)
        except CardRefused as refusal:
            return _error(str(refusal), 422)
        return JSONResponse(asdict(method), 201)

    async def settings(request: Request) -> JSONResponse:
        if request.method == "POST":
            try:
                change_settings(whmcs, await posted_json(request))
            except (ValidationError, ValueError) as error:
                return _error(str(error), 422)
        return JSONResponse(shown_settings(whmcs.settings))

    async def known_actions(_: Request) -> JSONResponse:
        return JSONResponse({each.name: _simulated(each) for each in documented().values()})

    async def state(request: Request) -> JSONResponse:
        query = request.query_params
        client = query.get("client", "")
        if client and not client.isdecimal():
            return _error("client must be a number", 422)
        return JSONResponse(state_of(whmcs, client=int(client) if client else None, mark=query.get("mark", "")))

    return [
        Route("/whmcs/clients/{client:int}/paymethods", pay_methods, methods=["POST"]),
        Route("/whmcs/actions", known_actions),
        Route("/whmcs/settings", settings, methods=["GET", "POST"]),
        Route("/whmcs/state", state),
        *billing_control.routes(world),
        *people_control.routes(whmcs),
    ]


def shown_settings(settings: Settings) -> Payload:
    """Every setting that is no secret; `about` explains them, `irregularities` lists profiles and switches."""
    shown = {name: value for name, value in asdict(settings).items() if name not in _SECRETS}
    return {**shown, "about": explained(Settings), "irregularities": listed(settings.shown_quirks())}


def _simulated(action: Documented) -> Payload:
    """Whether this installation answers the action, and which documented parameters change nothing in it."""
    found = BY_NAME.get(action.name.lower())
    return {"simulated": found is not None, "ignores": sorted(found.ignores) if found else []}


def change_settings(whmcs: Whmcs, changes: Payload) -> None:
    """Sets what is named. `module_failure` and `add_order_error_once` are no settings but make rules about faults, see
    `mishaps`. Raises ValueError."""
    changes = dict(changes)
    failure, order_error = changes.pop("module_failure", None), changes.pop("add_order_error_once", None)
    plan = None if failure is None else mishaps.planned(failure)
    whmcs.configure(**changes)
    if plan:
        plan.arm(whmcs)
    if order_error:
        mishaps.arm_action(whmcs, "AddOrder", str(order_error))
    whmcs.ledger.write("whmcs", "control.settings", detail={"changed": sorted(changes)})


def state_of(whmcs: Whmcs, *, client: int | None = None, mark: str = "") -> Payload:
    """Orders with their services and invoices: of one client, with one mark, or all."""
    orders = marked_orders(whmcs, mark) if mark else whmcs.orders.all()
    chosen = [order for order in orders if client in (None, order.client_id)]
    services = [service for order in chosen for service in services_of(whmcs, order)]
    invoices = [invoice for order in chosen for invoice in whmcs.invoices.find("order_id", order.id)]
    return {
        "orders": [_order(whmcs, order) for order in chosen],
        "services": [_service(whmcs, service) for service in services],
        "invoices": [asdict(invoice) for invoice in invoices],
    }


def _order(whmcs: Whmcs, order: Order) -> Payload:
    return {**asdict(order), "mark": order_mark(whmcs, order)}


def _service(whmcs: Whmcs, service: Service) -> Payload:
    return {**asdict(service), "mark": mark_of([service]), "product": whmcs.products[service.pid].name}


def _error(message: str, status: int) -> JSONResponse:
    return JSONResponse({"error": message}, status)
