"""What is given for a token: an assertion, a password, or the client's own name (salesforce-wire.md, section 2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.salesforce.logins import Inactive, Locked, LoginRefused, Logins, TooOften, WrongPassword
from sandbox.salesforce.oauth.assertion import Assertions
from sandbox.salesforce.oauth.client import CLIENT_ID, check_client
from sandbox.salesforce.oauth.errors import OAuthError
from sandbox.salesforce.org import Org
from sandbox.salesforce.seed import INTEGRATION_USERNAME
from sandbox.salesforce.sessions import Session
from sandbox.store import Record

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# These serve every org; what only one org can answer is asked at its own address.
_LOGIN_HOSTS = ("login.salesforce.com", "test.salesforce.com")
_REFUSALS: dict[type[LoginRefused], str] = {
    WrongPassword: "authentication failure",
    Inactive: "inactive user",
    Locked: "user is locked",
    TooOften: "rate limit exceeded",
}


@dataclass(frozen=True)
class TokenRequest:
    """What was sent to the token endpoint."""

    form: Mapping[str, str]
    authorization: str
    host: str


@dataclass(frozen=True)
class Granted:
    """A session, and whether the answer is signed: that of the JWT bearer flow is not."""

    session: Session
    signed: bool


class Grants:
    """Exchanges what a client has for a session."""

    def __init__(self, org: Org, logins: Logins, assertions: Assertions) -> None:
        self._org = org
        self._logins = logins
        self._assertions = assertions
        self._flows: dict[str, Callable[[TokenRequest], Granted]] = {
            JWT_BEARER: self._by_assertion,
            "password": self._by_password,
            "client_credentials": self._by_client,
            "refresh_token": self._by_refresh_token,
            "authorization_code": self._by_code,
        }

    def exchange(self, request: TokenRequest) -> Granted:
        """A session for what the request gives. Raises OAuthError."""
        flow = self._flows.get(request.form.get("grant_type", ""))
        if flow is None:
            raise OAuthError("unsupported_grant_type", "grant type not supported")
        try:
            return flow(request)
        except LoginRefused as refusal:
            raise OAuthError("invalid_grant", _REFUSALS[type(refusal)]) from refusal

    def _by_assertion(self, request: TokenRequest) -> Granted:
        if "scope" in request.form:
            raise OAuthError("invalid_request", "scope parameter not supported")
        username = self._assertions.subject(_required(request, "assertion"))
        users = self._org.find("User", "Username", username)
        if users:
            self._logins.admit(users[0])
        # Only the integration user is pre-authorised for the app (salesforce-org.md, section 2).
        if not users or not _pre_authorised(users[0]):
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        self._logins.count(users[0])
        return self._opened(users[0], signed=False)

    def _by_password(self, request: TokenRequest) -> Granted:
        check_client(request.form, request.authorization)
        user = self._logins.by_password(_required(request, "username"), _required(request, "password"))
        if not _pre_authorised(user):
            raise OAuthError("invalid_app_access", "user is not admin approved to access this app")
        return self._opened(user, signed=True)

    def _by_client(self, request: TokenRequest) -> Granted:
        """The app's own user, whom its policies name, signs in."""
        check_client(request.form, request.authorization)
        if request.host.partition(":")[0].lower() in _LOGIN_HOSTS:
            raise OAuthError("invalid_grant", "request not supported on this domain")
        (user,) = self._org.find("User", "Username", INTEGRATION_USERNAME)
        self._logins.admit(user)
        self._logins.count(user)
        return self._opened(user, signed=True)

    def _by_refresh_token(self, request: TokenRequest) -> Granted:
        """No flow of this org gives refresh tokens, so none that is sent can be good."""
        check_client(request.form, request.authorization)
        _required(request, "refresh_token")
        raise OAuthError("invalid_grant", "expired access/refresh token")

    def _by_code(self, request: TokenRequest) -> Granted:
        """Nobody can approve the app on a page here, so there are no codes either."""
        check_client(request.form, request.authorization)
        _required(request, "code")
        raise OAuthError("invalid_grant", "invalid authorization code")

    def _opened(self, user: Record, *, signed: bool) -> Granted:
        return Granted(self._org.sessions.open(str(user["Id"]), CLIENT_ID), signed)


def _required(request: TokenRequest, name: str) -> str:
    value = request.form.get(name)
    if not value:
        raise OAuthError("invalid_request", f"missing required parameter: {name}")
    return value


def _pre_authorised(user: Record) -> bool:
    return bool(user["Username"] == INTEGRATION_USERNAME)
