"""Assertions of the JWT bearer flow: signed by the client app's key, for this org, and not for long."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import Options

from sandbox.clock import Clock
from sandbox.salesforce.oauth.client import CLIENT_ID
from sandbox.salesforce.oauth.errors import OAuthError

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


@dataclass(frozen=True)
class Assertion:
    """The claims of a signed assertion."""

    subject: str
    audience: Any
    expires: Any


class Assertions:
    """Checks assertions against the client app's certificate."""

    def __init__(self, clock: Clock, certificate: bytes, origin: str) -> None:
        """`certificate` is a PEM text; `origin` the org's own URL, which is an audience too."""
        self._clock = clock
        self._audiences = AUDIENCES | {origin}
        key = x509.load_pem_x509_certificate(certificate).public_key()
        if not isinstance(key, RSAPublicKey):
            raise TypeError("the client's certificate must hold an RSA key")
        self._key = key

    def subject(self, token: str) -> str:
        """The username the assertion speaks for. Raises OAuthError."""
        assertion = self._verified(token)
        self._check_expiry(assertion.expires)
        if not isinstance(assertion.audience, str) or assertion.audience not in self._audiences:
            raise OAuthError("invalid_grant", "audience is invalid")
        return assertion.subject

    def _verified(self, token: str) -> Assertion:
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
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
        except (TypeError, ValueError, OverflowError) as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        if not now < seconds <= now + (_FURTHEST_EXPIRY + _SKEW).total_seconds():
            raise OAuthError("invalid_grant", "invalid assertion")
