"""The one external client app of the org, and how it proves who it is (salesforce-org.md, section 2)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from sandbox.salesforce.oauth.errors import OAuthError

CLIENT_ID = "3MVG9SonixNetCustomerPortal.SandboxConsumerKey"
# No secret to anybody: it opens a simulation, whose documents name it.
CLIENT_SECRET = "SandboxConsumerSecret"  # noqa: S105
SCOPE = "api refresh_token"


def check_client(form: Mapping[str, str], authorization: str) -> None:
    """The client's id and secret stand in the form or in a Basic header. Raises OAuthError."""
    client_id, secret = form.get("client_id"), form.get("client_secret")
    kind, _, encoded = authorization.partition(" ")
    if kind.lower() == "basic":
        client_id, secret = _basic(encoded)
    if not client_id:
        raise OAuthError("invalid_request", "missing required parameter: client_id")
    if client_id != CLIENT_ID:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if not hmac.compare_digest((secret or "").encode(), CLIENT_SECRET.encode()):
        raise OAuthError("invalid_client", "invalid client credentials")


def signature(identity: str, issued_at: str) -> str:
    """By which a client can tell that the identity URL comes from here."""
    digest = hmac.new(CLIENT_SECRET.encode(), f"{identity}{issued_at}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _basic(encoded: str) -> tuple[str, str]:
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise OAuthError("invalid_client", "invalid client credentials") from error
    return client_id, secret
