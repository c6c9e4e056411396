"""The token endpoint: who gets a token, for how long, and the exact words for everybody else."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.salesforce.logins import PASSWORD, SECURITY_TOKEN, Logins, TooOften
from sandbox.salesforce.oauth.client import CLIENT_ID, CLIENT_SECRET, signature
from sandbox.salesforce.oauth.grants import JWT_BEARER
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


def post(api: Api, form: Mapping[str, str], *, path: str = TOKEN, headers: Mapping[str, str] | None = None) -> Reply:
    """The form in two pieces, as a client with chunked transfer sends it."""
    body = urlencode(form).encode()
    sent = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
    return send(api.app, "POST", path, headers=sent, chunks=[body[:20], body[20:]])


def refused(reply: Reply, error: str, description: str) -> bool:
    """Whether the reply is this refusal, kept by nobody."""
    assert (reply.status, reply.headers["cache-control"]) == (400, "no-store")
    return bool(reply.json() == {"error": error, "error_description": description})


def grant(api: Api, assertion: str) -> dict[str, Any]:
    reply = post(api, {"grant_type": JWT_BEARER, "assertion": assertion})
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


def test_an_expiry_may_be_five_minutes_away_and_a_little(api: Api, sign: Sign) -> None:
    grant(api, sign(exp=int(time.time()) + 300))
    later = sign(exp=int(time.time()) + 360)
    assert refused(post(api, {"grant_type": JWT_BEARER, "assertion": later}), "invalid_grant", "invalid assertion")


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
    assert refused(post(api, {"grant_type": JWT_BEARER, "assertion": sign(**claims)}), error, description)


def test_another_key_is_refused(api: Api, sign: Sign) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    reply = post(api, {"grant_type": JWT_BEARER, "assertion": sign(stranger)})
    assert refused(reply, "invalid_grant", "invalid assertion")


APP = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
LOGIN = {"grant_type": "password", "username": INTEGRATION_USERNAME, "password": PASSWORD}
FORMS: list[tuple[dict[str, str], str, str]] = [
    ({}, "unsupported_grant_type", "grant type not supported"),
    ({"grant_type": "device"}, "unsupported_grant_type", "grant type not supported"),
    ({"grant_type": JWT_BEARER}, "invalid_request", "missing required parameter: assertion"),
    ({"grant_type": JWT_BEARER, "assertion": "a.b.c"}, "invalid_grant", "invalid assertion"),
    ({"grant_type": JWT_BEARER, "assertion": "x", "scope": "api"}, "invalid_request", "scope parameter not supported"),
    (LOGIN, "invalid_request", "missing required parameter: client_id"),
    ({**LOGIN, **APP, "client_id": "somebody"}, "invalid_client_id", "client identifier invalid"),
    ({**LOGIN, **APP, "client_secret": "guess"}, "invalid_client", "invalid client credentials"),
    ({**LOGIN, "client_id": CLIENT_ID}, "invalid_client", "invalid client credentials"),
    ({"grant_type": "password", "username": "x", **APP}, "invalid_request", "missing required parameter: password"),
    ({**LOGIN, **APP, "password": "guess"}, "invalid_grant", "authentication failure"),
    ({**LOGIN, **APP, "username": "nobody@example.com"}, "invalid_grant", "authentication failure"),
    ({**LOGIN, **APP, "username": "left.last.year@sonixnet.example"}, "invalid_grant", "inactive user"),
    (
        {**LOGIN, **APP, "username": "carol.suzuki@sonixnet.example"},
        "invalid_app_access",
        "user is not admin approved to access this app",
    ),
    ({"grant_type": "client_credentials", "client_id": "x"}, "invalid_client_id", "client identifier invalid"),
    (
        {"grant_type": "refresh_token", "refresh_token": "5Aep861", **APP},
        "invalid_grant",
        "expired access/refresh token",
    ),
    ({"grant_type": "refresh_token", **APP}, "invalid_request", "missing required parameter: refresh_token"),
    ({"grant_type": "authorization_code", "code": "aPrx", **APP}, "invalid_grant", "invalid authorization code"),
]


@pytest.mark.parametrize(("form", "error", "description"), FORMS)
def test_refused_forms(api: Api, form: dict[str, str], error: str, description: str) -> None:
    assert refused(post(api, form), error, description)


@pytest.mark.parametrize("name", ["token", "introspect"])
def test_only_a_post_is_answered(api: Api, name: str) -> None:
    query = urlencode({**LOGIN, **APP, "token": api.token})
    reply = api("GET", f"/services/oauth2/{name}?{query}")
    assert refused(reply, "invalid_request", "must use HTTP POST")


@pytest.mark.parametrize("password", [PASSWORD, PASSWORD + SECURITY_TOKEN])
def test_a_token_for_a_password(api: Api, password: str) -> None:
    granted = post(api, {**LOGIN, **APP, "password": password}).json()
    assert granted["signature"] == signature(granted["id"], granted["issued_at"])
    api.token = granted["access_token"]
    assert api("GET", "limits").status == 200


def basic(secret: str = CLIENT_SECRET) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{CLIENT_ID}:{secret}".encode()).decode()}


def test_a_token_for_the_clients_own_name(api: Api) -> None:
    by_header = post(api, {"grant_type": "client_credentials"}, headers=basic()).json()
    by_form = post(api, {"grant_type": "client_credentials", **APP}).json()
    assert by_form["access_token"] == by_header["access_token"]
    api.token = by_header["access_token"]
    assert api("GET", "/services/oauth2/userinfo").json()["preferred_username"] == INTEGRATION_USERNAME
    for header in (basic("guess"), {"authorization": "Basic %%%"}):
        reply = post(api, {"grant_type": "client_credentials"}, headers=header)
        assert refused(reply, "invalid_client", "invalid client credentials")
    at_login = post(api, {"grant_type": "client_credentials", **APP}, headers={"host": "login.salesforce.com"})
    assert refused(at_login, "invalid_grant", "request not supported on this domain")


def test_many_wrong_passwords_lock_a_user_for_a_while(api: Api, sign: Sign) -> None:
    wrong = {**LOGIN, **APP, "password": "guess"}
    for _ in range(10):
        assert refused(post(api, wrong), "invalid_grant", "authentication failure")
    assert refused(post(api, {**LOGIN, **APP}), "invalid_grant", "user is locked")
    assert refused(post(api, {"grant_type": JWT_BEARER, "assertion": sign()}), "invalid_grant", "user is locked")
    api.world.clock.advance(timedelta(minutes=14, seconds=30))
    assert refused(post(api, wrong), "invalid_grant", "user is locked")
    api.world.clock.advance(timedelta(seconds=30))
    assert refused(post(api, wrong), "invalid_grant", "authentication failure")
    assert post(api, {**LOGIN, **APP}).status == 200


def test_a_right_password_makes_the_wrong_ones_forgotten(api: Api) -> None:
    for _ in range(3):
        for _ in range(9):
            post(api, {**LOGIN, **APP, "password": "guess"})
        assert post(api, {**LOGIN, **APP}).status == 200


def test_a_user_signs_in_so_often_within_an_hour(api: Api) -> None:
    clock = api.world.clock
    clock.advance(timedelta(minutes=60 - clock.now().minute))
    logins = Logins(api.world.org)
    for _ in range(3_600):
        logins.by_password(INTEGRATION_USERNAME, PASSWORD)
    with pytest.raises(TooOften):
        logins.by_password(INTEGRATION_USERNAME, PASSWORD)
    clock.advance(timedelta(hours=1))
    assert logins.by_password(INTEGRATION_USERNAME, PASSWORD)


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
    assert info["user_id"] == api.world.org.user_named(INTEGRATION_USERNAME)
    assert (info["preferred_username"], info["zoneinfo"]) == (INTEGRATION_USERNAME, "Asia/Tokyo")
    assert info["utcOffset"] == 9 * 3600 * 1000


def test_the_identity_url(api: Api) -> None:
    path = api("GET", "/services/oauth2/userinfo").json()["sub"].removeprefix("https://localhost:8443")
    nobody = {"authorization": ""}
    identity = api("GET", f"{path}?format=json&oauth_token={api.token}", headers=nobody).json()
    assert identity["id"].endswith(path)
    assert (identity["username"], identity["organization_id"]) == (INTEGRATION_USERNAME, ORGANIZATION_ID)
    assert identity["urls"]["rest"] == "https://localhost:8443/services/data/v{version}/"
    xml = api("GET", f"{path}?format=xml")
    assert xml.headers["content-type"].startswith("application/xml")
    assert f"<username>{INTEGRATION_USERNAME}</username>" in xml.text
    assert '<mobile_phone xsi:nil="true"/>' in xml.text
    carol = path.removesuffix(identity["user_id"]) + api.world.org.user_named("carol.suzuki@sonixnet.example")
    assert (api("GET", carol).status, api("GET", carol).text) == (404, "Bad_Id")


def test_a_token_that_is_none(api: Api) -> None:
    for path in ("/services/oauth2/userinfo", f"/id/{ORGANIZATION_ID}/0055j0000000001AAA"):
        wrong = api("GET", path, headers={"authorization": "Bearer no"})
        missing = api("GET", path, headers={"authorization": ""})
        assert (wrong.status, wrong.text) == (403, "Bad_OAuth_Token")
        assert (missing.status, missing.text) == (403, "Missing_OAuth_Token")


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_revoking_ends_the_session(api: Api, method: str) -> None:
    def revoke() -> Reply:
        if method == "GET":
            return api("GET", f"/services/oauth2/revoke?token={api.token}", headers={"authorization": ""})
        return post(api, {"token": api.token}, path="/services/oauth2/revoke")

    assert revoke().status == 200
    assert api("GET", "limits").status == 401
    assert refused(revoke(), "invalid_token", "invalid token")


def test_introspection(api: Api, sign: Sign) -> None:
    def asked(token: str, client: Mapping[str, str] = APP) -> Reply:
        return post(api, {"token": token, **client}, path="/services/oauth2/introspect")

    token = grant(api, sign())["access_token"]
    told = asked(token).json()
    assert (told["active"], told["client_id"], told["username"]) == (True, CLIENT_ID, INTEGRATION_USERNAME)
    assert (told["token_type"], told["exp"] - told["iat"]) == ("access_token", 7200)
    assert asked("nothing").json() == asked(api.token).json() == {"active": False}, "the other one is no client's"
    api.world.clock.advance(timedelta(minutes=119))
    assert asked(token).json() == told, "to ask is not to use"
    api.world.clock.advance(timedelta(minutes=1))
    assert asked(token).json() == {"active": False}
    assert refused(asked(token, {"client_id": CLIENT_ID}), "invalid_client", "invalid client credentials")
    assert refused(asked(""), "invalid_request", "missing required parameter: token")


def test_nobody_approves_an_app_here(api: Api) -> None:
    page = api(
        "GET", f"/services/oauth2/authorize?response_type=code&client_id={CLIENT_ID}&redirect_uri=https://x.example"
    )
    assert (page.status, page.text) == (
        400,
        "error=unsupported_response_type&error_description=response+type+not+supported",
    )
    stranger = api("GET", "/services/oauth2/authorize?response_type=code&client_id=x")
    assert stranger.text == "error=invalid_client_id&error_description=client+identifier+invalid"


def test_a_form_has_bounds(api: Api) -> None:
    assert refused(post(api, {"grant_type": "x" * 300_000}), "invalid_request", "request too large")
    many = {f"a{number}": "" for number in range(101)}
    assert refused(post(api, many), "invalid_request", "too many parameters")


def test_every_exchange_is_in_the_ledger(api: Api, sign: Sign) -> None:
    grant(api, sign())
    post(api, {**LOGIN, **APP, "password": "guess"})
    good, bad = api.world.ledger.read("salesforce", "token")
    assert (good.detail["status"], bad.detail["status"]) == (200, 400)
    assert not any(secret in json.dumps([good.detail, bad.detail]) for secret in (api.token, "guess", CLIENT_SECRET))
