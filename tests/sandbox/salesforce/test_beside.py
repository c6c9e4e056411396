"""Rows by external id, and what a row leads to: its parents, its children."""

import pytest

from tests.sandbox.salesforce.conftest import BASE, Api


def test_a_parent_is_reached_by_its_relationship(api: Api, order: str, maria: str) -> None:
    path = f"sobjects/Order/{order}/Account"
    shown = api("GET", f"{path}?fields=Name").json()
    assert shown == {
        "attributes": {"type": "Account", "url": f"{BASE}/sobjects/Account/{maria}"},
        "Name": "Santos Maria",
        "Id": maria,
    }
    assert api("PATCH", path, {"Fax": "03"}).status == 204
    assert api("GET", f"sobjects/Account/{maria}").json()["Fax"] == "03"
    assert api.error("DELETE", path)["errorCode"] == "DELETE_FAILED"
    assert api.error("GET", f"sobjects/Order/{order}/Contract")["errorCode"] == "NOT_FOUND", "there is none"
    assert api.error("GET", f"sobjects/Order/{order}/Nonsense")["errorCode"] == "NOT_FOUND"


def test_a_parent_may_be_of_several_types(api: Api, maria: str) -> None:
    case = api.create("Case", AccountId=maria, Subject="Modem")
    task = api.create("Task", WhatId=case, Subject="Call")
    assert api("GET", f"sobjects/Task/{task}/What?fields=Subject").json()["Subject"] == "Modem"


def test_children_are_reached_by_theirs(api: Api, maria: str) -> None:
    body = api("GET", f"sobjects/Account/{maria}/contacts?fields=LastName,Email").json()
    (contact,) = body["records"]
    assert (body["totalSize"], body["done"]) == (1, True)
    assert (contact["LastName"], contact["Email"]) == ("Santos", "maria.santos@example.jp")
    assert contact["attributes"]["type"] == "Contact"
    assert api("GET", f"sobjects/Account/{maria}/Orders").json() == {"totalSize": 0, "done": True, "records": []}
    assert api.error("GET", f"sobjects/Account/{maria}/Contacts?fields=Nope")["errorCode"] == "INVALID_FIELD"


def test_an_address_is_one_value(api: Api, maria: str) -> None:
    row = api("GET", f"sobjects/Account/{maria}").json()
    assert row["BillingAddress"] == {
        "city": "港区",
        "country": "Japan",
        "geocodeAccuracy": None,
        "latitude": None,
        "longitude": None,
        "postalCode": "108-0023",
        "state": "東京都",
        "street": "芝浦3-12-8 シーサイド芝浦 1204",
    }
    assert row["ShippingAddress"] is None
    error = api.error("PATCH", f"sobjects/Account/{maria}", {"BillingAddress": {"city": "x"}})
    assert error["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_reference_may_be_given_by_an_external_id(api: Api, maria: str) -> None:
    made = api.create("Contact", LastName="Kato", Account={"SF_Account_No__c": "104882"})
    assert api("GET", f"sobjects/Contact/{made}").json()["AccountId"] == maria
    for parent, words in (
        (
            {"SF_Account_No__c": "1"},
            "Foreign key external ID: 1 not found for field SF_Account_No__c in entity Account",
        ),
        ({"Phone": "1"}, "Phone is not an External ID or indexed field for Account"),
        ({}, "is not an External ID"),
    ):
        error = api.error("POST", "sobjects/Contact", {"LastName": "x", "Account": parent})
        assert error["errorCode"] == "INVALID_FIELD"
        assert words in error["message"]
    assert api.error("POST", "sobjects/Contact", {"LastName": "x", "Account": "y"})["errorCode"] == "JSON_PARSER_ERROR"
    api.update("Contact", made, Account=None)
    assert api("GET", f"sobjects/Contact/{made}").json()["AccountId"] is None


def test_deleting_by_external_id(api: Api) -> None:
    made = api.create("Account", Name="x", Portal_Ref__c="gone")
    assert api("DELETE", "sobjects/Account/Portal_Ref__c/gone").status == 204
    assert api.error("GET", f"sobjects/Account/{made}")["errorCode"] == "ENTITY_IS_DELETED"
    assert api.error("DELETE", "sobjects/Account/Portal_Ref__c/gone")["errorCode"] == "NOT_FOUND"


@pytest.mark.parametrize("key", ["%20", "  "])
def test_a_blank_key_is_none(api: Api, key: str) -> None:
    path = f"sobjects/Account/Portal_Ref__c/{key.replace(' ', '%20')}"
    assert api.error("PATCH", path, {"Name": "x"})["errorCode"] == "MISSING_ARGUMENT"


def test_the_body_does_not_name_the_row(api: Api, maria: str) -> None:
    for path in (f"sobjects/Account/{maria}", "sobjects/Account/SF_Account_No__c/104882"):
        error = api.error("PATCH", path, {"id": maria})
        assert (error["errorCode"], error["fields"]) == ("INVALID_FIELD", ["Id"])
    error = api.error("POST", "sobjects/Account", {"Name": "x", "Id": maria})
    assert (error["errorCode"], error["message"]) == (
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "cannot specify Id in an insert call",
    )


def test_ids_of_either_length_and_no_other(api: Api, maria: str) -> None:
    for known in (maria, maria[:15], maria.lower(), maria.upper()):
        assert api("GET", f"sobjects/Account/{known}").json()["Id"] == maria
    for wrong in (f"{maria[:17]}5", maria[:14], f"{maria}0", "0035j0000000001AAA"):
        error = api.error("GET", f"sobjects/Account/{wrong}")
        assert error["message"] == f"Provided external ID field does not exist or is not accessible: {wrong}"
    error = api.error("POST", "sobjects/Contact", {"LastName": "x", "AccountId": f"{maria[:17]}5"})
    assert (error["errorCode"], error["fields"]) == ("MALFORMED_ID", ["AccountId"])
    made = api.create("Contact", LastName="x", AccountId=maria[:15])
    assert api("GET", f"sobjects/Contact/{made}").json()["AccountId"] == maria


def test_a_deleted_record_cannot_be_referred_to(api: Api) -> None:
    gone = api.create("Account", Name="x")
    api("DELETE", f"sobjects/Account/{gone}")
    error = api.error("POST", "sobjects/Contact", {"LastName": "x", "AccountId": gone})
    assert (error["status"], error["errorCode"]) == (400, "ENTITY_IS_DELETED")
