"""The org over HTTP: token endpoint, identity, and the REST API under `/services/data/`."""

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults.wire import Misbehaving
from sandbox.salesforce import absent, mishaps
from sandbox.salesforce.oauth import OAuthError, Tokens
from sandbox.salesforce.org import ORGANIZATION_ID
from sandbox.salesforce.rest import transport
from sandbox.salesforce.rest.service import Service
from sandbox.store import Record
from sandbox.world import World

_METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
_JSON = "application/json;charset=UTF-8"
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
    routes = [*_oauth_routes(world), *transport.routes(world, service), *absent.routes(world)]
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


def _oauth_routes(world: World) -> list[Route]:
    tokens = Tokens(
        world.org, world.clock, world.authority.client_certificate.read_bytes(), world.config.salesforce_url
    )

    async def token(request: Request) -> Response:
        form = await _form(request)
        try:
            if request.method != "POST":
                raise OAuthError("invalid_request", "must use HTTP POST")
            session = tokens.exchange(form)
        except OAuthError as error:
            _note(world, request, "token", {"status": 400, "error": error.error, "description": error.description})
            return _oauth_answer(400, {"error": error.error, "error_description": error.description})
        _note(world, request, "token", {"status": 200, "user": session.user_id})
        return _oauth_answer(200, _granted(world, session.token, session.user_id))

    async def userinfo(request: Request) -> Response:
        return _who(world, request, transport.bearer(request.headers), "userinfo")

    async def identity(request: Request) -> Response:
        return _who(
            world, request, request.query_params.get("oauth_token") or transport.bearer(request.headers), "identity"
        )

    async def revoke(request: Request) -> Response:
        form = await _form(request)
        ended = world.org.sessions.end(form.get("token") or request.query_params.get("token", ""))
        _note(world, request, "revoke", {"status": 200 if ended else 400})
        if ended:
            return Response(status_code=200)
        return _oauth_answer(400, {"error": "invalid_token", "error_description": "invalid token"})

    return [
        Route("/services/oauth2/token", token, methods=_METHODS),
        Route("/services/oauth2/userinfo", userinfo, methods=["GET", "POST"]),
        Route("/services/oauth2/revoke", revoke, methods=["GET", "POST"]),
        Route("/id/{organization}/{user}", identity, methods=["GET", "POST"]),
    ]


async def _form(request: Request) -> dict[str, str]:
    form = await request.form()
    return {name: text for name, text in form.items() if isinstance(text, str)}


def _granted(world: World, token: str, user_id: str) -> dict[str, str]:
    return {
        "access_token": token,
        "scope": "api refresh_token",
        "instance_url": world.config.salesforce_url,
        "id": f"{world.config.salesforce_url}/id/{ORGANIZATION_ID}/{user_id}",
        "token_type": "Bearer",
    }


def _who(world: World, request: Request, token: str, operation: str) -> Response:
    session = world.org.sessions.find(token)
    user = world.org.get("User", session.user_id) if session else None
    _note(world, request, operation, {"status": 200 if user else 403})
    if user is None:
        return Response("Bad_OAuth_Token", 403)
    return _oauth_answer(200, _identity(world, user))


def _identity(world: World, user: Record) -> dict[str, Any]:
    origin = world.config.salesforce_url
    own = f"{origin}/id/{ORGANIZATION_ID}/{user['Id']}"
    return {
        "id": own,
        "sub": own,
        "user_id": user["Id"],
        "organization_id": ORGANIZATION_ID,
        "preferred_username": user["Username"],
        "username": user["Username"],
        "nickname": user["Alias"],
        "name": user["Name"],
        "email": user["Email"],
        "active": user["IsActive"],
        "urls": {
            "rest": f"{origin}/services/data/v{{version}}/",
            "query": f"{origin}/services/data/v{{version}}/query/",
            "sobjects": f"{origin}/services/data/v{{version}}/sobjects/",
        },
    }


def _oauth_answer(status: int, body: dict[str, Any]) -> Response:
    return JSONResponse(body, status, {"Cache-Control": "no-store", "Pragma": "no-cache"}, _JSON)


def _note(world: World, request: Request, operation: str, detail: dict[str, Any]) -> None:
    correlation_id = request.headers.get("x-correlation-id", "")
    world.ledger.write("salesforce", operation, correlation_id=correlation_id, detail=detail)
