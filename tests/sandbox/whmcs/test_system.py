"""Mail history, log, to-do list, OAuth credentials, encryption and figures: whmcs-wire §3.6."""

import re
from datetime import timedelta
from typing import Any

import pytest
from starlette.types import ASGIApp

from sandbox.people import app as people
from sandbox.whmcs.install import Whmcs
from sandbox.world import World
from tests.sandbox.whmcs.asgi import send_json
from tests.sandbox.whmcs.conftest import WhmcsCall
from tests.sandbox.whmcs.php_arrays import packed
from tests.sandbox.whmcs.test_accounts import BEN
from tests.sandbox.whmcs.wire import AIKO, post

OWN_MAIL = {"customtype": "general", "customsubject": "For {$client_name}", "custommessage": "<p>{$gift}</p>", "id": 1}


def subjects(call: WhmcsCall, **form: Any) -> list[str]:
    return [row["subject"] for row in call("GetEmails", {"clientid": 1} | form)["emails"]["email"]]


def test_what_was_mailed_is_in_the_clients_history_as_html(call: WhmcsCall, whmcs: Whmcs) -> None:
    call("AddClient", BEN)
    (row,) = call("GetEmails", clientid=1)["emails"]["email"]
    assert (row["subject"], row["to"], row["userid"]) == ("Welcome", "Ben Okafor <ben@example.jp>", 1)
    assert "<p>Your account has been created.</p>" in row["message"]
    assert [each.subject for each in whmcs.mailbox.newest_first("ben@example.jp")] == ["Welcome"]


def test_templates_are_sent_by_the_id_that_their_type_needs(call: WhmcsCall, aiko: int) -> None:
    call("AddOrder", {"clientid": aiko, "paymentmethod": "stripe", "pid[0]": 101, "noemail": 1, "noinvoiceemail": 1})
    call("OpenTicket", clientid=aiko, deptid=1, subject="x", message="y", noemail=1)
    for row in call("GetEmailTemplates")["emailtemplates"]["emailtemplate"]:
        answer = call("SendEmail", messagename=row["name"], id=1)
        assert answer["result"] == ("error" if row["name"].startswith("Order") else "success"), row["name"]
    assert "Customer Invoice" in subjects(call)
    assert subjects(call, subject="invoice payment") == ["Invoice Payment Confirmation"]


def test_a_text_of_ones_own_has_its_variables_filled_in(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    assert call("SendEmail", OWN_MAIL, customvars=packed({"gift": "tea & cake"})) == {"result": "success"}
    (row,) = call("GetEmails", clientid=aiko)["emails"]["email"]
    assert (row["subject"], row["message"]) == ("For Aiko Tanaka", "<p>tea &amp; cake</p>")
    (sent,) = whmcs.mailbox.newest_first("aiko@example.jp")
    assert (sent.part("plain").strip(), sent.part("html").strip()) == ("tea & cake", "<p>tea &amp; cake</p>")


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"id": 1}, "You must provide either an existing email template name or a custom message type"),
        (OWN_MAIL | {"customtype": "gossip"}, "Invalid message type provided"),
        (OWN_MAIL | {"customsubject": ""}, "A subject is required for a custom message"),
        (OWN_MAIL | {"custommessage": ""}, "A message body is required for a custom message"),
        (OWN_MAIL | {"customvars": "x"}, "The custom variables you provided are invalid."),
        (OWN_MAIL | {"id": ""}, "A related ID is required"),
        ({"messagename": "Love Letter", "id": 1}, "Email Template not found"),
        ({"messagename": "Client Signup Email", "id": 1}, "Email Template is disabled"),
        (OWN_MAIL | {"id": 99}, "Sending Failed. Please see documentation."),
        (OWN_MAIL | {"customtype": "domain"}, "Sending Failed. Please see documentation."),
        ({"messagename": "Order Confirmation", "id": 1}, "Sending Failed. Please see documentation."),
    ],
)
def test_a_mail_that_cannot_be_sent(
    call: WhmcsCall, whmcs: Whmcs, aiko: int, form: dict[str, Any], message: str
) -> None:
    whmcs.configure(disabled_mail_templates=["Client Signup Email"])
    assert call("SendEmail", form)["message"] == message
    assert subjects(call) == []


def test_templates_are_listed_by_type(call: WhmcsCall) -> None:
    names = [row["name"] for row in call("GetEmailTemplates", type="support")["emailtemplates"]["emailtemplate"]]
    assert names == ["Support Ticket Opened", "Support Ticket Reply"]


