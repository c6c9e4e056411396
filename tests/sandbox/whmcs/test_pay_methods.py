"""Stored cards and bank accounts over the API: whmcs-wire §3.1."""

from typing import Any

import pytest

from sandbox.whmcs.cards import add_card
from sandbox.whmcs.install import Whmcs
from tests.sandbox.whmcs.conftest import WhmcsCall

CARD = {"card_number": "4242 4242 4242 4242", "card_expiry": "0840"}
REMOTE = CARD | {"type": "RemoteCreditCard", "gateway_module_name": "stripe"}
BANK = {"type": "BankAccount", "bank_code": "0001", "bank_account": "1234567", "bank_name": "Mizuho"}


@pytest.fixture
def counters(whmcs: Whmcs, aiko: int) -> Whmcs:
    """An installation with one payment module of each kind."""
    whmcs.configure(
        gateways=[{"module": name, "displayname": name} for name in ("stripe", "desk", "giro", "paper", "assist")],
        card_storage={"stripe": "remote", "desk": "local", "giro": "bank", "assist": "assisted"},
    )
    return whmcs


def stored(call: WhmcsCall) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = call("GetPayMethods", clientid=1)["paymethods"]
    return rows


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"clientid": ""}, "Client ID Is Required"),
        ({"clientid": "9"}, "Invalid Client ID"),
        (
            {"type": "Cash"},
            "Invalid Pay Method Type. Type should be one of 'BankAccount', 'CreditCard', or 'RemoteCreditCard'",
        ),
        (REMOTE | {"gateway_module_name": ""}, "Gateway is Required for RemoteCreditCard type"),
        (REMOTE | {"card_number": ""}, "Card Number is required for 'CreditCard' or 'RemoteCreditCard' type"),
        (REMOTE | {"card_number": "my card"}, "Card Number is required for 'CreditCard' or 'RemoteCreditCard' type"),
        (CARD | {"card_expiry": ""}, "Expiry Date is required for 'CreditCard' or 'RemoteCreditCard' type"),
        (CARD | {"card_expiry": "1340"}, "Expiry Date is invalid"),
        (CARD | {"card_start": "2024"}, "Start Date is invalid"),
        (CARD | {"card_issue_number": "one"}, "Issue Number is invalid"),
        (
            REMOTE | {"gateway_module_name": "nopay"},
            "Invalid Gateway Module Name. Must be one of: stripe, desk, giro, paper, assist",
        ),
        (REMOTE | {"gateway_module_name": "paper"}, "Unsupported Gateway Type for Storage"),
        (
            REMOTE | {"card_number": "4242424242424241"},
            "Error Creating Remote Token: Your card number is incorrect.",
        ),
        (BANK | {"bank_code": ""}, "Routing number is required"),
        (BANK | {"bank_account": ""}, "Account number is required"),
    ],
)
def test_a_method_that_cannot_be_stored(call: WhmcsCall, counters: Whmcs, form: dict[str, str], message: str) -> None:
    assert call("AddPayMethod", {"clientid": "1"} | form)["message"] == message
    assert stored(call) == []


def test_where_no_module_keeps_them_nothing_is_stored(call: WhmcsCall, aiko: int) -> None:
    assert call("AddPayMethod", CARD, clientid=aiko)["message"] == "No Local Credit Card Payment Gateways Enabled"
    assert call("AddPayMethod", BANK, clientid=aiko)["message"] == "Gateway is Required for Bank Account Storage"


def test_each_kind_of_method_has_fields_of_its_own(call: WhmcsCall, counters: Whmcs) -> None:
    for form in (CARD, REMOTE, BANK):
        assert call("AddPayMethod", form, clientid=1)["clientid"] == "1"
    local, remote, bank = stored(call)
    assert (local["type"], local["gateway_name"], local["remote_token"], local["card_last_four"]) == (
        "CreditCard",
        "",
        "",
        "4242",
    )
    assert (remote["gateway_name"], remote["expiry_date"], bool(remote["remote_token"])) == ("stripe", "08/40", True)
    assert (bank["type"], bank["bank_name"], "card_type" in bank) == ("BankAccount", "Mizuho", False)


