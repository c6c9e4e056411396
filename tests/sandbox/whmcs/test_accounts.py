"""Clients, their details and their payment methods: whmcs-wire §3.1."""

from typing import Any

import pytest

from sandbox.whmcs.cards import CardRefused, add_card
from sandbox.whmcs.install import Whmcs
from tests.sandbox.whmcs.conftest import WhmcsCall
from tests.sandbox.whmcs.php_arrays import packed

BEN = {
    "firstname": "Ben",
    "lastname": "Okafor",
    "email": "ben@example.jp",
    "address1": "3-12-8 Shibaura",
    "city": "Minato-ku",
    "state": "Tokyo",
    "postcode": "108-0023",
    "country": "JP",
    "phonenumber": "+81 90-1234-5678",
    "password2": "s3cret-pass",
}


def test_a_client_and_its_user_are_made_and_ids_are_strings(call: WhmcsCall, whmcs: Whmcs) -> None:
    made = call("addclient", BEN)
    assert made == {"result": "success", "clientid": "1", "owner_id": "1"}
    assert whmcs.users.get(1) is not None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"firstname": ""}, "You did not enter your first name"),
        ({"address1": ""}, "You did not enter your  address line 1"),
        ({"country": "Japan"}, "Valid country required"),
        ({"phonenumber": "none"}, "Invalid telephone phone number"),
        ({"email": ""}, "You did not enter your email address"),
        ({"email": "ben"}, "The email address you entered was not valid"),
        ({"password2": ""}, "The Password field is required."),
    ],
)
def test_validation_speaks_whmcss_words(call: WhmcsCall, changes: dict[str, str], message: str) -> None:
    assert call("AddClient", BEN | changes) == {"result": "error", "message": message}


def test_skipvalidation_drops_every_check_but_email_and_password(call: WhmcsCall) -> None:
    few = {"email": "few@example.jp", "skipvalidation": "1"}
    assert call("AddClient", few)["message"] == "The Password field is required."
    assert call("AddClient", few, password2="x")["result"] == "success"


def test_an_email_address_is_taken_once_in_whatever_case(call: WhmcsCall) -> None:
    call("AddClient", BEN)
    again = call("AddClient", BEN, email="BEN@example.jp")
    assert again["message"] == "The email address entered is not available for use."


def test_the_word_false_suppresses_the_welcome_mail(call: WhmcsCall, whmcs: Whmcs) -> None:
    call("AddClient", BEN, noemail="False")
    call("AddClient", BEN, email="ben2@example.jp")
    mails = [entry.detail["mails"] for entry in whmcs.ledger.read("whmcs", "AddClient")]
    assert mails == [[], ["Client Signup Email"]]


def test_the_customer_number_goes_in_as_one_string_and_comes_back_without_a_name(call: WhmcsCall) -> None:
    call("AddClient", BEN, customfields=packed({12: "104882", 99: "unknown field"}))
    details = call("GetClientsDetails", clientid=1)
    assert details["client"]["customfields"] == [{"id": 12, "value": "104882"}]
    assert details["client"]["customfields1"] == "104882"


def test_custom_fields_sent_as_an_array_are_ignored(call: WhmcsCall) -> None:
    call("AddClient", BEN, **{"customfields[0]": packed({12: "104882"})})
    assert call("GetClientsDetails", clientid=1)["client"]["customfields"] == [{"id": 12, "value": ""}]


def test_details_come_twice_by_id_or_email(call: WhmcsCall) -> None:
    call("AddClient", BEN, currency=1, language="japanese")
    details = call("GetClientsDetails", email="Ben@Example.jp", stats="1")
    client = details["client"]
    assert {name: details[name] for name in client} == client
    assert (client["id"], client["userid"], client["currency_code"], client["language"]) == (1, 1, "JPY", "japanese")
    assert client["users"] == {"user": [{"id": 1, "name": "Ben Okafor", "email": "ben@example.jp", "is_owner": True}]}
    assert client["phonenumberformatted"] == "+81.9012345678"
    assert "stats" in details


def test_details_of_nobody(call: WhmcsCall) -> None:
    assert call("GetClientsDetails")["message"] == "Either clientid Or email Is Required"
    assert call("GetClientsDetails", clientid=7)["message"] == "Client Not Found"


