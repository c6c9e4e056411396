"""Signing in to Salesforce by JWT bearer: one token for all, fetched by one at a time (salesforce-wire.md §2)."""

import fnmatch
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import jwt
import requests

from integrations.errors import Misconfigured, Unavailable
from integrations.http import Caller
from integrations.salesforce.ids import sf_id
from integrations.salesforce.oauth_errors import refusal

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_LIFE_S = 180
DEADLINE_S = 10.0
OPERATION = "token"
WRONG_ENDPOINT = "SF_TOKEN_URL does not answer like a token endpoint: check SF_TOKEN_URL and SF_LOGIN_URL."


@dataclass(frozen=True, repr=False)
class Token:
    """What every call and every stream needs. It has no repr, so that no log shows it by accident."""

    access_token: str
    instance_url: str  # origin only
    org_id: str  # 18 characters; the tenant of the Pub/Sub API


class TokenStore(Protocol):
    """Where the token is shared between processes."""

    def load(self) -> Token | None:
        """The newest token, or None when there is none that can be read."""

    def save(self, token: Token) -> None:
        """Replaces the stored token; seen by others at once."""

    def lock(self) -> AbstractContextManager[None]:
        """Held by one process at a time while it signs in. Raises Unavailable when it takes too long to get."""


@dataclass(frozen=True, repr=False)
class Login:
    """Who we are and where to say so."""

    token_url: str
    audience: str
    client_id: str
    username: str
    private_key: str  # PEM
    instance_hosts: Sequence[str]  # patterns such as *.my.salesforce.com


class TokenSource:
    """Gives the token all calls share; safe to share between threads.

    Raises, for every method: Misconfigured with one sentence that says what to do, Unavailable when Salesforce cannot
    be asked now. Repeatable. A sign-in takes at most `DEADLINE_S`, and its lock at most as long again.
    """

    def __init__(self, *, login: Login, store: TokenStore, caller: Caller) -> None:
        self._login, self._store, self._caller = login, store, caller
        self._known: Token | None = None
        self._mutex = threading.Lock()

    def token(self) -> Token:
        """A token that worked when it was last used: this process's, else the stored one, else a new one."""
        return self._known or self._renewed(stale="")

    def refresh(self, stale: str) -> Token:
        """A token other than `stale`, the access token that was refused: somebody else's newer one, else a new one."""
        known = self._known
        return known if known and known.access_token != stale else self._renewed(stale)

    def _renewed(self, stale: str) -> Token:
        with self._mutex:
            if self._known and self._known.access_token != stale:
                return self._known
            stored = self._store.load()
            renewed = stored if stored and self._usable(stored, stale) else self._signed_in_alone(stale)
            self._known = renewed
            return renewed

    def _usable(self, stored: Token, stale: str) -> bool:
        return stored.access_token != stale and self._host_allowed(stored.instance_url)

    def _signed_in_alone(self, stale: str) -> Token:
        with self._store.lock():
            stored = self._store.load()
            if stored and self._usable(stored, stale):
                return stored
            token = self._sign_in()
            self._store.save(token)
            return token

    def _sign_in(self) -> Token:
        return self._caller.call(OPERATION, self._ask, deadline_s=DEADLINE_S, repeatable=True)

    def _ask(self) -> Token:
        form = {"grant_type": GRANT_TYPE, "assertion": self._assertion()}
        response = self._caller.session().post(self._login.token_url, data=form)
        body = _object(response)
        if response.status_code == requests.codes.ok:
            return self._token_from(body)
        if response.status_code in {400, 401, 403} and "error" in body:
            raise refusal(str(body.get("error")), str(body.get("error_description", "")))
        if response.status_code in {301, 302, 303, 307, 308, 404, 405}:
            raise Misconfigured("salesforce", OPERATION, "redirect", WRONG_ENDPOINT)
        raise Unavailable("salesforce", OPERATION, f"http_{response.status_code}")

    def _assertion(self) -> str:
        claims = {
            "iss": self._login.client_id,
            "sub": self._login.username,
            "aud": self._login.audience,
            "exp": int(time.time()) + ASSERTION_LIFE_S,
        }
        return jwt.encode(claims, self._login.private_key, algorithm="RS256")

    def _token_from(self, body: dict[str, Any]) -> Token:
        access_token, instance_url = body.get("access_token"), body.get("instance_url")
        if not isinstance(access_token, str) or not isinstance(instance_url, str):
            raise Unavailable("salesforce", OPERATION, "bad_body", "the answer holds no token")
        if not self._host_allowed(instance_url):
            raise Misconfigured(
                "salesforce",
                OPERATION,
                "instance_host",
                f"The org is at {urlsplit(instance_url).hostname}, which SF_INSTANCE_HOSTS does not allow.",
            )
        return Token(access_token, instance_url.rstrip("/"), _org_id(str(body.get("id", "")), access_token))

    def _host_allowed(self, instance_url: str) -> bool:
        parts = urlsplit(instance_url)
        host = parts.hostname or ""
        origin_only = parts.scheme == "https" and parts.path in {"", "/"} and "@" not in parts.netloc
        return origin_only and any(fnmatch.fnmatchcase(host, pattern) for pattern in self._login.instance_hosts)


def _object(response: requests.Response) -> dict[str, Any]:
    """The answer as a JSON object; an HTML page or anything else counts as empty."""
    try:
        body = response.json()
    except requests.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _org_id(identity_url: str, access_token: str) -> str:
    """From the last segment but one of the identity URL, else from what the token begins with."""
    segments = identity_url.rstrip("/").split("/")
    for candidate in (segments[-2] if len(segments) > 1 else "", access_token.partition("!")[0]):
        try:
            return sf_id(candidate, "00D")
        except ValueError:
            continue
    raise Unavailable("salesforce", OPERATION, "bad_body", "the answer does not say which org it is")
