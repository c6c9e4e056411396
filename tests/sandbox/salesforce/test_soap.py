"""SOAP login for old clients: what it answers, in which order, and how it refuses."""

from datetime import timedelta
from html import escape
from xml.etree import ElementTree

import pytest

from sandbox.salesforce.logins import PASSWORD, SECURITY_TOKEN
from sandbox.salesforce.org import ORGANIZATION_ID
from sandbox.salesforce.seed import AGENT_USERNAME, INTEGRATION_USERNAME
from tests.sandbox.salesforce.conftest import Api
from tests.sandbox.whmcs.asgi import Reply, send

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:urn="{namespace}"><e:Header><urn:CallOptions><urn:client>test</urn:client></urn:CallOptions></e:Header>'
    "<e:Body><urn:{operation}><urn:username>{username}</urn:username><urn:password>{password}</urn:password>"
    "</urn:{operation}></e:Body></e:Envelope>"
)


def login(
    api: Api,
    *,
    username: str = AGENT_USERNAME,
    password: str = PASSWORD,
    path: str = "u/57.0/",
    namespace: str = "urn:partner.soap.sforce.com",
    operation: str = "login",
) -> Reply:
    content = ENVELOPE.format(
        namespace=namespace, operation=operation, username=escape(username), password=escape(password)
    )
    return raw(api, content.encode(), path)


def raw(api: Api, content: bytes, path: str = "u/57.0/", **headers: str) -> Reply:
    sent = {"content-type": "text/xml", "soapaction": "login", **headers}
    return send(api.app, "POST", f"/services/Soap/{path}", headers=sent, chunks=[content[:50], content[50:]])


def test_elements_stand_where_old_clients_look_for_them(api: Api) -> None:
    """By position, as the platform's own Python sample does."""
    reply = login(api)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/xml;charset=UTF-8")
    (body,) = ElementTree.fromstring(reply.text)
    result = body[0][0]
    assert body.tag == f"{SOAP}Body"
    assert result[3].text == f"https://localhost:8443/services/Soap/u/57.0/{ORGANIZATION_ID[:15]}"
    assert result[6][8].text == ORGANIZATION_ID
    names = [each.tag.removeprefix("{urn:partner.soap.sforce.com}") for each in result]
    assert names == [
        "metadataServerUrl", "passwordExpired", "sandbox", "serverUrl", "sessionId", "userId", "userInfo",
    ]  # fmt: skip
    assert result[6][2].attrib == {"{http://www.w3.org/2001/XMLSchema-instance}nil": "true"}


def test_its_session_is_one_of_the_rest_api(api: Api) -> None:
    (body,) = ElementTree.fromstring(login(api).text)
    api.token = str(body[0][0][4].text)
    assert api("GET", "/services/oauth2/userinfo").json()["preferred_username"] == AGENT_USERNAME
    assert api("GET", "limits").status == 200


@pytest.mark.parametrize(
    ("path", "namespace"),
    [
        ("u/31.0", "urn:partner.soap.sforce.com"),
        ("u/64.0/00D5j0000000001", "urn:partner.soap.sforce.com"),
        ("c/59.0", "urn:enterprise.soap.sforce.com"),
    ],
)
def test_both_apis_in_every_version_that_has_login(api: Api, path: str, namespace: str) -> None:
    reply = login(api, path=path, namespace=namespace, password=PASSWORD + SECURITY_TOKEN)
    assert reply.status == 200
    (body,) = ElementTree.fromstring(reply.text)
    assert body[0].tag == f"{{{namespace}}}loginResponse"


INVALID = "Invalid username, password, security token; or user locked out."


@pytest.mark.parametrize(
    ("username", "password"),
    [
        (AGENT_USERNAME, "guess"),
        (AGENT_USERNAME, ""),
        ("nobody@example.com", PASSWORD),
        ("left.last.year@sonixnet.example", PASSWORD),
        ("", ""),
        ("<&>'\"", "\u3042"),
    ],
)
def test_a_wrong_login_is_one_fault_whatever_is_wrong(api: Api, username: str, password: str) -> None:
    reply = login(api, username=username, password=password)
    assert reply.status == 500
    assert "<faultcode>sf:INVALID_LOGIN</faultcode>" in reply.text
    assert f"<faultstring>INVALID_LOGIN: {INVALID}</faultstring>" in reply.text
    assert '<sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>' in reply.text
    assert f"<sf:exceptionMessage>{INVALID}</sf:exceptionMessage>" in reply.text


def test_many_wrong_logins_lock_the_user(api: Api) -> None:
    for _ in range(10):
        login(api, password="guess")
    assert "INVALID_LOGIN" in login(api).text
    assert login(api, username=INTEGRATION_USERNAME).status == 200
    api.world.clock.advance(timedelta(minutes=15))
    assert login(api).status == 200


GONE = "No operation available for request {{urn:partner.soap.sforce.com}}{}, please check the WSDL for the service."
OTHERS = [
    ({"path": "u/65.0"}, GONE.format("login")),
    ({"path": "u/68.0"}, GONE.format("login")),
    ({"operation": "query"}, GONE.format("query")),
    ({"path": "c/59.0"}, GONE.format("login")),
    ({"path": "u/30.0"}, "UNSUPPORTED_API_VERSION: Invalid Api version specified on URL"),
    ({"path": "u/v57.0"}, "UNSUPPORTED_API_VERSION: Invalid Api version specified on URL"),
    ({"path": "u/69.0"}, "UNSUPPORTED_API_VERSION: Invalid Api version specified on URL"),
]


@pytest.mark.parametrize(("given", "words"), OTHERS)
def test_what_is_not_there(api: Api, given: dict[str, str], words: str) -> None:
    reply = login(api, **given)
    assert reply.status == 500
    assert words in reply.text


BOMB = (
    '<!DOCTYPE e [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><login>&b;</login></e:Body></e:Envelope>'
)
LETTER = '<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/hostname">]><e>&x;</e>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no element found"),
        ("login please", "syntax error"),
        (BOMB, "DOCTYPE is not allowed"),
        (LETTER, "DOCTYPE is not allowed"),
        ("<a>" * 60, "nested too deeply"),
        ("<login/>", "There is no operation"),
        (f"<login>{' ' * 1024 * 1024}</login>", "too large"),
    ],
)
def test_what_is_no_envelope(api: Api, content: str, words: str) -> None:
    reply = raw(api, content.encode())
    assert reply.status == 500
    assert "<faultcode>soapenv:Client</faultcode>" in reply.text
    assert words in reply.text


def test_the_action_header_is_asked_for(api: Api) -> None:
    reply = send(api.app, "POST", "/services/Soap/u/57.0", headers={"content-type": "text/xml"}, chunks=[b"<a/>"])
    assert "<faultstring>SOAPAction HTTP header missing</faultstring>" in reply.text


def test_the_ledger_knows_who_and_no_secret(api: Api) -> None:
    login(api)
    login(api, password="guess")
    good, bad = api.world.ledger.read("salesforce", "soap.login")
    assert good.detail == {"status": 200, "user": api.world.org.user_named(AGENT_USERNAME)}
    assert bad.detail == {"status": 500, "errors": ["INVALID_LOGIN"]}
