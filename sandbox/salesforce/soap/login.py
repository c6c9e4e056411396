"""`login()` of the Partner and the Enterprise API. From version 65.0 on neither has it any more."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.salesforce.logins import LoginRefused, Logins, TooOften
from sandbox.salesforce.org import ORGANIZATION_ID
from sandbox.salesforce.sessions import LIFETIME
from sandbox.salesforce.soap import envelope
from sandbox.salesforce.soap.envelope import BadEnvelope, Element, Operation
from sandbox.store import Record
from sandbox.world import World

# Which versions have login() at all, and of which there is an API.
OLDEST, LAST_WITH_LOGIN, NEWEST = 31, 64, 68
_NAMES = {"u": "partner", "c": "enterprise"}
_LARGEST = 1024 * 1024
_XML = "text/xml;charset=UTF-8"


@dataclass(frozen=True)
class _Address:
    """Which API in which version."""

    letter: str
    version: str

    @property
    def namespace(self) -> str:
        return f"urn:{_NAMES[self.letter]}.soap.sforce.com"

    @property
    def faults(self) -> str:
        return f"urn:fault.{_NAMES[self.letter]}.soap.sforce.com"

    @property
    def number(self) -> int | None:
        """The version's number; None when it is none that there ever was."""
        number, _, rest = self.version.partition(".")
        known = number.isascii() and number.isdecimal() and rest in ("", "0") and len(number) < 4
        return int(number) if known and OLDEST <= int(number) <= NEWEST else None


class _Refused(Exception):
    """Answered with a fault; the note is for the ledger."""

    def __init__(self, body: bytes, note: str) -> None:
        super().__init__(note)
        self.body = body
        self.note = note


def routes(world: World, logins: Logins) -> list[Route]:
    """The addresses of both APIs, with whatever stands behind the version."""

    async def soap(request: Request) -> Response:
        address = _Address(request.path_params["letter"], request.path_params["version"])
        try:
            user = _signed_in(logins, address, await _operation(request, address))
        except _Refused as refused:
            _note(world, request, {"status": 500, "errors": [refused.note]})
            return Response(refused.body, 500, media_type=_XML)
        _note(world, request, {"status": 200, "user": user["Id"]})
        return Response(_answer(world, address, user), media_type=_XML)

    path = "/services/Soap/{letter}/{version}"
    return [Route(path + below, soap, methods=["POST"], name="soap.login") for below in ("", "/{below:path}")]


async def _operation(request: Request, address: _Address) -> Operation:
    if address.letter not in _NAMES:
        raise _client("Unknown API")
    if "soapaction" not in request.headers:
        raise _client("SOAPAction HTTP header missing")
    try:
        operation = envelope.read(await _content(request))
    except BadEnvelope as error:
        raise _client(str(error)) from error
    if address.number is None:
        raise _fault(address, "UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL", "UnexpectedErrorFault")
    there = operation.namespace == address.namespace and operation.name == "login"
    if not there or address.number > LAST_WITH_LOGIN:
        name = f"{{{operation.namespace}}}{operation.name}"
        raise _client(f"No operation available for request {name}, please check the WSDL for the service.")
    return operation


async def _content(request: Request) -> bytes:
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > _LARGEST:
            raise _client("The request is too large")
    return bytes(content)


def _signed_in(logins: Logins, address: _Address, login: Operation) -> Record:
    try:
        return logins.by_password(login.arguments.get("username", ""), login.arguments.get("password", ""))
    except TooOften as error:
        raise _fault(address, "LOGIN_RATE_EXCEEDED", "login rate exceeded", "LoginFault") from error
    except LoginRefused as error:
        message = "Invalid username, password, security token; or user locked out."
        raise _fault(address, "INVALID_LOGIN", message, "LoginFault") from error


def _client(message: str) -> _Refused:
    return _Refused(envelope.client_fault(message), message)


def _fault(address: _Address, code: str, message: str, kind: str) -> _Refused:
    return _Refused(envelope.fault(address.faults, code, message, kind), code)


def _note(world: World, request: Request, detail: dict[str, object]) -> None:
    correlation_id = request.headers.get("x-correlation-id", "")
    world.ledger.write("salesforce", "soap.login", correlation_id=correlation_id, detail=detail)


def _answer(world: World, address: _Address, user: Record) -> bytes:
    origin, short = world.config.salesforce_url, ORGANIZATION_ID[:15]
    organization = world.org.get("Organization", ORGANIZATION_ID) or {}
    session = world.org.sessions.open(str(user["Id"]))
    result: list[Element] = [
        ("metadataServerUrl", f"{origin}/services/Soap/m/{address.version}/{short}"),
        ("passwordExpired", "false"),
        ("sandbox", str(bool(organization.get("IsSandbox"))).lower()),
        ("serverUrl", f"{origin}/services/Soap/{address.letter}/{address.version}/{short}"),
        ("sessionId", session.token),
        ("userId", str(user["Id"])),
        ("userInfo", _user_info(organization, user)),
    ]
    return envelope.write(address.namespace, [("loginResponse", [("result", result)])])


def _user_info(organization: Record, user: Record) -> list[Element]:
    """In the order of the WSDL, by which some clients find them. An org of many currencies names none as its own."""
    return [
        ("accessibilityMode", "false"),
        ("chatterExternal", "false"),
        ("currencySymbol", None),
        ("orgAttachmentFileSizeLimit", "26214400"),
        ("orgDefaultCurrencyIsoCode", None),
        ("orgDefaultCurrencyLocale", None),
        ("orgDisallowHtmlAttachments", "false"),
        ("orgHasPersonAccounts", "false"),
        ("organizationId", ORGANIZATION_ID),
        ("organizationMultiCurrency", "true"),
        ("organizationName", organization.get("Name")),
        ("profileId", user.get("ProfileId")),
        ("roleId", None),
        ("sessionSecondsValid", str(int(LIFETIME.total_seconds()))),
        ("userDefaultCurrencyIsoCode", "JPY"),
        ("userEmail", user["Email"]),
        ("userFullName", user["Name"]),
        ("userId", str(user["Id"])),
        ("userLanguage", user.get("LanguageLocaleKey")),
        ("userLocale", user.get("LocaleSidKey")),
        ("userName", user["Username"]),
        ("userTimeZone", user.get("TimeZoneSidKey")),
        ("userType", user.get("UserType")),
        ("userUiSkin", "Theme3"),
    ]
