"""Rows: creating, reading, changing, deleting, upserting, and how each goes wrong."""

import re
from typing import Any

import pytest

from sandbox.world import World
from tests.sandbox.salesforce.conftest import BASE, Api, place
from tests.sandbox.whmcs.asgi import send


def test_a_row_lives(api: Api) -> None:
    made = api("POST", "sobjects/Account/", {"attributes": {"type": "Account"}, "name": "Aiko", "Website": ""})
    assert made.status == 201
    body = made.json()
    assert body == {"id": body["id"], "success": True, "errors": []}
    assert made.headers["location"] == f"{BASE}/sobjects/Account/{body['id']}"
    assert made.headers["content-type"] == "application/json;charset=UTF-8"
    assert made.headers["sforce-limit-info"].startswith("api-usage=1/")
    row = f"sobjects/account/{body['id'][:15]}"
    assert api("PATCH", row, {"Phone": "03-5550-0100"}).status == 204
    shown = api("GET", f"{row}/?fields=Name,phone,Website,CreatedDate").json()
    assert list(shown) == ["attributes", "Name", "Phone", "Website", "CreatedDate", "Id"]
    assert (shown["Name"], shown["Phone"], shown["Website"]) == ("Aiko", "03-5550-0100", None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000", shown["CreatedDate"])
    assert api("HEAD", row).status == 200
    assert api("DELETE", row).status == 204
    assert api.error("GET", row) == {
        "status": 404,
        "errorCode": "ENTITY_IS_DELETED",
        "message": "entity is deleted",
        "fields": [],
    }


def test_a_new_account_gets_a_customer_number_of_six_digits(api: Api) -> None:
    numbers = []
    for name in ("One", "Two"):
        row = api.create("Account", Name=name)
        numbers.append(api("GET", f"sobjects/Account/{row}").json()["SF_Account_No__c"])
    assert all(number.isdecimal() and len(number) == 6 for number in numbers)
    assert len(set(numbers)) == 2
    chosen = api.create("Account", Name="Three", SF_Account_No__c="P-1")
    assert api("GET", f"sobjects/Account/{chosen}").json()["SF_Account_No__c"] == "P-1"


ORDER = {"Status": "Draft", "EffectiveDate": "2026-11-21"}
REFUSED: list[tuple[str, dict[str, Any], str, str, list[str] | None]] = [
    ("Contact", {}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
    ("Account", {"Name": "x" * 256}, "STRING_TOO_LONG", "(max length=255)", ["Name"]),
    ("Account", {"Nope": 1}, "INVALID_FIELD", "No such column 'Nope' on sobject of type Account", None),
    (
        "Account",
        {"Name": "x", "CreatedDate": "2026-01-01T00:00:00Z"},
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "CreatedDate",
        ["CreatedDate"],
    ),
    (
        "Account",
        {"Name": "x", "Portal_Status__c": "Open"},
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "Open",
        ["Portal_Status__c"],
    ),
    (
        "Account",
        {"Name": 5},
        "JSON_PARSER_ERROR",
        "Cannot deserialize instance of string from VALUE_NUMBER_INT value 5",
        None,
    ),
    (
        "Account",
        {"Name": "x", "ParentId": "nonsense"},
        "MALFORMED_ID",
        "id value of incorrect type: nonsense",
        ["ParentId"],
    ),
    (
        "Account",
        {"Name": "x", "ParentId": "0035j0000000001AAA"},
        "FIELD_INTEGRITY_EXCEPTION",
        "id value of incorrect type",
        ["ParentId"],
    ),
    (
        "Account",
        {"Name": "x", "ParentId": "0015j0000009999"},
        "INVALID_CROSS_REFERENCE_KEY",
        "invalid cross reference id",
        [],
    ),
    (
        "Contact",
        {"LastName": "x", "Email": "no address"},
        "INVALID_EMAIL_ADDRESS",
        "invalid email address: no address",
        ["Email"],
    ),
    (
        "Opportunity",
        {"Name": "x", "StageName": "Ready", "CloseDate": "soon"},
        "JSON_PARSER_ERROR",
        "instance of date from VALUE_STRING",
        None,
    ),
    (
        "Order",
        {**ORDER, "Attempt_Count__c": 10**9},
        "NUMBER_OUTSIDE_VALID_RANGE",
        "outside of valid range",
        ["Attempt_Count__c"],
    ),
    ("Order", {**ORDER}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [AccountId]", ["AccountId"]),
    ("OrderProvisionRequested__e", {"IdemKey__c": "k"}, "REQUIRED_FIELD_MISSING", "[OrderId__c]", ["OrderId__c"]),
    ("User", {"Username": "x"}, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "does not support create", []),
]


@pytest.mark.parametrize(("kind", "body", "code", "words", "fields"), REFUSED)
def test_refused_rows(api: Api, kind: str, body: Any, code: str, words: str, fields: list[str] | None) -> None:
    error = api.error("POST", f"sobjects/{kind}", body)
    assert (error["status"], error["errorCode"]) == (400, code)
    assert words in error["message"]
    assert error.get("fields") == fields


def test_a_taken_external_id_names_its_holder(api: Api, maria: str) -> None:
    error = api.error("POST", "sobjects/Account", {"Name": "Second", "SF_Account_No__c": "104882"})
    assert error["errorCode"] == "DUPLICATE_VALUE"
    assert (
        error["message"] == f"duplicate value found: SF_Account_No__c duplicates value on record with id: {maria[:15]}"
    )
    assert api.query("SELECT Id FROM Account WHERE Name = 'Second'") == []


def test_clearing_a_required_field_is_refused(api: Api, maria: str) -> None:
    error = api.error("PATCH", f"sobjects/Account/{maria}", {"Name": None})
    assert (error["errorCode"], error["fields"]) == ("REQUIRED_FIELD_MISSING", ["Name"])


ABSENT = [
    ("GET", "sobjects/Account/0015j0000009999", "The requested resource does not exist"),
    ("GET", "sobjects/Account/nonsense", "Provided external ID field does not exist or is not accessible: nonsense"),
    ("GET", "sobjects/Account/Phone/3", "Provided external ID field does not exist or is not accessible: Phone"),
    ("GET", "sobjects/Account/SF_Account_No__c/1", "The requested resource does not exist"),
    ("GET", "sobjects/Nothing", "The requested resource does not exist"),
    ("POST", "sobjects/Nothing", "The requested resource does not exist"),
    ("GET", "nowhere", "The requested resource does not exist"),
    ("GET", "/services/data/latest/limits", "The requested resource does not exist"),
]


@pytest.mark.parametrize(("method", "path", "message"), ABSENT)
def test_what_is_not_there(api: Api, method: str, path: str, message: str) -> None:
    body = {"Name": "x"} if method == "POST" else None
    assert api.error(method, path, body) == {"status": 404, "errorCode": "NOT_FOUND", "message": message}


def test_wrong_methods_bodies_and_tokens(api: Api) -> None:
    assert api.error("PUT", "limits")["errorCode"] == "METHOD_NOT_ALLOWED"
    headers = {"authorization": f"Bearer {api.token}"}
    for kind, code in (("text/plain", "UNSUPPORTED_MEDIA_TYPE"), ("application/json", "JSON_PARSER_ERROR")):
        sent = {**headers, "content-type": kind}
        reply = send(api.app, "POST", f"{BASE}/sobjects/Account", headers=sent, chunks=[b"{broken"])
        assert [each["errorCode"] for each in reply.json()] == [code]
    api.token = "00D-no-such-session"
    assert api("GET", "limits").status == 401


def test_upsert_is_idempotent(api: Api, maria: str) -> None:
    path = f"sobjects/Opportunity/Portal_Ref__c/{'a%2Fb%20c'}"
    body = {"Name": "SIM", "StageName": "Introduction", "CloseDate": "2026-12-21", "AccountId": maria}
    made = api("PATCH", path, body)
    assert (made.status, made.json()["created"]) == (201, True)
    again = api("PATCH", path, {"StageName": "Ready"})
    assert (again.status, again.json()) == (
        200,
        {"id": made.json()["id"], "success": True, "errors": [], "created": False},
    )
    assert api("PATCH", path.replace("sobjects", "/services/data/v45.0/sobjects"), {"Type": None}).status == 204
    row = api("GET", f"{path}?fields=StageName,Portal_Ref__c").json()
    assert (row["StageName"], row["Portal_Ref__c"]) == ("Ready", "a/b c")
    assert api.error("PATCH", path, {"Portal_Ref__c": "x"})["errorCode"] == "INVALID_FIELD"
    missing = "sobjects/Opportunity/Portal_Ref__c/other?updateOnly=true"
    assert api.error("PATCH", missing, body)["errorCode"] == "NOT_FOUND"


def test_an_external_id_that_is_a_number(api: Api, order: str) -> None:
    api.update("Order", order, WHMCS_Order_Id__c=4711)
    assert api("GET", "sobjects/Order/WHMCS_Order_Id__c/4711").json()["Id"] == order
    assert (
        api.one("SELECT Id, WHMCS_Order_Id__c FROM Order WHERE WHMCS_Order_Id__c = 4711")["WHMCS_Order_Id__c"] == 4711.0
    )


def test_an_external_id_with_several_rows_answers_300(api: Api, maria: str) -> None:
    for ref in ("a", "b"):
        order = place(api, maria, ref=ref)
        item = api.one(f"SELECT Id FROM OrderItem WHERE OrderId = '{order}'")["Id"]
        api.update("OrderItem", item, WHMCS_Service_ID__c="55")
    several = api("GET", "sobjects/OrderItem/WHMCS_Service_ID__c/55")
    assert several.status == 300
    assert len(several.json()) == 2


def test_publishing_an_event_by_rest(api: Api, world: World, order: str) -> None:
    before = world.bus.latest()
    made = api("POST", "sobjects/OrderProvisionRequested__e/", {"OrderId__c": order, "IdemKey__c": "k"})
    (event,) = world.bus.after("/event/OrderProvisionRequested__e", before, 10)
    note = {"statusCode": "OPERATION_ENQUEUED", "message": event.event_id, "fields": []}
    assert (made.status, made.json()) == (201, {"id": "e01xx0000000001AAA", "success": True, "errors": [note]})
    assert world.schemas.decode(event.schema_id, event.payload)["OrderId__c"] == order


def test_the_org_describes_itself(api: Api) -> None:
    described = api("GET", "sobjects/Order/describe").json()
    fields = {each["name"]: each for each in described["fields"]}
    assert fields["Activation_Status__c"]["restrictedPicklist"] is True
    assert [each["value"] for each in fields["Status"]["picklistValues"]] == [
        "Draft", "Pending Review", "Approved", "Cancelled", "Activated",
    ]  # fmt: skip
    assert (fields["WHMCS_Order_Id__c"]["type"], fields["WHMCS_Order_Id__c"]["externalId"]) == ("double", True)
    assert "OrderItems" in [each["relationshipName"] for each in described["childRelationships"]]
    assert [each["version"] for each in api("GET", "/services/data/").json()][-3:] == ["66.0", "67.0", "68.0"]
    assert api("GET", "/services/data/v59.0/").json()["query"] == "/services/data/v59.0/query"
    api("POST", "sobjects/OrderProvisionRequested__e", {"OrderId__c": "801"})
    delivered = api("GET", "limits/").json()["DailyDeliveredPlatformEvents"]
    assert delivered["Max"] - delivered["Remaining"] == 1
    schema = api("GET", "sobjects/OrderProvisionRequested__e/eventSchema").json()
    assert api("GET", f"event/eventSchema/{schema['uuid']}").json() == schema


def test_every_call_is_in_the_ledger_with_its_correlation_id(api: Api, world: World, maria: str) -> None:
    api("PATCH", f"sobjects/Account/{maria}", {"Fax": "1"}, headers={"X-Correlation-ID": "corr-7"})
    entry = world.ledger.read("salesforce")[-1]
    assert (entry.operation, entry.key, entry.correlation_id) == ("sobjects.update Account", maria, "corr-7")
    assert entry.detail["status"] == 204
    api.error("POST", "sobjects/Account", {})
    assert world.ledger.read("salesforce")[-1].detail["errors"] == ["REQUIRED_FIELD_MISSING"]
