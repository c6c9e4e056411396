"""Users, whom they may act for, and how they sign in: whmcs-wire §2, §3.1, §0 no. 4."""

from typing import Any

import pytest

from sandbox.whmcs.accounts.users import accept
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.records import Client
from tests.sandbox.whmcs.conftest import WhmcsCall
from tests.sandbox.whmcs.test_accounts import BEN

DAI = {"firstname": "Dai", "lastname": "Mori", "email": "dai@example.jp", "password2": "correct horse"}


@pytest.fixture
def dai(call: WhmcsCall, aiko: int) -> int:
    """A user without a client; Aiko is client 1 of user 1."""
    return int(call("AddUser", DAI)["user_id"])


def invite(whmcs: Whmcs, call: WhmcsCall, client: int, **permissions: str) -> None:
    """Invites Dai, who accepts."""
    call("CreateClientInvite", client_id=client, email=DAI["email"], **permissions)
    (sent,) = whmcs.invites.find("email", DAI["email"])
    assert accept(whmcs, sent)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("firstname", "You did not enter a first name"),
        ("lastname", "You did not enter a last name"),
        ("email", "You did not enter an email address"),
        ("password2", "You did not enter a password"),
    ],
)
def test_a_user_needs_names_address_and_password(call: WhmcsCall, missing: str, message: str) -> None:
    assert call("AddUser", DAI | {missing: ""})["message"] == message


def test_a_users_address_is_an_address_and_taken_once(call: WhmcsCall, dai: int) -> None:
    assert call("AddUser", DAI)["message"] == "A user already exists with that email address"
    assert call("AddUser", DAI | {"email": "dai"})["message"] == "The email address entered is not valid"


def test_a_user_changes_without_the_client_changing(call: WhmcsCall, aiko: int) -> None:
    assert call("UpdateUser", user_id=1, email="a@example.jp", lastname="Mori")["user_id"] == "1"
    client = call("GetClientsDetails", clientid=aiko)["client"]
    assert (client["email"], client["users"]["user"][0]["email"]) == ("aiko@example.jp", "a@example.jp")


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"user_id": 9, "email": "x@example.jp"}, "Invalid User ID requested"),
        ({"user_id": 1}, "One of `email`, `firstname`, `lastname`, or `language` is required"),
        ({"user_id": 1, "email": "x"}, "The email address entered is not valid"),
        ({"user_id": 1, "email": "dai@example.jp"}, "A user already exists with that email address"),
    ],
)
def test_a_change_that_cannot_be(call: WhmcsCall, dai: int, form: dict[str, Any], message: str) -> None:
    assert call("UpdateUser", form)["message"] == message


def test_users_are_a_plain_array_found_by_the_beginning_of_a_name(call: WhmcsCall, dai: int) -> None:
    found = call("GetUsers", search="dai m")
    assert (found["totalresults"], found["numreturned"]) == (1, 1)
    assert [(row["id"], row["clients"]) for row in found["users"]] == [(dai, [])]
    assert [row["id"] for row in call("GetUsers", sorting="DESC")["users"]] == [dai, 1]


def test_an_invited_user_may_do_what_was_granted(call: WhmcsCall, whmcs: Whmcs, aiko: int, dai: int) -> None:
    invite(whmcs, call, aiko, permissions="invoices, tickets,teleport")
    granted = call("GetUserPermissions", user_id=dai, client_id=aiko)
    assert granted["permissions"] == {"permission": ["invoices", "tickets"]}
    call("UpdateUserPermissions", user_id=dai, client_id=aiko, permissions="orders")
    assert call("GetUserPermissions", user_id=dai, client_id=aiko)["permissions"] == {"permission": ["orders"]}
    assert [user["is_owner"] for user in call("GetClientsDetails", clientid=aiko)["client"]["users"]["user"]] == [
        True,
        False,
    ]
    assert call("GetUsers", search="dai")["users"][0]["clients"] == [{"id": aiko, "isOwner": False}]


