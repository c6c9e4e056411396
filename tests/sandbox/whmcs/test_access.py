"""Who may call, and the texts of refusal: whmcs-wire §1.1, §1.2; acceptance checks 1 and 2 of §7."""

import hashlib
from typing import Any

import pytest

from sandbox.whmcs.api import Call, answer
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import nest

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


def test_an_api_role_refuses_what_it_does_not_list(whmcs: Whmcs) -> None:
    whmcs.configure(api_role=["GetProducts"])
    payload, status = attempt(whmcs, **GOOD)
    assert status == 403
    assert payload["message"] == 'Invalid Permissions: API action "getcurrencies" is not allowed'
    assert attempt(whmcs, **GOOD, action="getproducts")[1] == 200


@pytest.mark.parametrize("status", [200, 403])
def test_an_unknown_action_is_named_in_lower_case(whmcs: Whmcs, status: int) -> None:
    whmcs.configure(unknown_action_status=status)
    expected = {"result": "error", "message": 'Invalid API Action: "makecoffee" is not a valid API action'}
    assert attempt(whmcs, **GOOD, action="MakeCoffee") == (expected, status)


def test_refused_calls_leave_no_trace_in_the_ledger_and_secrets_never_do(whmcs: Whmcs) -> None:
    attempt(whmcs)
    assert whmcs.ledger.read() == []
    attempt(whmcs, **GOOD)
    assert "sandbox-secret" not in str(whmcs.ledger.read())