def test_update_changes_only_what_was_sent_and_keeps_digits_of_a_phone(call: WhmcsCall, aiko: int) -> None:
    call("UpdateClient", clientid=aiko, city="Osaka", customfields=packed({12: "104900"}))
    changed = call("UpdateClient", clientid=aiko, city="", phonenumber="+81 90-1234-5678")
    client = call("GetClientsDetails", clientid=aiko)["client"]
    assert changed == {"result": "success", "clientid": str(aiko)}
    assert (client["city"], client["phonenumber"], client["firstname"]) == ("Osaka", "819012345678", "Aiko")
    assert client["customfields"] == [{"id": 12, "value": "104900"}]


def test_update_by_email_and_its_refusals(call: WhmcsCall, aiko: int) -> None:
    call("AddClient", BEN)
    assert call("UpdateClient", clientemail="aiko@example.jp", city="Kobe")["clientid"] == str(aiko)
    assert call("UpdateClient", clientid=aiko, email="ben@example.jp")["message"] == "Duplicate Email Address"
    assert call("UpdateClient", clientid=aiko, email="x")["message"] == "The email address entered is not valid"
    assert call("UpdateClient", clientid=99)["message"] == "Client ID Not Found"


def test_clients_are_searched_by_the_beginning_of_a_name(call: WhmcsCall, aiko: int) -> None:
    call("AddClient", BEN)
    found = call("GetClients", search="aiko t")
    assert [row["id"] for row in found["clients"]["client"]] == [aiko]
    assert (found["totalresults"], found["numreturned"]) == (1, 1)
    for search in ("AIKO", "tan", "aiko@", "aiko ", "aiko tanaka"):
        assert [row["id"] for row in call("GetClients", search=search)["clients"]["client"]] == [aiko], search
    for search in ("iko", "aiko x", "tanaka aiko", "%"):
        assert call("GetClients", search=search)["totalresults"] == 0, search
    assert call("GetClients", status="active")["totalresults"] == 2
    assert call("GetClients", status="Closed", search="a")["totalresults"] == 0
    assert call("GetClients", customfield="104882")["totalresults"] == 2, "an unknown filter filters nothing"


def test_payment_methods_are_a_plain_array_with_day_first(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    assert call("GetPayMethods", clientid=aiko) == {"result": "success", "clientid": str(aiko), "paymethods": []}
    add_card(whmcs, aiko, "5555 5555 5555 4444", "08/40")
    (method,) = call("GetPayMethods", clientid=aiko, type="CreditCard")["paymethods"]
    assert (method["card_type"], method["card_last_four"], method["expiry_date"]) == ("MasterCard", "4444", "08/40")
    assert method["last_updated"] == f"{whmcs.server_now():%d/%m/%Y %H:%M}"
    assert call("GetPayMethods", clientid=aiko, type="BankAccount")["paymethods"] == []


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "Client ID Is Required"),
        ({"clientid": "9"}, "Client Not Found"),
        (
            {"clientid": "1", "type": "RemoteCreditCard"},
            "Invalid Pay Method Type. Should be 'BankAccount' or 'CreditCard'",
        ),
    ],
)
def test_payment_methods_refuse(call: WhmcsCall, aiko: int, form: dict[str, Any], message: str) -> None:
    assert call("GetPayMethods", form)["message"] == message


@pytest.mark.parametrize(
    ("number", "expiry", "field"),
    [
        ("4242 4242 4242 4241", "08/40", "card_number"),
        ("4242424242424242", "13/40", "card_expiry"),
        ("x", "08/40", "card_number"),
    ],
)
def test_a_card_that_cannot_be_is_refused(whmcs: Whmcs, number: str, expiry: str, field: str) -> None:
    with pytest.raises(CardRefused) as refusal:
        add_card(whmcs, 1, number, expiry)
    assert refusal.value.field == field


def test_no_card_number_is_kept_anywhere(call: WhmcsCall, whmcs: Whmcs, aiko: int, state: Any) -> None:
    add_card(whmcs, aiko, "4242424242424242", "08/40")
    assert all(b"4242424242424242" not in path.read_bytes() for path in state.iterdir())