def test_the_default_comes_first_and_is_charged_first(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    add_card(whmcs, aiko, "4000000000000002", "08/40")
    call("AddOrder", {"clientid": aiko, "paymentmethod": "stripe", "pid[0]": 101})
    assert call("CapturePayment", invoiceid=1)["message"] == "Payment Attempt Failed"
    made = call("AddPayMethod", REMOTE, clientid=aiko, set_as_default=1)
    assert [row["id"] for row in stored(call)] == [int(made["paymethodid"]), 1]
    assert call("CapturePayment", invoiceid=1)["result"] == "success"
    call("UpdatePayMethod", clientid=aiko, paymethodid=1, set_as_default=1)
    assert [row["id"] for row in stored(call)] == [1, 2]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"paymethodid": ""}, "Pay Method ID is Required"),
        ({"clientid": ""}, "Client ID is Required"),
        ({"paymethodid": "9"}, "Invalid Pay Method ID"),
        ({"clientid": "2"}, "Pay Method does not belong to passed Client ID"),
        ({}, "No Details Provided for Update"),
        ({"bank_name": "Mizuho"}, "No Details Provided for Update"),
        ({"card_expiry": "9999"}, "Expiry Date is invalid"),
        ({"card_number": "4242424242424241"}, "Error Updating Remote Pay Method: Your card number is incorrect."),
    ],
)
def test_a_change_that_cannot_be(call: WhmcsCall, counters: Whmcs, form: dict[str, str], message: str) -> None:
    call("AddPayMethod", REMOTE, clientid=1)
    before = stored(call)
    assert call("UpdatePayMethod", {"clientid": "1", "paymethodid": "1"} | form)["message"] == message
    assert stored(call) == before


def test_a_card_is_renewed(call: WhmcsCall, counters: Whmcs) -> None:
    call("AddPayMethod", REMOTE, clientid=1)
    changed = call("UpdatePayMethod", clientid=1, paymethodid=1, card_number="5555555555554444", card_expiry="09/41")
    assert changed == {"result": "success", "clientid": "1", "paymethodid": "1"}
    (row,) = stored(call)
    assert (row["card_type"], row["card_last_four"], row["expiry_date"]) == ("MasterCard", "4444", "09/41")


def test_an_assisting_module_lets_no_number_be_changed(call: WhmcsCall, counters: Whmcs) -> None:
    card = add_card(counters, 1, "4242424242424242", "08/40")
    card.gateway = "assist"
    counters.pay_methods.put(card)
    refused = call("UpdatePayMethod", clientid=1, paymethodid=card.id, card_number="5555555555554444")
    assert refused["message"] == "Unable to Update Card Number for Assisted Gateway"
    card.gateway = "paper"
    counters.pay_methods.put(card)
    refused = call("UpdatePayMethod", clientid=1, paymethodid=card.id, card_expiry="0941")
    assert refused["message"] == "Unsupported Gateway Type for Update"


def test_a_module_that_says_no_is_heard(call: WhmcsCall, counters: Whmcs) -> None:
    call("AddPayMethod", REMOTE, clientid=1)
    counters.configure(storage_error="Stripe is closed")
    same = {"clientid": 1, "paymethodid": 1}
    assert call("AddPayMethod", REMOTE, clientid=1)["message"] == "Error Creating Remote Token: Stripe is closed"
    refused = call("UpdatePayMethod", same, card_expiry="0941")
    assert refused["message"] == "Error Updating Remote Pay Method: Stripe is closed"
    refused = call("DeletePayMethod", same, failonremotefailure=1)
    assert refused["message"] == "Error Deleting Remote Pay Method: Stripe is closed"
    assert call("DeletePayMethod", same) == {"result": "success", "paymethodid": "1"}
    assert stored(call) == []


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"paymethodid": "1"}, "Client ID is Required"),
        ({"clientid": "1"}, "Pay Method ID is Required"),
        ({"clientid": "1", "paymethodid": "9"}, "Invalid Pay Method ID"),
        ({"clientid": "2", "paymethodid": "1"}, "Pay Method does not belong to passed Client ID"),
    ],
)
def test_a_method_that_cannot_be_deleted(call: WhmcsCall, counters: Whmcs, form: dict[str, str], message: str) -> None:
    call("AddPayMethod", REMOTE, clientid=1)
    assert call("DeletePayMethod", form)["message"] == message
    assert len(stored(call)) == 1


def test_no_number_of_card_or_account_is_kept(call: WhmcsCall, counters: Whmcs, state: Any) -> None:
    for form in (CARD, REMOTE, BANK):
        call("AddPayMethod", form, clientid=1)
    files = [path.read_bytes() for path in state.iterdir()]
    assert all(number not in raw for raw in files for number in (b"424242424242", b"4242 4242 4242", b"1234567"))
