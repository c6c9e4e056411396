"""The org over HTTP: OAuth, the REST API under `/services/data/`, and SOAP's login."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from sandbox.faults.wire import Misbehaving
from sandbox.salesforce import absent, mishaps
from sandbox.salesforce.oauth import routes as oauth
from sandbox.salesforce.rest import transport
from sandbox.salesforce.rest.service import Service
from sandbox.salesforce.soap import login as soap
from sandbox.world import World

# Bytes of an answer, and how hard to try: a loopback gains nothing from more.
_WORTH_PACKING, _PACKED = 1000, 1


def app(world: World) -> Starlette:
    """The application that listens as the org."""
    service = service_of(world)
    misbehaving = Middleware(
        Misbehaving,
        faults=world.faults,
        system="salesforce",
        namer=mishaps.Names(service.operation_of),
        inside_kinds=mishaps.AT_THE_DOOR,
        inside=mishaps.at_the_door(world.org),
    )
    beside = [*oauth.routes(world, world.logins), *soap.routes(world, world.logins), *absent.routes(world)]
    routes = [*transport.routes(world, service), *beside]
    packing = Middleware(GZipMiddleware, minimum_size=_WORTH_PACKING, compresslevel=_PACKED)
    return Starlette(
        routes=routes, middleware=[misbehaving, packing], exception_handlers={Exception: transport.unexpected}
    )


def service_of(world: World) -> Service:
    """The REST API of the org."""
    return Service(world.org, world.schemas, world.ledger, world.mishaps)


def operations(world: World) -> list[str]:
    """What every request can be called in the ledger."""
    apart = [each.name for each in app(world).routes if isinstance(each, Route) and "{rest:path}" not in each.path]
    return [*dict.fromkeys(apart), *service_of(world).operations()]