def test_the_owner_may_everything_and_stays(call: WhmcsCall, aiko: int) -> None:
    everything = call("GetPermissionsList")
    assert everything["status"] == "success"
    assert call("GetUserPermissions", user_id=1, client_id=aiko)["permissions"] == everything["permissions"]
    owner = {"user_id": 1, "client_id": aiko}
    assert (
        call("UpdateUserPermissions", owner, permissions="orders")["message"]
        == "Permissions cannot be set on a client owner"
    )
    assert call("DeleteUserClient", owner)["message"] == "You cannot remove the account owner"


def test_a_users_way_to_a_client_ends(call: WhmcsCall, whmcs: Whmcs, aiko: int, dai: int) -> None:
    invite(whmcs, call, aiko, permissions="orders")
    assert call("CreateSsoToken", client_id=aiko, user_id=dai)["result"] == "success"
    assert call("DeleteUserClient", user_id=dai, client_id=aiko)["result"] == "success"
    assert call("CreateSsoToken", client_id=aiko, user_id=dai)["message"] == "Invalid user_id for client"
    assert call("DeleteUserClient", user_id=dai, client_id=aiko)["message"] == "User is not associated with client"


@pytest.mark.parametrize("action", ["GetUserPermissions", "UpdateUserPermissions", "DeleteUserClient"])
def test_both_ends_of_a_relation_have_to_exist(call: WhmcsCall, dai: int, action: str) -> None:
    assert call(action, user_id=99, client_id=1, permissions="orders")["message"] == "Invalid user id"
    assert call(action, user_id=dai, client_id=99, permissions="orders")["message"] == "Invalid client id"
    assert (
        call(action, user_id=dai, client_id=1, permissions="orders")["message"] == "User is not associated with client"
    )


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"client_id": 1, "permissions": "orders"}, "Email is required"),
        ({"client_id": 9, "email": "x@example.jp", "permissions": "orders"}, "Invalid client id"),
        ({"client_id": 1, "email": "x", "permissions": "orders"}, "The email address entered is not valid"),
        ({"client_id": 1, "email": "x@example.jp", "permissions": "teleport"}, "User permissions are required"),
        ({"client_id": 1, "email": "aiko@example.jp", "permissions": "orders"}, "User already associated with client"),
    ],
)
def test_an_invitation_that_cannot_be_sent(
    call: WhmcsCall, whmcs: Whmcs, aiko: int, form: dict[str, Any], message: str
) -> None:
    assert call("CreateClientInvite", form)["message"] == message
    assert whmcs.mailbox.newest_first() == []


def test_an_invitation_is_mailed(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    call("CreateClientInvite", client_id=aiko, email="dai@example.jp", permissions="orders")
    (sent,) = whmcs.mailbox.newest_first("dai@example.jp")
    assert "Aiko Tanaka" in sent.part("plain")


def test_a_login_tells_the_users_id_and_not_the_clients(call: WhmcsCall, dai: int) -> None:
    call("AddClient", BEN, owner_user_id=dai)
    answer = call("ValidateLogin", email="Dai@example.jp", password2="correct horse")
    assert (answer["userid"], answer["twoFactorEnabled"], len(answer["passwordhash"])) == (dai, "false", 40)


@pytest.mark.parametrize(
    ("email", "password"), [("dai@example.jp", "Correct Horse"), ("nobody@example.jp", "correct horse"), ("", "")]
)
def test_a_wrong_login_does_not_say_what_was_wrong(call: WhmcsCall, dai: int, email: str, password: str) -> None:
    assert call("ValidateLogin", email=email, password2=password)["message"] == "Email or Password Invalid"


def test_with_two_factor_there_is_no_session(call: WhmcsCall, whmcs: Whmcs, dai: int) -> None:
    user = whmcs.users.get(dai)
    assert user
    user.two_factor = True
    whmcs.users.put(user)
    answer = call("ValidateLogin", email="dai@example.jp", password2="correct horse")
    assert answer == {"result": "success", "userid": dai, "twoFactorEnabled": "true"}


def test_no_password_is_kept_or_noted(call: WhmcsCall, whmcs: Whmcs, dai: int, state: Any) -> None:
    call("ValidateLogin", email="dai@example.jp", password2="correct horse")
    assert all(b"correct horse" not in path.read_bytes() for path in state.iterdir())


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "Please enter the email address or provide the id"),
        ({"email": "x"}, "Please provide a valid email address"),
        ({"email": "x@example.jp"}, "User Not Found"),
        ({"id": 9}, "User Not Found"),
    ],
)
def test_a_password_that_cannot_be_reset(call: WhmcsCall, form: dict[str, Any], message: str) -> None:
    assert call("ResetPassword", form)["message"] == message


