"""The OAuth endpoints over HTTP."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.salesforce.logins import Logins
from sandbox.salesforce.oauth import profile
from sandbox.salesforce.oauth.assertion import Assertions
from sandbox.salesforce.oauth.client import CLIENT_ID, SCOPE, check_client, signature
from sandbox.salesforce.oauth.errors import OAuthError
from sandbox.salesforce.oauth.grants import Granted, Grants, TokenRequest
from sandbox.salesforce.rest.transport import bearer
from sandbox.salesforce.sessions import Session
from sandbox.store import Record
from sandbox.world import World

_METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
_JSON = "application/json;charset=UTF-8"
_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_LARGEST_FORM = 256 * 1024
_MOST_FIELDS = 100


def routes(world: World, logins: Logins) -> list[Route]:
    """Token, revocation, introspection and identity; the page for people is refused."""
    endpoints = _Endpoints(world, logins)
    return [
        _route("token", endpoints.token, _METHODS),
        _route("userinfo", endpoints.userinfo, ["GET", "POST"]),
        _route("revoke", endpoints.revoke, ["GET", "POST"]),
        _route("introspect", endpoints.introspect, _METHODS),
        _route("authorize", endpoints.authorize, ["GET", "POST"]),
        Route("/id/{organization}/{user}", endpoints.identity, methods=["GET", "POST"], name="identity"),
    ]


def _route(name: str, endpoint: Any, methods: list[str]) -> Route:
    return Route(f"/services/oauth2/{name}", endpoint, methods=methods, name=name)


class _Endpoints:
    def __init__(self, world: World, logins: Logins) -> None:
        self._world = world
        self._org = world.org
        self._origin = world.config.salesforce_url
        certificate = world.authority.client_certificate.read_bytes()
        self._grants = Grants(world.org, logins, Assertions(world.clock, certificate, self._origin))

    async def token(self, request: Request) -> Response:
        """What the client has, exchanged for a session."""
        try:
            _refuse_unless_post(request)
            authorization, host = (request.headers.get(each, "") for each in ("authorization", "host"))
            granted = self._grants.exchange(TokenRequest(await _form(request), authorization, host))
        except OAuthError as error:
            return self._refuse(request, "token", error)
        self._note(request, "token", {"status": 200, "user": granted.session.user_id})
        return _answer(200, self._granted(granted))

    async def userinfo(self, request: Request) -> Response:
        """Who the bearer is."""
        user = self._bearer(request)
        self._note(request, "userinfo", {"status": 200 if user else 403})
        if user is None:
            return _no_token(request)
        return _answer(200, profile.userinfo(self._origin, user, self._world.now()))

    async def identity(self, request: Request) -> Response:
        """The same in the words of the identity URL, which stands for one user."""
        user = self._bearer(request)
        wanted = profile.identity_url(self._origin, user["Id"]) if user else ""
        ours = wanted.endswith(f"/{request.path_params['organization']}/{request.path_params['user']}")
        status = 403 if user is None else 200 if ours else 404
        self._note(request, "identity", {"status": status})
        if user is None:
            return _no_token(request)
        if not ours:
            return PlainTextResponse("Bad_Id", 404)
        body = profile.identity(self._origin, user, self._world.now())
        if request.query_params.get("format") == "xml":
            return Response(profile.as_xml(body), 200, _NOT_KEPT, "application/xml;charset=UTF-8")
        return _answer(200, body)

    async def revoke(self, request: Request) -> Response:
        """End the session of a token."""
        try:
            ended = self._org.sessions.end((await _form(request)).get("token", ""))
            if not ended:
                raise OAuthError("invalid_token", "invalid token")
        except OAuthError as error:
            return self._refuse(request, "revoke", error)
        self._note(request, "revoke", {"status": 200})
        return Response(status_code=200)

    async def introspect(self, request: Request) -> Response:
        """Whether a token of the client's is alive, and whose it is."""
        try:
            _refuse_unless_post(request)
            form = await _form(request)
            check_client(form, request.headers.get("authorization", ""))
            if not form.get("token"):
                raise OAuthError("invalid_request", "missing required parameter: token")
        except OAuthError as error:
            return self._refuse(request, "introspect", error)
        self._note(request, "introspect", {"status": 200})
        session = self._org.sessions.peek(form["token"])
        return _answer(200, {"active": False} if session is None else self._described(session))

    async def authorize(self, request: Request) -> Response:
        """Nobody can approve an app here, as the org's policy lets only its administrator do that."""
        form = {**request.query_params, **await _form(request)}
        error = {"error": "unsupported_response_type", "error_description": "response type not supported"}
        if form.get("client_id") != CLIENT_ID:
            error = {"error": "invalid_client_id", "error_description": "client identifier invalid"}
        self._note(request, "authorize", {"status": 400, "error": error["error"]})
        return PlainTextResponse(urlencode(error), 400)

    def _bearer(self, request: Request) -> Record | None:
        session = self._org.sessions.find(_token(request))
        return self._org.get("User", session.user_id) if session else None

    def _granted(self, granted: Granted) -> dict[str, str]:
        identity = profile.identity_url(self._origin, granted.session.user_id)
        body = {
            "access_token": granted.session.token,
            "scope": SCOPE,
            "instance_url": self._origin,
            "id": identity,
            "token_type": "Bearer",
        }
        if not granted.signed:
            return body
        issued_at = str(int(self._world.now().timestamp() * 1000))
        return {**body, "issued_at": issued_at, "signature": signature(identity, issued_at)}

    def _described(self, session: Session) -> dict[str, Any]:
        user = self._org.get("User", session.user_id)
        if session.client_id != CLIENT_ID or user is None:
            return {"active": False}
        issued = int(session.issued_at.timestamp())
        return {
            "active": True,
            "scope": SCOPE,
            "client_id": CLIENT_ID,
            "username": user["Username"],
            "sub": profile.identity_url(self._origin, session.user_id),
            "token_type": "access_token",
            "exp": int(session.expires_at.timestamp()),
            "iat": issued,
            "nbf": issued,
        }

    def _refuse(self, request: Request, operation: str, error: OAuthError) -> Response:
        self._note(request, operation, {"status": 400, "error": error.error, "description": error.description})
        return _answer(400, error.body())

    def _note(self, request: Request, operation: str, detail: dict[str, Any]) -> None:
        correlation_id = request.headers.get("x-correlation-id", "")
        self._world.ledger.write("salesforce", operation, correlation_id=correlation_id, detail=detail)


async def _form(request: Request) -> dict[str, str]:
    """The fields of the query string and of a form in the body. Raises OAuthError when it is too large."""
    content, size = [request.scope["query_string"]], 0
    async for piece in request.stream():
        size += len(piece)
        if size > _LARGEST_FORM:
            raise OAuthError("invalid_request", "request too large")
        content.append(piece)
    text = content[0].decode("latin-1") + "&" + b"".join(content[1:]).decode("latin-1")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise OAuthError("invalid_request", "too many parameters") from error


def _token(request: Request) -> str:
    return request.query_params.get("oauth_token") or bearer(request.headers)


def _no_token(request: Request) -> Response:
    return PlainTextResponse("Bad_OAuth_Token" if _token(request) else "Missing_OAuth_Token", 403)


def _refuse_unless_post(request: Request) -> None:
    if request.method != "POST":
        raise OAuthError("invalid_request", "must use HTTP POST")


def _answer(status: int, body: dict[str, Any]) -> Response:
    return JSONResponse(body, status, _NOT_KEPT, _JSON)