def test_a_breadcrumb_is_found_again(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    call("LogActivity", clientid=aiko, description="portal order 7, attempt 1")
    call("LogActivity", description="nobody's business")
    found = call("GetActivityLog", clientid=aiko, description="ORDER 7")
    (entry,) = found["activity"]["entry"]
    assert (entry["clientId"], entry["username"], entry["ipaddress"]) == (aiko, "admin", "127.0.0.1")
    assert set(found) == {"result", "totalresults", "startnumber", "activity"}
    assert [each["id"] for each in call("GetActivityLog")["activity"]["entry"]] == [2, 1]
    assert call("GetActivityLog", userid=aiko)["totalresults"] == 1
    assert call("GetActivityLog", date=f"{whmcs.server_now():%d/%m/%Y}")["totalresults"] == 2
    for none in ({"date": "01/01/2020"}, {"user": "root"}, {"ipaddress": "10.0.0.1"}, {"clientid": 99}):
        assert call("GetActivityLog", none)["totalresults"] == 0


def test_the_to_do_list_is_written_by_people_and_worked_off_by_programs(app: ASGIApp, world: World) -> None:
    side_door = people(world)
    made = send_json(side_door, "/control/whmcs/to-do", {"title": "Call Aiko", "due": "2026-01-01"})
    assert made.status == 201
    assert send_json(side_door, "/control/whmcs/to-do", {"title": "x", "due": "tomorrow"}).status == 422
    (item,) = post(app, {"action": "GetToDoItems", "status": "Incomplete"}).json()["items"]["item"]
    assert (item["title"], item["status"], item["duedate"]) == ("Call Aiko", "New", "2026-01-01")
    statuses = post(app, {"action": "GetToDoItemStatuses"}).json()["todoitemstatuses"]["status"]
    assert statuses[0] == {"type": "New", "count": 1, "overdue": 1}
    done = {"action": "UpdateToDoItem", "itemid": 1, "adminid": 1, "status": "completed"}
    assert post(app, done).json()["itemid"] == 1
    assert post(app, {"action": "GetToDoItems", "status": "Incomplete"}).json()["totalresults"] == 0
    assert post(app, {**done, "itemid": 9}).json()["result"] == "error"


def test_people_switch_what_no_action_can(app: ASGIApp, world: World) -> None:
    side_door = people(world)
    post(app, AIKO)
    assert send_json(side_door, "/control/whmcs/clients/1", {"allow_sso": False}).status == 200
    assert (
        post(app, {"action": "CreateSsoToken", "client_id": 1}).json()["message"]
        == "SSO authentication blocked for client 1"
    )
    assert send_json(side_door, "/control/whmcs/users/1", {"two_factor": True}).json() == {"id": 1, "two_factor": True}
    post(app, {"action": "CreateClientInvite", "client_id": 1, "email": "dai@example.jp", "permissions": "orders"})
    assert send_json(side_door, "/control/whmcs/invites/1/accept").status == 409
    dai = {"action": "AddUser", "firstname": "Dai", "lastname": "Mori", "email": "dai@example.jp", "password2": "x"}
    post(app, dai)
    assert send_json(side_door, "/control/whmcs/invites/1/accept").json()["user_id"] == 2
    assert send_json(side_door, "/control/whmcs/invites/1/accept").status == 404
    for wrong in ({"allow_sso": "no"}, {"colour": "blue"}, {}):
        assert send_json(side_door, "/control/whmcs/clients/1", wrong).status == 422
    for nobody in ("clients/9", "users/9"):
        assert send_json(side_door, f"/control/whmcs/{nobody}", {}).status == 404


def test_a_password_is_encrypted_differently_each_time_and_decrypted_the_same(call: WhmcsCall) -> None:
    first, second = (call("EncryptPassword", password2="株式会社")["password"] for _ in range(2))
    assert first != second
    assert [call("DecryptPassword", password2=each)["password"] for each in (first, second)] == ["株式会社"] * 2
    assert [call("DecryptPassword", password2=each)["password"] for each in ("x", "", first[:-4] + "AAAA")] == [""] * 3


CREDENTIAL = {"grantType": "authorization_code", "scope": "openid  email", "name": "Portal"}


def test_an_oauth_credential_lives_and_ends(call: WhmcsCall) -> None:
    made = call("CreateOAuthCredential", CREDENTIAL, **{"redirectUri[0]": "https://portal.example/back"})
    (shown,) = call("ListOAuthCredentials")["clients"]
    assert (shown["clientIdentifier"], shown["clientSecret"]) == (made["clientIdentifier"], made["clientSecret"])
    assert (shown["scope"], shown["redirectUri"]) == ("openid email", ["https://portal.example/back"])
    changed = call("UpdateOAuthCredential", clientApiIdentifier=made["clientIdentifier"], resetSecret=1, name="Shop")
    (shown,) = call("ListOAuthCredentials", grantType="authorization_code", limit=1)["clients"]
    assert (shown["name"], shown["clientSecret"]) == ("Shop", changed["newClientSecret"])
    assert call("DeleteOAuthCredential", credentialId=1)["credentialId"] == 1
    assert call("DeleteOAuthCredential", credentialId=1)["message"] == "Invalid Credential ID provided."
    assert call("ListOAuthCredentials")["clients"] == []


def test_credentials_are_sorted_and_dated_in_words(call: WhmcsCall, whmcs: Whmcs) -> None:
    for name in ("b", "a"):
        call("CreateOAuthCredential", CREDENTIAL | {"name": name})
    rows = call("ListOAuthCredentials", sortField="name")["clients"]
    assert [row["name"] for row in rows] == ["a", "b"]
    rows = call("ListOAuthCredentials", sortField="name", sortOrder="DESC")["clients"]
    assert [row["name"] for row in rows] == ["b", "a"]
    assert re.fullmatch(rf"\d+(st|nd|rd|th) \w+ {whmcs.server_now():%Y} \d+:\d\d:\d\d[ap]m", rows[0]["createdAt"])


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"grantType": ""}, "A valid grant type is required."),
        ({"grantType": "password"}, 'The requested grant type "password" is invalid.'),
        ({"name": ""}, "A name for the Client Credential is required."),
        ({"grantType": "single_sign_on"}, "A service ID is required for the single sign-on grant type."),
        ({"grantType": "single_sign_on", "serviceId": 9}, "A valid Service ID is required."),
        ({"scope": " "}, "At least one valid scope is required."),
        ({"scope": "openid everything"}, 'The requested scope "everything" is invalid.'),
    ],
)
def test_a_credential_that_cannot_be(call: WhmcsCall, form: dict[str, Any], message: str) -> None:
    assert call("CreateOAuthCredential", CREDENTIAL | form)["message"] == message
    call("CreateOAuthCredential", CREDENTIAL)
    assert call("UpdateOAuthCredential")["message"] == "A Credential ID or Client Identifier is required."
    assert call("UpdateOAuthCredential", credentialId=9)["message"] == "Invalid Credential ID provided."
    assert call("UpdateOAuthCredential", clientApiIdentifier="x")["message"] == "Invalid Client Identifier provided."


