"""The JWT bearer flow (salesforce-wire.md, section 2): who may have a token, and how everybody else is refused."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import Options

from sandbox.clock import Clock
from sandbox.salesforce.org import Org
from sandbox.salesforce.seed import INTEGRATION_USERNAME
from sandbox.salesforce.sessions import Session

CLIENT_ID = "3MVG9SonixNetCustomerPortal.SandboxConsumerKey"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = frozenset({"https://login.salesforce.com", "https://test.salesforce.com"})
# The platform's documents ask for three minutes and clients use up to five.
_FURTHEST_EXPIRY = timedelta(minutes=5)
_SKEW = timedelta(seconds=30)
# Only the signature is left to the library: real clients send `exp` as a string, and the platform takes it.
_SIGNATURE_ONLY: Options = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class OAuthError(Exception):
    """A refusal by the token endpoint; always HTTP 400 with these two texts."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


@dataclass(frozen=True)
class Assertion:
    """The claims of a signed assertion."""

    subject: str
    audience: Any
    expires: Any


class Tokens:
    """Exchanges assertions for access tokens."""

    def __init__(self, org: Org, clock: Clock, certificate: bytes, origin: str) -> None:
        self._org = org
        self._clock = clock
        self._audiences = AUDIENCES | {origin}
        key = x509.load_pem_x509_certificate(certificate).public_key()
        if not isinstance(key, RSAPublicKey):
            raise TypeError("the client's certificate must hold an RSA key")
        self._key = key

    def exchange(self, form: dict[str, str]) -> Session:
        """A session for the assertion in the form. Raises OAuthError."""
        if form.get("grant_type") != GRANT_TYPE:
            raise OAuthError("unsupported_grant_type", "grant type not supported")
        if "scope" in form:
            raise OAuthError("invalid_request", "scope parameter not supported")
        if not form.get("assertion"):
            raise OAuthError("invalid_request", "missing required parameter: assertion")
        assertion = self._verified(form["assertion"])
        self._check_expiry(assertion.expires)
        if assertion.audience not in self._audiences:
            raise OAuthError("invalid_grant", "audience is invalid")
        return self._org.sessions.open(self._user(assertion.subject))

    def _verified(self, token: str) -> Assertion:
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except jwt.InvalidTokenError as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        if issuer != CLIENT_ID:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        try:
            claims = jwt.decode(token, self._key, algorithms=["RS256"], options=_SIGNATURE_ONLY)
        except jwt.InvalidTokenError as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        return Assertion(str(claims.get("sub", "")), claims.get("aud"), claims.get("exp"))

    def _check_expiry(self, expires: Any) -> None:
        # Wall time: the client that signed it does not follow when this sandbox's clock is moved.
        now = self._clock.wall().timestamp()
        try:
            seconds = float(expires)
        except (TypeError, ValueError) as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        if not now < seconds <= now + (_FURTHEST_EXPIRY + _SKEW).total_seconds():
            raise OAuthError("invalid_grant", "invalid assertion")

    def _user(self, username: str) -> str:
        users = self._org.find("User", "Username", username)
        if users and not users[0]["IsActive"]:
            raise OAuthError("invalid_grant", "inactive user")
        # Only the integration user is pre-authorised for the app (salesforce-org.md, section 2).
        if not users or users[0]["Username"] != INTEGRATION_USERNAME:
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        return str(users[0]["Id"])
