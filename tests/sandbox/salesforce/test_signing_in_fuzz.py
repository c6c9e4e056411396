"""Whatever is sent to the OAuth and SOAP endpoints, the answer is one of theirs, and no session comes of it."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.salesforce.oauth.client import CLIENT_ID
from sandbox.salesforce.oauth.grants import JWT_BEARER
from sandbox.salesforce.org import ORGANIZATION_ID
from sandbox.salesforce.seed import INTEGRATION_USERNAME
from tests.sandbox.salesforce.conftest import Api
from tests.sandbox.salesforce.soql_world import opened
from tests.sandbox.whmcs.asgi import send

ERRORS = {
    "invalid_grant", "invalid_client_id", "invalid_client", "invalid_app_access", "unsupported_grant_type",
    "invalid_request", "invalid_token",
}  # fmt: skip
NAMES = [
    "grant_type", "assertion", "client_id", "client_secret", "username", "password", "refresh_token", "code", "token",
    "scope", "format", "redirect_uri", "response_type",
]  # fmt: skip
values = st.sampled_from(
    [
        JWT_BEARER,
        "password",
        "client_credentials",
        "refresh_token",
        "authorization_code",
        "a.b.c",
        CLIENT_ID,
        "e30.e30.",
    ]
) | st.text(max_size=20)
forms = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)
bodies = forms.map(lambda form: urlencode(form).encode("utf-8", "surrogatepass")) | st.binary(max_size=80)
authorizations = st.sampled_from(
    ["", "Basic", "Basic %%%", "Basic Og==", "Basic /w==", "Bearer", "Bearer x", "OAuth  "]
)
kinds = st.sampled_from(["application/x-www-form-urlencoded", "", "multipart/form-data", "application/json", "x"])
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory, key_material: Path) -> Iterator[Api]:
    with opened(tmp_path_factory.mktemp("org"), key_material) as api:
        yield api


@QUICK
@given(
    method=st.sampled_from(["POST", "POST", "POST", "GET", "PUT"]),
    path=st.sampled_from(["token", "token", "userinfo", "revoke", "introspect", "authorize", "identity"]),
    query=st.text(max_size=10) | forms.map(urlencode),
    body=bodies,
    authorization=authorizations,
    kind=kinds,
)
def test_oauth(org: Api, method: str, path: str, query: str, body: bytes, authorization: str, kind: str) -> None:
    place = f"/id/{ORGANIZATION_ID}/x" if path == "identity" else f"/services/oauth2/{path}"
    headers = {"authorization": authorization, "content-type": kind}
    url = f"{place}?{urlencode({'q': query})}&{query if query.isascii() and query.isprintable() else ''}"
    reply = send(org.app, method, url.replace("#", ""), headers=headers, chunks=[body])
    if reply.status == 400 and path != "authorize":
        assert reply.json()["error"] in ERRORS
        assert reply.json()["error_description"]
    elif path in ("userinfo", "identity"):
        assert (reply.status, reply.text) in [
            (403, "Bad_OAuth_Token"), (403, "Missing_OAuth_Token"), (405, "Method Not Allowed"),
        ]  # fmt: skip
    else:
        assert reply.status in (400, 405)
    assert "access_token" not in reply.text


@pytest.mark.parametrize(
    "assertion", ["e30." + "W" * 200_000 + ".e30", "." * 100_000, "\udcff.\u3042.x", "a" * 250_000]
)
def test_strange_assertions(org: Api, assertion: str) -> None:
    form = urlencode({"grant_type": JWT_BEARER, "assertion": assertion.encode("utf-8", "surrogatepass")}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    reply = send(org.app, "POST", "/services/oauth2/token", headers=headers, chunks=[form])
    assert (reply.status, reply.json()["error_description"]) == (400, "invalid assertion")


ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:u="urn:partner.soap.sforce.com"><e:Body>'
    f"<u:login><u:username>{INTEGRATION_USERNAME}</u:username><u:password>guess</u:password></u:login>"
    "</e:Body></e:Envelope>"
)
pieces = st.sampled_from(
    ["<", ">", "/", "&lt;", "&x;", "<![CDATA[", "]]>", "<u:login>", "<!DOCTYPE a>", "\x00", "\u3042", ""]
)


@st.composite
def envelopes(draw: st.DrawFn) -> bytes:
    """The envelope with something put in, and perhaps something left out."""
    text = ENVELOPE
    for _ in range(draw(st.integers(1, 3))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 12))
        text = text[:at] + draw(pieces) + text[at + length :]
    return text.encode()


@QUICK
@given(
    content=envelopes() | st.binary(max_size=60),
    path=st.sampled_from(["u/57.0", "u/57.0/", "c/64.0", "u/65.0", "u/0", "m/57.0", "u/%D9%A5", "u/57.0/a/b"]),
)
def test_soap(org: Api, content: bytes, path: str) -> None:
    headers = {"content-type": "text/xml", "soapaction": "login"}
    reply = send(org.app, "POST", f"/services/Soap/{path}", headers=headers, chunks=[content])
    (body,) = ElementTree.fromstring(reply.text)
    assert (reply.status, body[0].tag) == (500, "{http://schemas.xmlsoap.org/soap/envelope/}Fault")
    assert body[0].findtext("faultstring")
