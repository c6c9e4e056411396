"""Who may call, and the texts of refusal: whmcs-wire §1.1, §1.2; acceptance checks 1 and 2 of §7."""

import base64
import hashlib
from typing import Any

import pytest
from starlette.types import ASGIApp

from sandbox.people import app as people
from sandbox.whmcs.api import Call, answer
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import nest
from sandbox.world import World
from tests.sandbox.whmcs.asgi import send
from tests.sandbox.whmcs.wire import FORM, URL

MD5 = hashlib.md5(b"sandbox-admin").hexdigest()
GOOD = {"identifier": "sandbox-identifier", "secret": "sandbox-secret"}


def attempt(whmcs: Whmcs, address: str = "127.0.0.1", **form: str) -> tuple[dict[str, Any], int]:
    return answer(whmcs, Call(nest({"action": "GetCurrencies", **form}.items()), address, ""))


@pytest.mark.parametrize(
    "credentials",
    [
        GOOD,
        {"username": "sandbox-identifier", "password": "sandbox-secret"},
        {"username": "admin", "password": MD5},
    ],
)
def test_every_documented_style_of_credentials_is_accepted(whmcs: Whmcs, credentials: dict[str, str]) -> None:
    payload, status = attempt(whmcs, **credentials)
    assert (payload["result"], status) == ("success", 200)


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({}, "Authentication Failed"),
        ({"identifier": "sandbox-identifier"}, "Authentication Failed"),
        ({"identifier": "sandbox-identifier", "secret": "wrong"}, "Authentication Failed"),
        ({"identifier": "nobody", "secret": "sandbox-secret"}, "Invalid or missing credentials"),
        ({"username": "admin", "password": "sandbox-admin"}, "Authentication Failed"),
    ],
)
def test_other_credentials_are_refused_with_403(whmcs: Whmcs, credentials: dict[str, str], message: str) -> None:
    assert attempt(whmcs, **credentials) == ({"result": "error", "message": message}, 403)


def test_the_allow_list_names_the_caller_it_refuses_and_the_access_key_goes_past_it(whmcs: Whmcs) -> None:
    whmcs.configure(ip_allow_list=["192.0.2.1"])
    refusal = {"result": "error", "message": "Invalid IP 203.0.113.9"}
    assert attempt(whmcs, "203.0.113.9", **GOOD) == (refusal, 403)
    assert attempt(whmcs, "203.0.113.9", accesskey="wrong", **GOOD) == (refusal, 403)
    assert attempt(whmcs, "192.0.2.1", **GOOD)[1] == 200
    assert attempt(whmcs, "203.0.113.9", accesskey="sandbox-access-key", **GOOD)[1] == 200


@pytest.mark.parametrize(
    ("listed", "address", "shown"),
    [
        ("2001:DB8:0::1", "2001:db8::1", ""),
        ("192.0.2.1", "::ffff:192.0.2.1", ""),
        ("192.0.2.1", "2001:db8:0:0::2", "2001:db8::2"),
        ("192.0.2.1", "::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_addresses_are_compared_as_addresses(whmcs: Whmcs, listed: str, address: str, shown: str) -> None:
    whmcs.configure(ip_allow_list=[listed])
    payload, status = attempt(whmcs, address, **GOOD)
    assert (status, payload.get("message", "")) == ((403, f"Invalid IP {shown}") if shown else (200, ""))


def test_an_address_that_is_none_cannot_be_listed(whmcs: Whmcs) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        whmcs.configure(ip_allow_list=["everywhere"])


def test_a_banned_address_is_refused_even_with_the_access_key(whmcs: Whmcs) -> None:
    whmcs.configure(banned_addresses=["203.0.113.9"])
    expected = {"result": "error", "message": "Access Denied"}
    assert attempt(whmcs, "203.0.113.9", accesskey="sandbox-access-key", **GOOD) == (expected, 403)


@pytest.mark.parametrize("switch", ["admin_enabled", "admin_api_access"])
def test_credentials_are_worth_what_their_administrator_may(whmcs: Whmcs, switch: str) -> None:
    whmcs.configure(**{switch: False})
    assert attempt(whmcs, **GOOD) == ({"result": "error", "message": "Access Denied"}, 403)
    assert attempt(whmcs, username="admin", password=MD5)[1] == 403


def test_an_api_role_refuses_what_it_does_not_list(whmcs: Whmcs) -> None:
    whmcs.configure(api_role=["GetProducts"])
    payload, status = attempt(whmcs, **GOOD)
    assert status == 403
    assert payload["message"] == 'Invalid Permissions: API action "getcurrencies" is not allowed'
    assert attempt(whmcs, **GOOD, action="getproducts")[1] == 200
    assert attempt(whmcs, username="admin", password=MD5)[1] == 200, "roles bind credentials, not logins"


def test_any_one_role_of_a_credential_is_enough(whmcs: Whmcs) -> None:
    whmcs.configure(
        api_roles={"reader": ["GetProducts"], "money": ["GetCurrencies"]},
        api_credentials=[
            {"identifier": "shop", "secret": "s1", "roles": ["reader", "money"]},
            {"identifier": "kiosk", "secret": "s2", "roles": ["reader"]},
        ],
    )
    assert attempt(whmcs, identifier="shop", secret="s1")[1] == 200
    assert attempt(whmcs, identifier="kiosk", secret="s2")[0]["message"].startswith("Invalid Permissions")
    assert attempt(whmcs, identifier="kiosk", secret="s1")[0]["message"] == "Authentication Failed"


def test_an_action_of_whmcs_that_the_sandbox_has_not_is_as_if_no_role_listed_it(whmcs: Whmcs) -> None:
    expected = {"result": "error", "message": 'Invalid Permissions: API action "domainregister" is not allowed'}
    assert attempt(whmcs, **GOOD, action="DomainRegister") == (expected, 403)


@pytest.mark.parametrize("status", [200, 403])
def test_an_unknown_action_is_named_in_lower_case(whmcs: Whmcs, status: int) -> None:
    whmcs.configure(unknown_action_status=status)
    expected = {"result": "error", "message": 'Invalid API Action: "makecoffee" is not a valid API action'}
    assert attempt(whmcs, **GOOD, action="MakeCoffee") == (expected, status)


def test_the_authorization_header_opens_nothing(app: ASGIApp) -> None:
    basic = base64.b64encode(b"sandbox-identifier:sandbox-secret").decode()
    headers = {"content-type": FORM, "authorization": f"Basic {basic}"}
    reply = send(app, "POST", URL, headers=headers, chunks=[b"action=GetCurrencies&responsetype=json"])
    assert (reply.status, reply.json()["message"]) == (403, "Authentication Failed")


def test_the_control_port_tells_what_is_simulated_and_no_secret(world: World) -> None:
    side_door = people(world)
    told = send(side_door, "GET", "/control/whmcs/actions").json()
    assert (told["AddClient"]["simulated"], told["DomainRegister"]["simulated"]) == (True, False)
    assert len(told) == 162
    assert b"sandbox-secret" not in send(side_door, "GET", "/control/whmcs/settings").body


def test_refused_calls_leave_no_trace_in_the_ledger_and_secrets_never_do(whmcs: Whmcs) -> None:
    attempt(whmcs)
    assert whmcs.ledger.read() == []
    attempt(whmcs, **GOOD)
    assert "sandbox-secret" not in str(whmcs.ledger.read())
