"""The plain-http port: pages for human eyes, and under /control the buttons and the ledger for programs."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount

from sandbox import control, state_control
from sandbox.desk import control as desk_control
from sandbox.desk import pages as desk
from sandbox.esim import control as esim_control
from sandbox.faults import control as faults_control
from sandbox.faults import pages as faults
from sandbox.mail import pages as mail
from sandbox.salesforce.pubsub import control as pubsub_control
from sandbox.whmcs import clientarea
from sandbox.whmcs import control as whmcs_control
from sandbox.world import World


def app(world: World) -> Starlette:
    """One application for the loopback port: the desk at the root, everything else below a name of its own."""
    return Starlette(
        routes=[
            Mount("/control", app=_control(world)),
            clientarea.mount(world, "/whmcs"),
            Mount("/mail", routes=mail.routes(world)),
            Mount("/faults", app=faults.app(world)),
            *desk.routes(world),
        ]
    )


def _control(world: World) -> Starlette:
    routes = [
        *control.routes(world),
        *state_control.routes(world),
        *desk_control.routes(world),
        *whmcs_control.routes(world),
        *esim_control.routes(world),
        *mail.control(world),
        *faults_control.routes(world),
        Mount("/pubsub", routes=pubsub_control.routes(world)),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _refused})


def _refused(_: Request, error: Exception) -> JSONResponse:
    """A refusal as programs read it."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)
