"""A client's address book: whmcs-wire §2."""

from typing import Any

import pytest

from tests.sandbox.whmcs.conftest import WhmcsCall

DAI = {"firstname": "Dai", "lastname": "Mori", "email": "dai@example.jp", "phonenumber": "03-1234-5678"}


@pytest.fixture
def dai(call: WhmcsCall, aiko: int) -> int:
    return int(call("AddContact", DAI, clientid=aiko)["contactid"])


def rows(call: WhmcsCall, **form: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call("GetContacts", **form)["contacts"]["contact"]
    return found


def test_a_contact_needs_a_client_and_nothing_else(call: WhmcsCall, aiko: int) -> None:
    assert call("AddContact", clientid=9)["message"] == "Client ID Not Found"
    assert call("AddContact", clientid=aiko)["contactid"] == 1


def test_a_contact_comes_back_with_its_kinds_of_mail(call: WhmcsCall, aiko: int, dai: int) -> None:
    call("UpdateContact", {"contactid": dai, "city": "Kyoto", "email_preferences[invoice]": "1"})
    (row,) = rows(call, userid=aiko)
    assert (row["id"], row["userid"], row["city"], row["phonenumber"]) == (dai, aiko, "Kyoto", "0312345678")
    assert (row["invoiceemails"], row["generalemails"]) == (True, False)


def test_an_address_is_one_contacts(call: WhmcsCall, aiko: int, dai: int) -> None:
    assert call("AddContact", DAI, clientid=aiko)["message"] == "Duplicate Email Address"
    other = call("AddContact", clientid=aiko)["contactid"]
    assert call("UpdateContact", contactid=other, email="DAI@example.jp")["message"] == "Duplicate Email Address"
    assert call("UpdateContact", contactid=dai, email="dai@example.jp")["result"] == "success"


def test_contacts_are_found_by_what_their_fields_are(call: WhmcsCall, aiko: int, dai: int) -> None:
    call("AddContact", clientid=aiko, firstname="Emi")
    assert [row["id"] for row in rows(call, firstname="dai")] == [dai]
    assert rows(call, userid=99) == []
    assert call("GetContacts", limitnum=1)["numreturned"] == 1


def test_a_contact_that_is_gone_cannot_be_changed(call: WhmcsCall, dai: int) -> None:
    assert call("DeleteContact", contactid=dai) == {"result": "success", "contactid": dai}
    for action in ("DeleteContact", "UpdateContact"):
        assert call(action, contactid=dai)["message"] == "Contact ID Not Found"
