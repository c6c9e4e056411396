"""The token endpoint: who gets a token, for how long, and the exact words for everybody else."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.salesforce.oauth import CLIENT_ID, GRANT_TYPE
from sandbox.salesforce.org import ORGANIZATION_ID
from sandbox.salesforce.seed import INTEGRATION_USERNAME
from sandbox.world import World
from tests.sandbox.salesforce.conftest import Api
from tests.sandbox.whmcs.asgi import Reply, send

TOKEN = "/services/oauth2/token"
Sign = Callable[..., str]


@pytest.fixture
def sign(world: World) -> Sign:
    """An assertion as the portal signs it, with claims replaced; a claim of None is left out."""

    def signed(key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
        usual = {
            "iss": CLIENT_ID,
            "sub": INTEGRATION_USERNAME,
            "aud": "https://login.salesforce.com",
            "exp": int(time.time()) + 180,
        }
        body = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(body, key or world.authority.client_key.read_bytes(), algorithm)

    return signed


def post(api: Api, *, method: str = "POST", **form: str) -> Reply:
    """The form in two pieces, as a client with chunked transfer sends it."""
    body = urlencode(form).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return send(api.app, method, TOKEN, headers=headers, chunks=[body[:20], body[20:]])


def grant(api: Api, assertion: str) -> dict[str, Any]:
    reply = post(api, grant_type=GRANT_TYPE, assertion=assertion)
    assert reply.status == 200, reply.text
    return dict(reply.json())


AUDIENCES = ["https://login.salesforce.com", "https://test.salesforce.com", "https://localhost:8443"]


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_token_is_granted(api: Api, sign: Sign, audience: str) -> None:
    granted = grant(api, sign(aud=audience))
    user = api.world.org.user_named(INTEGRATION_USERNAME)
    assert granted["access_token"].startswith(ORGANIZATION_ID[:15] + "!")
    assert granted["instance_url"] == "https://localhost:8443"
    assert granted["id"].endswith(f"/id/{ORGANIZATION_ID}/{user}")
    assert granted["token_type"] == "Bearer"
    assert not {"refresh_token", "expires_in"} & granted.keys()
    api.token = granted["access_token"]
    assert api("GET", "limits").status == 200


def test_an_expiry_that_is_a_string_is_fine(api: Api, sign: Sign) -> None:
    grant(api, sign(exp=str(int(time.time()) + 180)))


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"iss": "somebody else"}, "invalid_client_id", "client identifier invalid"),
    ({"iss": None}, "invalid_client_id", "client identifier invalid"),
    ({"aud": "https://example.com"}, "invalid_grant", "audience is invalid"),
    ({"aud": None}, "invalid_grant", "audience is invalid"),
    ({"exp": int(time.time()) - 1}, "invalid_grant", "invalid assertion"),
    ({"exp": int(time.time()) + 3600}, "invalid_grant", "invalid assertion"),
    ({"exp": None}, "invalid_grant", "invalid assertion"),
    ({"exp": "soon"}, "invalid_grant", "invalid assertion"),
    ({"sub": "nobody@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
    ({"sub": "carol.suzuki@sonixnet.example"}, "invalid_grant", "user hasn't approved this consumer"),
    ({"sub": "left.last.year@sonixnet.example"}, "invalid_grant", "inactive user"),
    ({"key": "x" * 64, "algorithm": "HS256"}, "invalid_grant", "invalid assertion"),
]


@pytest.mark.parametrize(("claims", "error", "description"), REFUSED)
def test_refused_assertions(api: Api, sign: Sign, claims: dict[str, Any], error: str, description: str) -> None:
    reply = post(api, grant_type=GRANT_TYPE, assertion=sign(**claims))
    assert (reply.status, reply.json()) == (400, {"error": error, "error_description": description})
    assert reply.headers["cache-control"] == "no-store"


def test_another_key_is_refused(api: Api, sign: Sign) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    reply = post(api, grant_type=GRANT_TYPE, assertion=sign(stranger))
    assert reply.json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


FORMS: list[tuple[dict[str, str], str, str]] = [
    ({}, "unsupported_grant_type", "grant type not supported"),
    ({"grant_type": "password"}, "unsupported_grant_type", "grant type not supported"),
    ({"grant_type": GRANT_TYPE}, "invalid_request", "missing required parameter: assertion"),
    ({"grant_type": GRANT_TYPE, "assertion": "a.b.c"}, "invalid_grant", "invalid assertion"),
    ({"grant_type": GRANT_TYPE, "assertion": "x", "scope": "api"}, "invalid_request", "scope parameter not supported"),
    ({"method": "GET"}, "invalid_request", "must use HTTP POST"),
]


@pytest.mark.parametrize(("form", "error", "description"), FORMS)
def test_refused_forms(api: Api, form: dict[str, str], error: str, description: str) -> None:
    reply = post(api, **form)
    assert (reply.status, reply.json()) == (400, {"error": error, "error_description": description})


def test_the_same_token_while_the_session_lives_and_none_after_it(api: Api, sign: Sign) -> None:
    first = grant(api, sign())["access_token"]
    assert grant(api, sign())["access_token"] == first
    api.token = first
    api.world.clock.advance(timedelta(minutes=119))
    assert api("GET", "limits").status == 200
    api.world.clock.advance(timedelta(minutes=119))
    assert api("GET", "limits").status == 200, "two hours count from the last use"
    api.world.clock.advance(timedelta(minutes=121))
    dead = api("GET", "limits")
    assert dead.status == 401
    assert dead.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert grant(api, sign())["access_token"] != first


def test_who_am_i(api: Api) -> None:
    info = api("GET", "/services/oauth2/userinfo").json()
    assert info["organization_id"] == ORGANIZATION_ID
    assert info["preferred_username"] == INTEGRATION_USERNAME
    path = info["id"].removeprefix("https://localhost:8443")
    by_parameter = api("GET", f"{path}?format=json&oauth_token={api.token}", headers={"authorization": ""})
    assert by_parameter.json() == info
    assert api("GET", "/services/oauth2/userinfo", headers={"authorization": "Bearer no"}).status == 403


def test_revoking_ends_the_session(api: Api) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    body = [urlencode({"token": api.token}).encode()]
    assert send(api.app, "POST", "/services/oauth2/revoke", headers=form, chunks=body).status == 200
    assert api("GET", "limits").status == 401
    assert send(api.app, "POST", "/services/oauth2/revoke", headers=form, chunks=body).status == 400


def test_every_exchange_is_in_the_ledger(api: Api, sign: Sign) -> None:
    grant(api, sign())
    post(api, grant_type=GRANT_TYPE, assertion="a.b.c")
    good, bad = api.world.ledger.read("salesforce", "token")
    assert (good.detail["status"], bad.detail["status"]) == (200, 400)
    assert api.token not in json.dumps([good.detail, bad.detail])
