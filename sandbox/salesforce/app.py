"""The org over HTTP: token endpoint, identity, and the REST API under `/services/data/`."""

import base64
import json
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.oauth import OAuthError, Tokens
from sandbox.salesforce.org import ORGANIZATION_ID
from sandbox.salesforce.rest.calls import Answer, Call, parse_address
from sandbox.salesforce.rest.describing import versions
from sandbox.salesforce.rest.service import DAILY_REQUESTS, Service
from sandbox.store import Record
from sandbox.world import World

LONGEST_ADDRESS = 16_384
_METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
_JSON = "application/json;charset=UTF-8"


def app(world: World) -> Starlette:
    """The application that listens as the org."""
    return Starlette(routes=[*_oauth_routes(world), *_rest_routes(world)])


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
        return _who(world, request, _bearer(request), "userinfo")

    async def identity(request: Request) -> Response:
        return _who(world, request, request.query_params.get("oauth_token") or _bearer(request), "identity")

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


def _rest_routes(world: World) -> list[Route]:
    service = Service(world.org, world.schemas, world.ledger)

    async def data(request: Request) -> Response:
        return JSONResponse(versions(), media_type=_JSON)

    async def rest(request: Request) -> Response:
        try:
            call = await _call(world, request)
        except ApiError as error:
            return _http(Answer(error.status, error.body()), service)
        return _http(service.answer(call), service)

    return [
        Route("/services/data", data, methods=["GET"]),
        Route("/services/data/", data, methods=["GET"]),
        Route("/services/data/{rest:path}", rest, methods=_METHODS),
    ]


async def _call(world: World, request: Request) -> Call:
    session = world.org.sessions.find(_bearer(request))
    if session is None:
        raise ApiError("INVALID_SESSION_ID", "Session expired or invalid")
    url = request.scope["raw_path"].decode("ascii") + "?" + request.scope["query_string"].decode("ascii")
    if len(url) > LONGEST_ADDRESS:
        raise ApiError("URI_TOO_LONG", "Request URI is too long")
    address = parse_address(url)
    if address is None:
        raise not_found()
    return Call(
        method=request.method,
        version=address.version,
        segments=address.segments,
        params=address.params,
        headers={name.lower(): text for name, text in request.headers.items()},
        body=await _body(request),
        user_id=session.user_id,
    )


async def _body(request: Request) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _multipart(request)
    content = await request.body()
    if not content or request.method in ("GET", "HEAD", "DELETE"):
        return None
    if kind != "application/json":
        message = f"Content type not supported: {kind or 'none'}"
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", message)
    try:
        return json.loads(content)
    except ValueError as error:
        raise ApiError("JSON_PARSER_ERROR", f"Unexpected character in the request body: {error}") from error


async def _multipart(request: Request) -> dict[str, Any]:
    """A record with its bytes: the part with JSON, and one file named like the field it is for (section 3.9)."""
    async with request.form() as form:
        try:
            record = json.loads(await _part(form.get("entity_content")))
        except ValueError as error:
            raise ApiError("JSON_PARSER_ERROR", "The part entity_content is not JSON") from error
        for name, part in form.items():
            if name != "entity_content" and isinstance(part, UploadFile):
                record[name] = base64.b64encode(await part.read()).decode("ascii")
    return dict(record)


async def _part(part: UploadFile | str | None) -> bytes:
    if isinstance(part, UploadFile):
        return await part.read()
    return (part or "").encode()


def _http(answer: Answer, service: Service) -> Response:
    headers = {**answer.headers, "Sforce-Limit-Info": f"api-usage={service.used}/{DAILY_REQUESTS}"}
    if answer.content is not None:
        return Response(answer.content, answer.status, headers, "application/octet-stream")
    if answer.body is None:
        return Response(None, answer.status, headers)
    content = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
    return Response(content, answer.status, {**headers, "Content-Type": _JSON})


async def _form(request: Request) -> dict[str, str]:
    form = await request.form()
    return {name: text for name, text in form.items() if isinstance(text, str)}


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() in ("bearer", "oauth") else ""


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
