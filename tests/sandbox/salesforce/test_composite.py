"""Composite and Collections: order, references, and what happens to the others when one fails."""

from typing import Any

import pytest

from sandbox.world import World
from tests.sandbox.salesforce.conftest import BASE, Api, entry_of

ROLLED_BACK = {
    "message": "The transaction was rolled back since another operation in the same transaction failed.",
    "errorCode": "PROCESSING_HALTED",
}


def sub(reference: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    return {"referenceId": reference, "method": method, "url": f"{BASE}/{path}", "body": body}


def run(api: Api, *subs: dict[str, Any], all_or_none: bool = True) -> list[dict[str, Any]]:
    reply = api("POST", "composite/", {"allOrNone": all_or_none, "compositeRequest": list(subs)})
    assert reply.status == 200, reply.text
    return list(reply.json()["compositeResponse"])


def placing(api: Api, account: str) -> list[dict[str, Any]]:
    """How the portal places an order: opportunity, order, items, each with the ids of those before."""
    pricebook = api.one("SELECT Id FROM Pricebook2 WHERE Name = 'Portal'")["Id"]
    opportunity = {
        "Name": "SIM – Maria",
        "StageName": "Post Processing",
        "CloseDate": "2026-12-21",
        "AccountId": account,
    }
    order = {
        "AccountId": account,
        "OpportunityId": "@{opp.id}",
        "Pricebook2Id": pricebook,
        "EffectiveDate": "2026-11-21",
        "Status": "Pending Review",
        "Portal_Ref__c": "SX-1:abc",
    }
    items = [
        {
            "attributes": {"type": "OrderItem"},
            "OrderId": "@{order.id}",
            "PricebookEntryId": entry_of(api, sku),
            "Quantity": 1,
            "UnitPrice": price,
        }
        for sku, price in (("SIM-VD-10", 1980), ("ACT-SIM", 1100))
    ]
    return [
        sub("opp", "POST", "sobjects/Opportunity", opportunity),
        sub("order", "POST", "sobjects/Order", order),
        sub("items", "POST", "composite/sobjects", {"allOrNone": True, "records": items}),
        sub("read", "GET", "query?q=SELECT+OrderNumber,TotalAmount+FROM+Order+WHERE+Id='@{order.id}'"),
        sub(
            "stage", "PATCH", "sobjects/Opportunity/@{opp.id}", {"Description": "order @{read.records[0].OrderNumber}"}
        ),
    ]


def test_an_order_is_placed_in_one_call(api: Api, world: World, maria: str) -> None:
    answers = run(api, *placing(api, maria))
    assert [each["httpStatusCode"] for each in answers] == [201, 201, 200, 200, 204]
    assert [each["referenceId"] for each in answers] == ["opp", "order", "items", "read", "stage"]
    order = answers[1]["body"]["id"]
    assert answers[1]["httpHeaders"] == {"Location": f"{BASE}/sobjects/Order/{order}"}
    assert answers[3]["body"]["records"][0]["TotalAmount"] == 3080.0
    number = answers[3]["body"]["records"][0]["OrderNumber"]
    row = api.one(f"SELECT Description FROM Opportunity WHERE Id = '{answers[0]['body']['id']}'") | {}
    assert row["Description"] == f"order {number}"
    assert answers[4]["body"] is None
    parent = world.ledger.read("salesforce", "composite")[-1]
    assert (parent.key, parent.detail["subrequests"]) == ("opp,order,items,read,stage", 5)
    noted = world.ledger.read("salesforce", "composite/subrequest", after=parent.number)
    assert [each.detail["operation"] for each in noted] == [
        "sobjects.create Opportunity",
        "sobjects.create Order",
        "collections.create",
        "query",
        "sobjects.update Opportunity",
    ]
    assert noted[1].key == order


def test_all_or_none_undoes_everything_and_says_so(api: Api, maria: str) -> None:
    subs = placing(api, maria)
    subs[2]["body"]["records"][1]["PricebookEntryId"] = entry_of(api, "ACT-SIM", "Standard Price Book")
    answers = run(api, *subs)
    assert [each["httpStatusCode"] for each in answers] == [400, 400, 200, 400, 400]
    assert [each["body"] for each in answers if each["referenceId"] != "items"] == [[ROLLED_BACK]] * 4
    good, bad = answers[2]["body"]
    assert good["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert bad["errors"][0]["statusCode"] == "FIELD_INTEGRITY_EXCEPTION"
    assert api.query("SELECT Id FROM Order") == api.query("SELECT Id FROM Opportunity") == []


def test_without_all_or_none_only_what_depends_fails(api: Api) -> None:
    answers = run(
        api,
        sub("bad", "POST", "sobjects/Account", {}),
        sub("child", "POST", "sobjects/Contact", {"LastName": "x", "AccountId": "@{bad.id}"}),
        sub("other", "POST", "sobjects/Account", {"Name": "Fine"}),
        all_or_none=False,
    )
    assert [each["httpStatusCode"] for each in answers] == [400, 400, 201]
    assert answers[0]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert answers[1]["body"] == [
        {
            "message": "Invalid reference specified. No value for bad.id found in bad.",
            "errorCode": "PROCESSING_HALTED",
        }
    ]


def test_a_query_without_rows_stops_what_refers_to_its_first(api: Api, order: str) -> None:
    answers = run(
        api,
        sub("guard", "GET", f"query?q=SELECT+Id+FROM+Order+WHERE+Id='{order}'+AND+Last_Idem_Key__c='old'"),
        sub("write", "PATCH", "sobjects/Order/@{guard.records[0].Id}", {"Activation_Status__c": "Provisioned"}),
    )
    assert answers[0]["body"] == [ROLLED_BACK]
    assert answers[1]["httpStatusCode"] == 400
    assert answers[1]["body"][0]["message"].startswith("Invalid reference specified. No value for guard.records[0].Id")
    assert api.one("SELECT Activation_Status__c FROM Order")["Activation_Status__c"] == "Pending Review"


def test_sub_requests_have_headers_of_their_own(api: Api, maria: str) -> None:
    stale = sub("write", "PATCH", f"sobjects/Account/{maria}", {"Fax": "1"})
    stale["httpHeaders"] = {"If-Unmodified-Since": "Tue, 01 Jan 2019 00:00:00 GMT"}
    assert [each["httpStatusCode"] for each in run(api, stale)] == [412]


ENVELOPES: list[tuple[Any, str, str]] = [
    ({}, "JSON_PARSER_ERROR", "no compositeRequest list"),
    ({"compositeRequest": [{"method": "GET"}]}, "JSON_PARSER_ERROR", 'Missing required field "referenceId"'),
    ({"compositeRequest": [sub(f"r{n}", "GET", "limits") for n in range(26)]}, "LIMIT_EXCEEDED", "25 operations"),
    ({"compositeRequest": [sub(f"r{n}", "GET", "query?q=x") for n in range(6)]}, "LIMIT_EXCEEDED", "5 query"),
    ({"compositeRequest": [sub("a-b", "GET", "limits")]}, "JSON_PARSER_ERROR", "must start with a letter or a number"),
    ({"compositeRequest": [sub("a", "GET", "limits")] * 2}, "INVALID_INPUT", "Duplicate ReferenceId"),
]


@pytest.mark.parametrize(("body", "code", "words"), ENVELOPES)
def test_refused_envelopes(api: Api, body: Any, code: str, words: str) -> None:
    error = api.error("POST", "composite", body)
    assert (error["status"], error["errorCode"]) == (400, code)
    assert words in error["message"]


def test_a_composite_within_a_composite_is_not_there(api: Api) -> None:
    (answer,) = run(api, sub("inner", "POST", "composite", {"compositeRequest": []}))
    assert answer["httpStatusCode"] == 404


def test_an_address_outside_of_the_api_is_not_there(api: Api) -> None:
    outside = {"referenceId": "x", "method": "GET", "url": "/services/oauth2/userinfo"}
    assert [each["httpStatusCode"] for each in run(api, outside)] == [404]


def rows(*names: str) -> list[dict[str, Any]]:
    return [{"attributes": {"type": "Account"}, "Name": name} for name in names]


def test_a_collection_answers_row_by_row(api: Api) -> None:
    made = api("POST", "composite/sobjects", {"allOrNone": False, "records": [*rows("A"), *rows(""), *rows("B")]})
    assert made.status == 200
    first, bad, last = made.json()
    assert (first["success"], last["success"]) == (True, True)
    assert bad == {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [Name]",
                "fields": ["Name"],
            }
        ],
    }
    changes = [{"attributes": {"type": "Account"}, "id": each["id"], "Fax": "9"} for each in (first, last)]
    changed = api("PATCH", "composite/sobjects/", {"records": [*changes, *rows("no id")]}).json()
    assert [each["success"] for each in changed] == [True, True, False]
    assert len(api.query("SELECT Id FROM Account WHERE Fax = '9'")) == 2
    read = api("GET", f"composite/sobjects/Account?ids={first['id']},0015j0000009999AAA&fields=Name,Fax").json()
    assert (read[0]["Name"], read[1]) == ("A", None)
    gone = api("DELETE", f"composite/sobjects?ids={first['id']},{last['id']}&allOrNone=true").json()
    assert [each["success"] for each in gone] == [True, True]


def test_an_all_or_none_collection_keeps_nothing(api: Api) -> None:
    made = api("POST", "composite/sobjects", {"allOrNone": True, "records": [*rows("A"), *rows("")]}).json()
    codes = [each["errors"][0]["statusCode"] for each in made]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert api.query("SELECT Id FROM Account WHERE Name = 'A'") == []


def test_a_collection_upserts_by_external_id(api: Api) -> None:
    api.create("Account", Name="Old", Portal_Ref__c="r-1")
    records = [{"attributes": {"type": "Account"}, "Portal_Ref__c": f"r-{n}", "Name": f"Name {n}"} for n in (1, 2)]
    made = api("PATCH", "composite/sobjects/Account/Portal_Ref__c", {"records": records}).json()
    assert [each["created"] for each in made] == [False, True]
    assert api.one("SELECT Name FROM Account WHERE Portal_Ref__c = 'r-1'")["Name"] == "Name 1"


def test_at_most_200_rows(api: Api) -> None:
    error = api.error("POST", "composite/sobjects", {"records": rows(*["x"] * 201)})
    assert error["errorCode"] == "EXCEEDED_ID_LIMIT"
