"""Composite: order, references, and what happens to the others when one fails."""

from typing import Any

import pytest

from sandbox.world import World
from tests.sandbox.salesforce.composing import ROLLED_BACK, account, composite, names, row, sub, used
from tests.sandbox.salesforce.conftest import BASE, Api, entry_of


def no_value(path: str) -> list[dict[str, str]]:
    reference = path.partition(".")[0]
    message = f"Invalid reference specified. No value for {path} found in {reference}."
    return [{"message": message, "errorCode": "PROCESSING_HALTED"}]


def placing(api: Api, customer: str) -> list[dict[str, Any]]:
    """How the portal places an order: opportunity, order, items, each with the ids of those before."""
    pricebook = api.one("SELECT Id FROM Pricebook2 WHERE Name = 'Portal'")["Id"]
    opportunity = {
        "Name": "SIM – Maria",
        "StageName": "Post Processing",
        "CloseDate": "2026-12-21",
        "AccountId": customer,
    }
    order = {
        "AccountId": customer,
        "OpportunityId": "@{opp.id}",
        "Pricebook2Id": pricebook,
        "EffectiveDate": "2026-11-21",
        "Status": "Pending Review",
        "Portal_Ref__c": "SX-1:abc",
    }
    items = [
        row("OrderItem", OrderId="@{order.id}", PricebookEntryId=entry_of(api, sku), Quantity=1, UnitPrice=price)
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
    answers = composite(api, *placing(api, maria))
    assert [each["httpStatusCode"] for each in answers] == [201, 201, 200, 200, 204]
    assert [each["referenceId"] for each in answers] == ["opp", "order", "items", "read", "stage"]
    order = answers[1]["body"]["id"]
    assert answers[1]["httpHeaders"] == {"Location": f"{BASE}/sobjects/Order/{order}"}
    assert answers[3]["body"]["records"][0]["TotalAmount"] == 3080.0
    number = answers[3]["body"]["records"][0]["OrderNumber"]
    opportunity = api.one(f"SELECT Description FROM Opportunity WHERE Id = '{answers[0]['body']['id']}'")
    assert opportunity["Description"] == f"order {number}"
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
    assert (noted[1].key, noted[1].detail["within"]) == (order, parent.number)


def test_all_or_none_undoes_everything_and_says_so(api: Api, maria: str) -> None:
    subs = placing(api, maria)
    subs[2]["body"]["records"][1]["PricebookEntryId"] = entry_of(api, "ACT-SIM", "Standard Price Book")
    answers = composite(api, *subs)
    assert [each["httpStatusCode"] for each in answers] == [400, 400, 200, 400, 400]
    assert [each["body"] for each in answers if each["referenceId"] != "items"] == [[ROLLED_BACK]] * 4
    good, bad = answers[2]["body"]
    assert good["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert bad["errors"][0]["statusCode"] == "FIELD_INTEGRITY_EXCEPTION"
    assert api.query("SELECT Id FROM Order") == api.query("SELECT Id FROM Opportunity") == []


@pytest.mark.parametrize(
    ("outer", "inner", "kept", "statuses"),
    [
        (False, False, ["Test 1", "Test 2"], [200, 201]),
        (False, True, ["Test 2"], [200, 201]),
        (True, True, [], [200, 400]),
        (True, False, [], [200, 400]),
    ],
)
def test_two_flags_of_all_or_none(api: Api, outer: bool, inner: bool, kept: list[str], statuses: list[int]) -> None:
    rows = {"allOrNone": inner, "records": [row("Account", Name="Test 1"), row("Account")]}
    subs = [sub("rows", "POST", "composite/sobjects", rows), account("single", "Test 2")]
    answers = composite(api, *subs, all_or_none=outer)
    assert [each["httpStatusCode"] for each in answers] == statuses
    # With the inner flag off the first row tells of a success that the outer flag then takes back.
    assert [each["success"] for each in answers[0]["body"]] == [not inner, False]
    assert names(api) == kept


def test_without_all_or_none_only_what_depends_fails(api: Api) -> None:
    child = sub("child", "POST", "sobjects/Contact", {"LastName": "x", "AccountId": "@{bad.id}"})
    answers = composite(api, account("bad", ""), child, account("other", "Fine"), all_or_none=False)
    assert [each["httpStatusCode"] for each in answers] == [400, 400, 201]
    assert answers[0]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert answers[1]["body"] == no_value("bad.id")


def test_a_query_without_rows_stops_what_refers_to_its_first(api: Api, order: str) -> None:
    answers = composite(
        api,
        sub("guard", "GET", f"query?q=SELECT+Id+FROM+Order+WHERE+Id='{order}'+AND+Last_Idem_Key__c='old'"),
        sub("write", "PATCH", "sobjects/Order/@{guard.records[0].Id}", {"Activation_Status__c": "Provisioned"}),
    )
    assert answers[0]["body"] == [ROLLED_BACK]
    assert (answers[1]["httpStatusCode"], answers[1]["body"]) == (400, no_value("guard.records[0].Id"))
    assert api.one("SELECT Activation_Status__c FROM Order")["Activation_Status__c"] == "Pending Review"


def test_references_reach_into_lists_and_objects(api: Api, maria: str) -> None:
    contact = api.create("Contact", LastName="Rossi", AccountId=maria, Email="t@example.jp")
    query = f"query?q=SELECT+Email,Account.Name+FROM+Contact+WHERE+Id='{contact}'"
    made = {"Name": "@{q.records[0].Account.Name}", "Fax": "to @{q.records[0].Email}, @{q.done}"}
    answers = composite(
        api, sub("q", "GET", query), sub("new", "POST", "sobjects/Account", made), sub("a", "GET", "sobjects/Account")
    )
    name = api.one(f"SELECT Name FROM Account WHERE Id = '{maria}'")["Name"]
    new = api.one(f"SELECT Name, Fax FROM Account WHERE Id = '{answers[1]['body']['id']}'")
    assert (new["Name"], new["Fax"]) == (name, "to t@example.jp, true")


REFERENCES = [
    "q",
    "q.",
    "q.records",
    "q.records[0]",
    "q.records[9].Id",
    "q.records.Id",
    "q.nope",
    "Q.totalSize",
    "z.id",
]


@pytest.mark.parametrize("path", REFERENCES)
def test_a_reference_that_leads_to_no_single_value_is_invalid(api: Api, path: str) -> None:
    query = sub("q", "GET", "query?q=SELECT+Id+FROM+Account+LIMIT+1")
    answers = composite(api, query, account("new", f"@{{{path}}}"), all_or_none=False)
    assert (answers[1]["httpStatusCode"], answers[1]["body"][0]["errorCode"]) == (400, "PROCESSING_HALTED")
    assert answers[1]["body"][0]["message"].startswith(f"Invalid reference specified. No value for {path} found in ")


@pytest.mark.parametrize(("version", "status"), [("v66.0", 204), ("v52.0", 204), ("v51.0", 400)])
def test_a_field_that_is_null_in_a_record_that_was_read(api: Api, maria: str, version: str, status: int) -> None:
    api.update("Account", maria, Phone="1", Fax=None)
    subs = [
        sub("read", "GET", f"sobjects/Account/{maria}?fields=Fax"),
        sub("write", "PATCH", f"sobjects/Account/{maria}", {"Phone": "@{read.Fax}"}),
    ]
    answers = api("POST", f"/services/data/{version}/composite", {"compositeRequest": subs}).json()
    assert answers["compositeResponse"][1]["httpStatusCode"] == status
    assert api.one(f"SELECT Phone FROM Account WHERE Id = '{maria}'")["Phone"] == (None if status == 204 else "1")


def test_old_versions_take_any_reference_id_and_cannot_refer_to_it(api: Api) -> None:
    subs = [account("new[1]", "Test 1"), sub("child", "POST", "sobjects/Contact", {"AccountId": "@{new[1].id}"})]
    answers = api("POST", "/services/data/v51.0/composite", {"compositeRequest": subs}).json()["compositeResponse"]
    assert [each["httpStatusCode"] for each in answers] == [201, 400]
    assert answers[1]["body"][0]["message"] == "Invalid reference specified. No value for new[1].id found in new."


def test_sub_requests_have_headers_of_their_own(api: Api, maria: str) -> None:
    ours = {"httpHeaders": {"If-Unmodified-Since": "Tue, 01 Jan 2019 00:00:00 GMT"}}
    stale = sub("stale", "PATCH", f"sobjects/Account/{maria}", {"Fax": "1"}, **ours)
    plain = sub("plain", "PATCH", f"sobjects/Account/{maria}", {"Fax": "2"})
    answers = composite(api, stale, plain, all_or_none=False)
    assert [each["httpStatusCode"] for each in answers] == [412, 204]


def test_conditions_of_the_outer_call_are_not_for_its_parts(api: Api, maria: str) -> None:
    write = {"compositeRequest": [sub("write", "PATCH", f"sobjects/Account/{maria}", {"Fax": "2"})]}
    reply = api("POST", "composite", write, headers={"if-unmodified-since": "Tue, 01 Jan 2019 00:00:00 GMT"})
    assert reply.json()["compositeResponse"][0]["httpStatusCode"] == 204


def test_parts_may_use_another_version(api: Api, maria: str) -> None:
    url = f"/services/data/v50.0/sobjects/Account/{maria}?fields=Name"
    (answer,) = composite(api, sub("old", "GET", url))
    assert answer["body"]["attributes"]["url"] == f"/services/data/v50.0/sobjects/Account/{maria}"


ENVELOPES: list[tuple[Any, str, str]] = [
    ({}, "JSON_PARSER_ERROR", "no compositeRequest list"),
    ([], "JSON_PARSER_ERROR", "START_ARRAY"),
    ({"compositeRequest": "x"}, "JSON_PARSER_ERROR", "VALUE_STRING"),
    ({"compositeRequest": [3]}, "JSON_PARSER_ERROR", "VALUE_NUMBER_INT"),
    ({"compositeRequests": []}, "JSON_PARSER_ERROR", 'Unrecognized field "compositeRequests"'),
    (
        {"allOrNone": "yes", "compositeRequest": [account("a", "Test 0")]},
        "JSON_PARSER_ERROR",
        "boolean from VALUE_STRING",
    ),
    ({"compositeRequest": [{"method": "GET"}]}, "JSON_PARSER_ERROR", 'Missing required field "referenceId"'),
    ({"compositeRequest": [sub("a", "get", "limits")]}, "JSON_PARSER_ERROR", "HttpMethod from VALUE_STRING value get"),
    ({"compositeRequest": [account(f"r{n}", "Test 0") for n in range(26)]}, "LIMIT_EXCEEDED", "25 operations"),
    ({"compositeRequest": [sub(f"r{n}", "GET", "query?q=x") for n in range(6)]}, "LIMIT_EXCEEDED", "5 query"),
    ({"compositeRequest": [account("a-b", "Test 0")]}, "JSON_PARSER_ERROR", "must start with a letter or a number"),
    ({"compositeRequest": [account("a", "Test 0")] * 2}, "INVALID_INPUT", "Duplicate ReferenceId"),
    (
        {"compositeRequest": [account("a", "Test 0") | {"httpHeaders": {"Accept": "x"}}]},
        "INVALID_INPUT",
        "can't have the header accept",
    ),
    (
        {"compositeRequest": [account("a", "Test 0") | {"httpHeaders": {"X": 1}}]},
        "JSON_PARSER_ERROR",
        "VALUE_NUMBER_INT",
    ),
]


@pytest.mark.parametrize(("body", "code", "words"), ENVELOPES)
def test_refused_envelopes_do_nothing(api: Api, body: Any, code: str, words: str) -> None:
    error = api.error("POST", "composite", body)
    assert (error["status"], error["errorCode"]) == (400, code)
    assert words in error["message"]
    assert names(api) == []


def test_25_parts_of_which_5_are_queries(api: Api) -> None:
    queries = [sub(f"q{n}", "GET", "query?q=SELECT+Id+FROM+User") for n in range(4)]
    rows = sub("rows", "POST", "composite/sobjects", {"records": [row("Account", Name="Test 0")]})
    answers = composite(api, *queries, rows, *(account(f"a{n}", f"Test {n}") for n in range(20)))
    assert {each["httpStatusCode"] for each in answers} == {200, 201}
    assert len(names(api)) == 21


OUTSIDE = ["composite", "composite/batch", "composite/tree/Account", "limits", "", "tooling/query?q=x"]


@pytest.mark.parametrize("path", [*OUTSIDE, "/services/oauth2/userinfo", "//[", "/services/data/vX.0/sobjects"])
def test_what_cannot_be_a_part_is_not_there(api: Api, path: str) -> None:
    (answer,) = composite(api, sub("inner", "GET", path))
    assert (answer["httpStatusCode"], answer["body"][0]["errorCode"]) == (404, "NOT_FOUND")


def test_a_file_is_no_part_of_json(api: Api) -> None:
    version = api.create("ContentVersion", Title="t", PathOnClient="t.txt", VersionData="eA==")
    (answer,) = composite(api, sub("file", "GET", f"sobjects/ContentVersion/{version}/VersionData"))
    assert answer["httpStatusCode"] == 404


def test_a_method_that_the_resource_has_not(api: Api, maria: str) -> None:
    (answer,) = composite(api, sub("put", "PUT", f"sobjects/Account/{maria}", {}))
    assert (answer["httpStatusCode"], answer["body"][0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")


def test_what_there_is_beside_composite(api: Api) -> None:
    listed = api("GET", "composite").json()
    assert listed == {name: f"{BASE}/composite/{name}" for name in ("tree", "batch", "sobjects", "graph")}


def test_a_composite_counts_as_one_call(api: Api) -> None:
    before = used(api)
    composite(api, account("a", "Test 1"), account("b", "Test 2"))
    assert used(api) - before == 2
