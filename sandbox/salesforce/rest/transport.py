"""HTTP around the REST API: from a request to a call, from an answer to a response (salesforce-wire.md, section 3)."""

import json
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.rest import bodies, versions
from sandbox.salesforce.rest.calls import Answer, Call, parse_address
from sandbox.salesforce.rest.service import Service
from sandbox.world import World

LONGEST_ADDRESS = 16_384
_JSON = "application/json;charset=UTF-8"
_XML = {"application/xml", "text/xml"}


def routes(world: World, service: Service) -> list[Route]:
    """Everything under `/services/data`, with the session of each request checked."""
    endpoint = _Endpoint(world, service)
    return [
        Route("/services/data", _versions, methods=["GET"], name="versions"),
        Route("/services/data/", _versions, methods=["GET"], name="versions"),
        Route("/services/data/{rest:path}", endpoint),
    ]


def bearer(headers: Headers) -> str:
    """The access token of the Authorization header, empty when there is none."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() in ("bearer", "oauth") else ""


async def unexpected(_: Request, error: Exception) -> Response:
    """The answer where the sandbox itself is wrong; the error goes on to the server's log."""
    message = f"An unexpected error occurred. Please include this ErrorId if you contact support: {id(error)}"
    return JSONResponse([{"message": message, "errorCode": "UNKNOWN_EXCEPTION"}], 500, media_type=_JSON)


async def _versions(_: Request) -> Response:
    """The one resource that needs no session and counts against no limit."""
    return JSONResponse(versions.every(), media_type=_JSON)


class _Endpoint:
    """An application of its own rather than a function, so that methods HTTP does not know are answered here too."""

    def __init__(self, world: World, service: Service) -> None:
        self._world = world
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = self._respond(request.method, await self._answer(request))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Answer:
        try:
            call = await self._call(request)
        except ApiError as error:
            return Answer(error.status, error.body())
        return self._service.answer(call)

    async def _call(self, request: Request) -> Call:
        session = self._world.org.sessions.find(bearer(request.headers))
        if session is None:
            raise ApiError("INVALID_SESSION_ID", "Session expired or invalid")
        url = request.scope["raw_path"].decode("latin-1") + "?" + request.scope["query_string"].decode("latin-1")
        if len(url) > LONGEST_ADDRESS:
            raise ApiError("URI_TOO_LONG", "Request URI is too long")
        address = parse_address(url)
        if address is None:
            raise versions.absent(request.path_params["rest"])
        _refuse_xml(request.headers, address.segments)
        return Call(
            method=_method(request, address.params),
            version=address.version,
            segments=address.segments,
            params=address.params,
            headers={name.lower(): text for name, text in request.headers.items()},
            body=await bodies.read(request),
            user_id=session.user_id,
        )

    def _respond(self, method: str, answer: Answer) -> Response:
        headers = {
            **answer.headers,
            "Sforce-Limit-Info": self._service.limits.usage,
            "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
        }
        if answer.content is not None:
            headers.setdefault("Content-Type", "application/octet-stream")
            return _response(method, answer.content, answer.status, headers)
        if answer.body is None:
            return Response(None, answer.status, headers)
        content = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")).encode()
        return _response(method, content, answer.status, {**headers, "Content-Type": _JSON})


def _response(method: str, content: bytes, status: int, headers: Mapping[str, str]) -> Response:
    """The response; to HEAD without its content, whose length is told all the same."""
    if method == "HEAD":
        return Response(None, status, {**headers, "Content-Length": str(len(content))})
    return Response(content, status, headers)


def _method(request: Request, params: Mapping[str, str]) -> str:
    """The method; clients that cannot send PATCH send POST with `?_HttpMethod=PATCH`."""
    return params.get("_HttpMethod", "POST").upper() if request.method == "POST" else request.method


def _refuse_xml(headers: Headers, segments: tuple[str, ...]) -> None:
    """Raises ApiError for a request that takes nothing but XML: the sandbox speaks JSON."""
    ranges = {each.partition(";")[0].strip().lower() for each in headers.get("accept", "").split(",")}
    if (ranges & _XML and not ranges & {"application/json", "application/*", "*/*"}) or (
        segments and segments[-1].lower().endswith(".xml")
    ):
        raise ApiError("NOT_ACCEPTABLE", "XML is not supported; accept application/json")
