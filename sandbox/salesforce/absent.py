"""APIs that this org has not, each with its own words for that: the Bulk API, and addresses of Apex classes."""

from html import escape

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.rest.transport import bearer
from sandbox.world import World

_METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
_JSON = "application/json;charset=UTF-8"


def routes(world: World) -> list[Route]:
    """What stands beside `/services/data`."""

    async def bulk(request: Request) -> Response:
        known = world.org.sessions.find(request.headers.get("x-sfdc-session", "")) is not None
        code = "FeatureNotEnabled" if known else "InvalidSessionId"
        world.ledger.write("salesforce", "bulk", detail={"status": 400, "errors": [code]})
        return _bulk_error(request, code, "Async Api not enabled" if known else "Unable to find session id")

    async def apex(request: Request) -> Response:
        known = world.org.sessions.find(bearer(request.headers)) is not None
        error = ApiError("INVALID_SESSION_ID", "Session expired or invalid")
        if known:
            error = ApiError("NOT_FOUND", "Could not find a match for URL")
        world.ledger.write("salesforce", "apexrest", detail={"status": error.status, "errors": [error.code]})
        return JSONResponse(error.body(), error.status, media_type=_JSON)

    return [
        Route("/services/async/{below:path}", bulk, name="bulk", methods=_METHODS),
        Route("/services/apexrest/{below:path}", apex, name="apexrest", methods=_METHODS),
    ]


def _bulk_error(request: Request, code: str, message: str) -> Response:
    """The error in the format that the request is written in: JSON, else XML."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return JSONResponse({"exceptionCode": code, "exceptionMessage": message}, 400, media_type=_JSON)
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload">'
        f"<exceptionCode>{escape(code)}</exceptionCode><exceptionMessage>{escape(message)}</exceptionMessage></error>"
    )
    return Response(content, 400, media_type="application/xml")
