"""Clients from their making to their end: whmcs-wire §3.1."""

import json
from typing import Any

import pytest

from sandbox.whmcs.accounts.addresses import country_name, is_country, is_email, is_phone
from sandbox.whmcs.cards import add_card
from sandbox.whmcs.install import Whmcs
from tests.sandbox.whmcs.conftest import WhmcsCall
from tests.sandbox.whmcs.php_arrays import packed
from tests.sandbox.whmcs.test_accounts import BEN

ORDER_OF_COMPLAINTS = [
    ("owner_user_id", "99", "Invalid Owner User ID"),
    ("firstname", "", "You did not enter your first name"),
    ("lastname", "", "You did not enter your last name"),
    ("email", "", "You did not enter your email address"),
    ("email", "ben@", "The email address you entered was not valid"),
    ("address1", "", "You did not enter your  address line 1"),
    ("city", "", "You did not enter your city"),
    ("state", "", "You did not enter your state"),
    ("postcode", "", "You did not enter your postcode"),
    ("country", "", "Valid country required"),
    ("phonenumber", "", "You did not enter your phone number"),
    ("country", "XX", "Valid country required"),
    ("phonenumber", "call me", "Invalid telephone phone number"),
    ("customfields", "", "You did not provide required custom field value for Customer Number"),
    ("password2", "", "The Password field is required."),
]


def message(answer: dict[str, Any]) -> str:
    return str(answer.get("message", ""))


@pytest.fixture
def required_number(whmcs: Whmcs) -> dict[str, str]:
    """The customer number is a required field; this is Ben with all that is asked for."""
    whmcs.configure(client_fields=[{"id": 12, "name": "Customer Number", "required": True}])
    return BEN | {"customfields": packed({12: "104882"})}


@pytest.mark.parametrize("first", range(len(ORDER_OF_COMPLAINTS)))
def test_the_first_complaint_in_the_order_of_the_reference_is_the_error(
    call: WhmcsCall, required_number: dict[str, str], first: int
) -> None:
    ben = dict(required_number)
    for name, value, _ in reversed(ORDER_OF_COMPLAINTS[first:]):
        ben[name] = value
    assert message(call("AddClient", ben)) == ORDER_OF_COMPLAINTS[first][2]
    assert call("GetClients")["totalresults"] == 0


def test_a_client_can_belong_to_a_user_who_exists(call: WhmcsCall, aiko: int) -> None:
    made = call("AddClient", BEN, owner_user_id=1, password2="")
    assert made["owner_id"] == "1"
    (user,) = call("GetUsers")["users"]
    assert user["clients"] == [{"id": 1, "isOwner": True}, {"id": int(made["clientid"]), "isOwner": True}]


def test_a_users_address_is_taken_although_no_client_has_it(call: WhmcsCall) -> None:
    call("AddUser", firstname="Ben", lastname="Okafor", email="ben@example.jp", password2="x")
    assert message(call("AddClient", BEN)) == "A user already exists with that email address"


def test_a_card_in_addclient_brings_a_warning(call: WhmcsCall) -> None:
    made = call("AddClient", BEN, cardnum="4242424242424242")
    assert made["warning"].startswith("Credit card related parameters are now deprecated")
    assert call("GetPayMethods", clientid=1)["paymethods"] == []


def test_positions_of_custom_fields_follow_their_order_and_not_their_ids(call: WhmcsCall, whmcs: Whmcs) -> None:
    whmcs.configure(client_fields=[{"id": 30, "name": "Kana"}, {"id": 12, "name": "Customer Number"}])
    call("AddClient", BEN, customfields=packed({12: "104882", 30: "ベン"}))
    client = call("GetClientsDetails", clientid=1)["client"]
    assert client["customfields"] == [{"id": 30, "value": "ベン"}, {"id": 12, "value": "104882"}]
    assert (client["customfields1"], client["customfields2"]) == ("ベン", "104882")


@pytest.mark.parametrize(
    ("parameter", "value", "field", "shown"),
    [
        ("taxexempt", "1", "taxexempt", True),
        ("separateinvoices", "false", "separateinvoices", True),
        ("overideduenotices", "0", "overideduenotices", False),
        ("latefeeoveride", "1", "latefeeoveride", True),
        ("disableautocc", "1", "disableautocc", True),
        ("overrideautoclose", "1", "overrideautoclose", True),
        ("marketingoptin", "1", "isOptedInToMarketingEmails", True),
        ("paymentmethod", "stripe", "defaultgateway", "stripe"),
        ("groupid", "4", "groupid", 4),
        ("language", "japanese", "language", "japanese"),
        ("notes", "a careful one", "notes", "a careful one"),
        ("status", "Inactive", "status", "Inactive"),
        ("status", "Sleepy", "status", "Active"),
        ("tax_id", "T1234567890123", "tax_id", "T1234567890123"),
    ],
)
def test_updateclient_writes_what_it_is_told(
    call: WhmcsCall, aiko: int, parameter: str, value: str, field: str, shown: Any
) -> None:
    assert call("UpdateClient", {"clientid": aiko, parameter: value})["result"] == "success"
    assert call("GetClientsDetails", clientid=aiko)["client"][field] == shown