def test_the_installation_tells_about_itself(call: WhmcsCall, whmcs: Whmcs) -> None:
    version = call("WhmcsDetails")["whmcs"]
    assert version["canonicalversion"].startswith(version["version"])
    call("UpdateAdminNotes", notes="be kind")
    details = call("GetAdminDetails")
    assert (details["departments"], details["notes"], details["whmcs"]) == (",1,", "be kind", version)
    (admin,) = call("GetAdminUsers", email="admin@", roleid=1)["admin_users"]
    assert (admin["username"], admin["isDisabled"]) == ("admin", 0)
    assert call("GetAdminUsers", roleid=2)["admin_users"] == []
    assert call("GetStaffOnline")["totalresults"] == 0
    assert call("GetHealthStatus") == {"result": "success"}
    assert call("GetAnnouncements")["numreturned"] == 0


def test_a_value_of_the_configuration_has_a_name(call: WhmcsCall) -> None:
    assert call("GetConfigurationValue", setting="CompanyName")["value"] == "Sonix Billing"
    assert call("GetConfigurationValue")["message"] == "Parameter setting is required"
    assert call("GetConfigurationValue", setting="Weather")["message"] == "Invalid name for parameter setting"


def test_a_notification_event_goes_to_the_ledger(call: WhmcsCall, whmcs: Whmcs) -> None:
    event = {"notification_identifier": "order.late", "title": "Late", "message": "Order 7"}
    assert call("TriggerNotificationEvent", event) == {"result": "success"}
    assert [entry.key for entry in whmcs.ledger.read("whmcs", "TriggerNotificationEvent")] == ["order.late"]
    texts = [call("TriggerNotificationEvent", event | {name: ""})["message"] for name in event]
    assert texts == [
        "API Notification Events require a identifier string to be passed.",
        "API Notification Events require a title to be provided.",
        "API Notification Events require a message to be provided.",
    ]


def test_statistics_count_by_day_and_status(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    order = {"clientid": aiko, "paymentmethod": "stripe", "pid[0]": 101}
    call("AddOrder", order)
    whmcs.clock.advance(timedelta(days=1))
    call("AddOrder", order)
    call("CancelOrder", orderid=2)
    invoice = call("GetInvoice", invoiceid=1)
    call("AddInvoicePayment", invoiceid=1, transid="t", gateway="stripe", date=whmcs.today())
    call("OpenTicket", clientid=aiko, deptid=1, subject="x", message="y")
    stats = call("GetStats", timeline_days=2)
    assert (stats["orders_pending"], stats["orders_yesterday_pending"], stats["orders_yesterday_total"]) == (1, 1, 1)
    assert (stats["orders_today_cancelled"], stats["orders_today_total"]) == (1, 1)
    assert (stats["tickets_open"], stats["tickets_awaitingreply"], stats["tickets_allactive"]) == (1, 1, 1)
    assert stats["income_today"] == stats["income_alltime"] == f"¥{float(invoice['total']):,.0f} JPY"
    timeline = stats["timeline_data"]
    assert list(timeline["new_orders"].values()) == [1, 1]
    assert list(timeline["income"].values()) == [invoice["total"], "0.00"]
    assert "timeline_data" not in call("GetStats")
    assert len(call("GetStats", timeline_days=999)["timeline_data"]["income"]) == 90
