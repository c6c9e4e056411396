"""The provider's HTTP API. Everything that changes something answers 202 with a ticket: accepted is not done."""

import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from sandbox.esim import numbers
from sandbox.esim.catalogue import PACKAGES, PLANS
from sandbox.esim.provider import Provider
from sandbox.esim.records import Ticket
from sandbox.esim.refusals import Refused
from sandbox.esim.requests import check
from sandbox.faults.rules import Offer
from sandbox.faults.wire import Misbehaving
from sandbox.world import World

LARGEST_BODY = 64 * 1024
CORRELATION_HEADER = "X-Correlation-ID"
Answer = tuple[int, dict[str, Any]]
Handler = Callable[[Provider, Request], Awaitable[Answer]]


def app(world: World) -> Starlette:
    """The application that listens as the provider."""
    provider = world.esim

    def route(path: str, method: str, operation: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                _admit(provider, request)
                status, body = await handler(provider, request)
            except Refused as refusal:
                _note(provider, request, operation, refusal)
                return _refusal(refusal)
            return JSONResponse(body, status)

        return Route(path, endpoint, methods=[method], name=operation)

    routes = [route(path, method, operation, handler) for operation, (method, path, handler) in OPERATIONS.items()]

    async def offer(request: Request) -> Offer:
        """The call as rules about faults see it."""
        correlation_id = request.headers.get(CORRELATION_HEADER, "")
        for each in routes:
            match, found = each.matches(request.scope)
            if match == Match.FULL:
                keys = frozenset(found["path_params"].values())
                return Offer("esim", each.name, keys, correlation_id, (await request.body()).decode(errors="replace"))
        return Offer("esim", "unknown", correlation_id=correlation_id)

    return Starlette(
        routes=routes,
        middleware=[Middleware(Misbehaving, faults=world.faults, system="esim", namer=offer)],
        exception_handlers={HTTPException: _http_error},
    )


async def _capabilities(provider: Provider, _request: Request) -> Answer:
    return 200, {"name": "eSIM sandbox", "capabilities": sorted(provider.settings.capabilities)}


async def _plans(_provider: Provider, _request: Request) -> Answer:
    return 200, {"plans": [{"code": p.code, "name": p.name, "bytes_total": p.bytes_total} for p in PLANS.values()]}


async def _packages(_provider: Provider, _request: Request) -> Answer:
    packages = [
        {"code": p.code, "name": p.name, "bytes_added": p.bytes_added, "price_jpy": p.price_jpy}
        for p in PACKAGES.values()
    ]
    return 200, {"packages": packages}


async def _validate(provider: Provider, request: Request) -> Answer:
    asked = await _asked(request)
    check(provider, "activate", asked)
    return 200, {"valid": True, "plan": asked["plan"], "price_jpy": 0}


def _changing(kind: str) -> Handler:
    async def handler(provider: Provider, request: Request) -> Answer:
        key = request.headers.get("idempotency-key", "")
        if not key or len(key) > 100:
            raise Refused("MISSING_FIELD", "the header Idempotency-Key is required, at most 100 characters")
        asked = await _asked(request)
        if "line_ref" in request.path_params:
            asked["line_ref"] = request.path_params["line_ref"]
        ticket = provider.accept(kind, key, asked, request.headers.get(CORRELATION_HEADER, ""))
        return 202, _ticket(ticket)

    return handler


async def _one_ticket(provider: Provider, request: Request) -> Answer:
    return 200, _ticket(provider.ticket(request.path_params["ticket"]))


async def _tickets(provider: Provider, request: Request) -> Answer:
    key = request.query_params.get("idempotency_key", "")
    if not key:
        raise Refused("MISSING_FIELD", "idempotency_key is required")
    return 200, {"tickets": [_ticket(ticket) for ticket in provider.tickets_for(key)]}


async def _line(provider: Provider, request: Request) -> Answer:
    line = provider.line(request.path_params["line_ref"])
    facts = ("line_ref", "order_ref", "status", "plan", "msisdn", "iccid", "eid", "profile")
    return 200, {name: getattr(line, name) for name in facts}


async def _install_data(provider: Provider, request: Request) -> Answer:
    line = provider.line(request.path_params["line_ref"])
    if line.profile == "none" or line.ready_at > provider.stamp():
        raise Refused("ESIM_NOT_READY", "the install data is not there yet")
    code = numbers.activation_code(line.id, line.issue)
    _, address, matching_id = code.split("$")
    return 200, {"activation_code": code, "smdp_address": address, "matching_id": matching_id, "iccid": line.iccid}


async def _usage(provider: Provider, request: Request) -> Answer:
    if "usage" not in provider.settings.capabilities:
        raise Refused("NOT_SUPPORTED", "this provider does not report usage")
    line = provider.line(request.path_params["line_ref"])
    measured = provider.now() - timedelta(seconds=provider.settings.usage_lag_s)
    _check_since(request.query_params.get("since", ""))
    return 200, {
        "bytes_total": line.bytes_total,
        "bytes_used": line.bytes_used,
        "valid_until": line.valid_until,
        "measured_at": measured.isoformat(),
    }


def _check_since(text: str) -> None:
    try:
        if text and datetime.fromisoformat(text).tzinfo is None:
            raise ValueError
    except ValueError as error:
        raise Refused("INVALID_FIELD", "since is ISO 8601 with a time zone") from error


LINE = "/v1/lines/{line_ref}"
OPERATIONS: dict[str, tuple[str, str, Handler]] = {
    "capabilities": ("GET", "/v1/capabilities", _capabilities),
    "plans": ("GET", "/v1/plans", _plans),
    "packages": ("GET", "/v1/packages", _packages),
    "validate": ("POST", "/v1/activations/validate", _validate),
    "activate": ("POST", "/v1/activations", _changing("activate")),
    "reissue": ("POST", f"{LINE}/reissue", _changing("reissue")),
    "topup": ("POST", f"{LINE}/topups", _changing("topup")),
    "change_plan": ("POST", f"{LINE}/plan", _changing("change_plan")),
    "suspend": ("POST", f"{LINE}/suspend", _changing("suspend")),
    "resume": ("POST", f"{LINE}/resume", _changing("resume")),
    "terminate": ("POST", f"{LINE}/terminate", _changing("terminate")),
    "tickets": ("GET", "/v1/tickets", _tickets),
    "ticket": ("GET", "/v1/tickets/{ticket}", _one_ticket),
    "line": ("GET", LINE, _line),
    "install_data": ("GET", f"{LINE}/install-data", _install_data),
    "usage": ("GET", f"{LINE}/usage", _usage),
}


def _admit(provider: Provider, request: Request) -> None:
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not hmac.compare_digest(key.strip().encode(), provider.settings.api_key.encode()):
        raise Refused("UNAUTHORIZED", "the API key is missing or wrong")
    if provider.is_closed():
        raise Refused("MAINTENANCE", "closed for the daily maintenance")


async def _asked(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused("UNSUPPORTED_MEDIA_TYPE", "send application/json")
    body = await request.body()
    if len(body) > LARGEST_BODY:
        raise Refused("PAYLOAD_TOO_LARGE", f"a body has at most {LARGEST_BODY} bytes")
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused("INVALID_JSON", "the body is not JSON") from error
    if not isinstance(sent, dict) or not all(isinstance(value, str) for value in sent.values()):
        raise Refused("INVALID_JSON", "the body is an object of texts")
    return sent


def _ticket(ticket: Ticket) -> dict[str, Any]:
    shown: dict[str, Any] = {"ticket": ticket.ref, "kind": ticket.kind, "line_ref": ticket.line_ref}
    shown |= {"state": ticket.state, "created": ticket.created, "ended": ticket.ended or None}
    if ticket.state == "failed":
        shown["error"] = {"code": ticket.code, "message": ticket.text, "retryable": ticket.retryable}
    return shown


def _note(provider: Provider, request: Request, operation: str, refusal: Refused) -> None:
    provider.ledger.write(
        "esim",
        f"{operation}.refused",
        correlation_id=request.headers.get(CORRELATION_HEADER, ""),
        detail={"code": refusal.code},
    )


def _refusal(refusal: Refused) -> Response:
    return JSONResponse({"error": {"code": refusal.code, "message": refusal.text}}, refusal.status)


async def _http_error(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(status, "ERROR")
    return _refusal(Refused(code, "there is nothing at this address" if status == 404 else "not with this method"))