def test_the_last_address_for_domain_mail_cannot_be_switched_off(call: WhmcsCall, aiko: int) -> None:
    off = {"clientid": aiko, "email_preferences[domain]": "0"}
    assert "ICANN" in message(call("UpdateClient", off))
    call("AddContact", {"clientid": aiko, "email_preferences[domain]": "1"})
    assert call("UpdateClient", off)["result"] == "success"
    assert call("GetClientsDetails", clientid=aiko)["client"]["email_preferences"]["domain"] == "0"
    contact = {"contactid": 1, "email_preferences[domain]": "0"}
    assert "ICANN" in message(call("UpdateContact", contact))


def test_parameters_from_when_there_was_one_card_refuse_to_choose_among_two(
    call: WhmcsCall, whmcs: Whmcs, aiko: int
) -> None:
    add_card(whmcs, aiko, "4242424242424242", "08/40")
    assert call("UpdateClient", clientid=aiko, clearcreditcard=1)["result"] == "success"
    assert call("GetPayMethods", clientid=aiko)["paymethods"] == []
    for _ in range(2):
        add_card(whmcs, aiko, "4242424242424242", "08/40")
    refused = call("UpdateClient", clientid=aiko, clearcreditcard=1, city="Kobe")
    assert message(refused) == "Multiple Credit Card Pay Methods Found"
    assert call("GetClientsDetails", clientid=aiko)["client"]["city"] == ""