def test_a_reset_is_mailed_to_the_user(call: WhmcsCall, whmcs: Whmcs, dai: int) -> None:
    assert call("ResetPassword", id=dai) == {"result": "success"}
    assert call("ResetPassword", email="dai@example.jp") == {"result": "success"}
    assert len(whmcs.mailbox.newest_first("dai@example.jp")) == 2


def test_a_user_alone_signs_on_to_the_first_client(call: WhmcsCall, whmcs: Whmcs, aiko: int, dai: int) -> None:
    assert call("CreateSsoToken", user_id=dai)["message"] == "A valid client_id or user_id is required"
    invite(whmcs, call, aiko, permissions="orders")
    token = call("CreateSsoToken", user_id=dai)["access_token"]
    (kept,) = whmcs.sso_tokens.find("token", token)
    assert (kept.client_id, kept.user_id) == (aiko, dai)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "A valid client_id or user_id is required"),
        ({"client_id": 9}, "Invalid client_id"),
        ({"user_id": 99}, "Invalid user_id"),
        ({"client_id": 1, "user_id": 99}, "Invalid user_id"),
        ({"client_id": 1, "user_id": 2}, "Invalid user_id for client"),
        ({"client_id": 1, "destination": "clientarea:payment_methods"}, "Invalid destination"),
        (
            {"client_id": 1, "destination": "clientarea:product_details"},
            "Token could not be provisioned: service_id is not a service of this client",
        ),
        (
            {"client_id": 1, "destination": "clientarea:domain_details", "domain_id": 1},
            "Token could not be provisioned: domain_id is not a domain of this client",
        ),
    ],
)
def test_a_sign_on_that_cannot_be(call: WhmcsCall, dai: int, form: dict[str, Any], message: str) -> None:
    assert call("CreateSsoToken", form)["message"] == message


def test_a_client_who_forbade_single_sign_on_is_not_signed_on(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    client = whmcs.clients.get(aiko)
    assert isinstance(client, Client)
    client.allow_sso = False
    whmcs.clients.put(client)
    assert call("CreateSsoToken", client_id=aiko)["message"] == f"SSO authentication blocked for client {aiko}"
    assert call("GetClientsDetails", clientid=aiko)["client"]["allowSingleSignOn"] == 0


@pytest.mark.parametrize(
    ("form", "path"),
    [
        ({}, "clientarea.php"),
        ({"destination": "clientarea:invoices"}, "clientarea.php?action=invoices"),
        ({"destination": "clientarea:product_details", "service_id": 1}, "clientarea.php?action=productdetails&id=1"),
        ({"destination": "sso:custom_redirect", "sso_redirect_path": "/viewinvoice.php?id=7"}, "viewinvoice.php?id=7"),
        ({"destination": "sso:custom_redirect", "sso_redirect_path": "//evil.example/"}, "evil.example/"),
        ({"destination": "sso:custom_redirect"}, "clientarea.php"),
    ],
)
def test_where_a_sign_on_leads(call: WhmcsCall, whmcs: Whmcs, aiko: int, form: dict[str, Any], path: str) -> None:
    call("AddOrder", {"clientid": aiko, "paymentmethod": "stripe", "pid[0]": 101})
    token = call("CreateSsoToken", form, client_id=aiko)["access_token"]
    (kept,) = whmcs.sso_tokens.find("token", token)
    assert kept.path == path