def test_an_empty_value_clears_only_where_installed_so(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    call("UpdateClient", clientid=aiko, companyname="Tanaka KK")
    call("UpdateClient", clientid=aiko, companyname="")
    assert call("GetClientsDetails", clientid=aiko)["client"]["companyname"] == "Tanaka KK"
    whmcs.configure(empty_clears=True)
    call("UpdateClient", clientid=aiko, companyname="")
    assert call("GetClientsDetails", clientid=aiko)["client"]["companyname"] == ""


@pytest.mark.parametrize(
    ("country", "number", "formatted", "calling"),
    [
        ("JP", "+81 90-1234-5678", "+81.9012345678", 81),
        ("JP", "090-1234-5678", "+81.9012345678", 81),
        ("GB", "01234 567890", "+44.1234567890", 44),
    ],
)
def test_a_number_is_shown_with_its_countrys_calling_code(
    call: WhmcsCall, country: str, number: str, formatted: str, calling: int
) -> None:
    call("AddClient", BEN | {"country": country, "phonenumber": number})
    client = call("GetClientsDetails", clientid=1)["client"]
    assert (client["phonenumberformatted"], client["phonecc"]) == (formatted, calling)
    assert client["countryname"] == country_name(country)


def test_what_an_address_a_country_and_a_number_are() -> None:
    assert [is_email(each) for each in ("a.b+c@d.example", "a@b", "a b@c.example", "愛@b.example")] == [True] + [
        False
    ] * 3
    assert [is_country(each) for each in ("JP", "jp", "UK", "")] == [True, False, False, False]
    assert [is_phone(each) for each in ("+81 (90) 1234-5678", "090.1234.5678", "none", "")] == [
        True,
        True,
        False,
        False,
    ]


def test_statistics_of_a_client_count_and_format(call: WhmcsCall, aiko: int) -> None:
    call("AddOrder", {"clientid": aiko, "paymentmethod": "stripe", "pid[0]": 101})
    stats = call("GetClientsDetails", clientid=aiko, stats=1)["stats"]
    assert (stats["numunpaidinvoices"], stats["productsnumtotal"], stats["productsnumactive"]) == (1, 1, 0)
    assert stats["unpaidinvoicesamount"] == stats["dueinvoicesbalance"]
    assert stats["dueinvoicesbalance"].startswith("¥")
    assert stats["incredit"] is False


def test_clients_are_listed_by_id_and_by_any_column_in_both_directions(call: WhmcsCall, aiko: int) -> None:
    call("AddClient", BEN)
    call("AddClient", BEN, email="chie@example.jp", firstname="Chie", lastname="Arai", companyname="Zen")

    def names(**form: Any) -> list[str]:
        return [row["firstname"] for row in call("GetClients", **form)["clients"]["client"]]

    assert names() == ["Aiko", "Ben", "Chie"]
    assert names(sorting="DESC") == ["Chie", "Ben", "Aiko"]
    assert names(orderby="lastname") == ["Chie", "Ben", "Aiko"]
    assert names(orderby="companyname", sorting="desc", limitnum=1) == ["Chie"]
    assert names(limitstart=1, limitnum=1) == ["Ben"]
    assert names(status="Closed") == []
    past = call("GetClients", limitstart=9)
    assert (past["totalresults"], past["numreturned"], past["clients"]) == (3, 0, {"client": []})


def test_closing_cancels_what_is_unpaid_and_ends_what_runs(call: WhmcsCall, aiko: int) -> None:
    for _ in range(2):
        call("AddOrder", {"clientid": aiko, "paymentmethod": "stripe", "pid[0]": 101})
    call("AcceptOrder", orderid=1)
    assert call("CloseClient", clientid=aiko) == {"result": "success", "clientid": aiko}
    services = call("GetClientsProducts", clientid=aiko)["products"]["product"]
    assert [row["status"] for row in services] == ["Terminated", "Cancelled"]
    assert {row["status"] for row in call("GetInvoices")["invoices"]["invoice"]} == {"Cancelled"}
    refused = call("AddOrder", {"clientid": aiko, "paymentmethod": "stripe", "pid[0]": 101})
    assert message(refused) == "Unable to add order when client status is Closed"


def furnish(call: WhmcsCall, whmcs: Whmcs, client: int) -> None:
    """One of everything that a client can have."""
    add_card(whmcs, client, "4242424242424242", "08/40")
    call("AddOrder", {"clientid": client, "paymentmethod": "stripe", "pid[0]": 101})
    call("AcceptOrder", orderid=1)
    call("AddContact", clientid=client, firstname="Dai")
    call("AddClientNote", userid=client, notes="calls on Mondays")
    call("CreateClientInvite", client_id=client, email="dai@example.jp", permissions="invoices")
    call("CreateSsoToken", client_id=client)
    call("OpenTicket", clientid=client, deptid=1, subject="x", message="y")
    call("AddTicketReply", ticketid=1, clientid=client, message="z")
    call("AddCredit", clientid=client, description="x", amount=100)
    call("AddCancelRequest", serviceid=1)
    call("AddInvoicePayment", invoiceid=1, transid="t1", gateway="stripe", date="2026-11-21")


def held(whmcs: Whmcs, client: int) -> set[str]:
    """The kinds of records that name the client."""
    rows = whmcs.store.db.execute("SELECT kind, body FROM records")
    return {kind for kind, body in rows if json.loads(body).get("client_id") == client}


def test_deleting_leaves_nothing_of_the_client_but_payments(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    furnish(call, whmcs, aiko)
    assert len(held(whmcs, aiko)) > 8
    assert call("DeleteClient", clientid=aiko) == {"result": "success", "clientid": aiko}
    assert {kind.rpartition(".")[2] for kind in held(whmcs, aiko)} == {"transaction"}
    assert message(call("GetClientsDetails", clientid=aiko)) == "Client Not Found"
    assert len(whmcs.users) == 1


def test_deleting_takes_payments_and_users_along_when_told(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    furnish(call, whmcs, aiko)
    call("AddClient", BEN, owner_user_id=1)
    call("DeleteClient", clientid=aiko, deletetransactions=1, deleteusers=1)
    assert held(whmcs, aiko) == set()
    assert len(whmcs.users) == 1, "the user still owns Ben's account"
    call("DeleteClient", clientid=2, deleteusers=1)
    assert len(whmcs.users) == 0


@pytest.mark.parametrize("action", ["CloseClient", "DeleteClient", "GetEmails"])
def test_nobody_cannot_be_closed_or_deleted(call: WhmcsCall, action: str) -> None:
    assert message(call(action, clientid=9)) == "Client ID Not Found"


def test_notes_need_a_client_and_a_text(call: WhmcsCall, aiko: int) -> None:
    assert message(call("AddClientNote", userid=9, notes="x")) == "Client ID not found"
    assert message(call("AddClientNote", userid=aiko)) == "Notes can not be empty"
    assert call("AddClientNote", userid=aiko, notes="x")["noteid"] == 1


def test_groups_are_as_an_administrator_made_them(call: WhmcsCall, whmcs: Whmcs) -> None:
    assert call("GetClientGroups")["groups"] == {"group": []}
    whmcs.configure(client_groups=[{"id": 1, "groupname": "Business", "separateinvoices": True}])
    (group,) = call("GetClientGroups")["groups"]["group"]
    assert (group["groupname"], group["separateinvoices"], group["susptermexempt"]) == ("Business", "on", "")
