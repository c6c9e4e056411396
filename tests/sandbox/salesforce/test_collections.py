"""Collections: many rows in one call, answered row by row."""

from typing import Any

import pytest

from sandbox.world import World
from tests.sandbox.salesforce.composing import names, row
from tests.sandbox.salesforce.conftest import BASE, Api

ABSENT = "0015j0000009999AAA"
ROLLED_BACK = {
    "success": False,
    "errors": [
        {
            "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "message": "Record rolled back because not all records were valid and the request was using AllOrNone "
            "header",
            "fields": [],
        }
    ],
}


def accounts(*named: str) -> list[dict[str, Any]]:
    return [row("Account", Name=name) for name in named]


def write(api: Api, method: str, rows: list[dict[str, Any]], path: str = "", **body: Any) -> list[dict[str, Any]]:
    """The results of a call that is answered at all."""
    reply = api(method, f"composite/sobjects{path}", {"records": rows, **body})
    assert reply.status == 200, reply.text
    return list(reply.json())


def errors(results: list[dict[str, Any]]) -> list[tuple[str, str] | None]:
    """Code and message of each row's only error, None for a row that was saved."""
    found = [each["errors"][0] if not each["success"] else None for each in results]
    return [(each["statusCode"], each["message"]) if each else None for each in found]


def test_rows_are_answered_in_order_each_for_itself(api: Api) -> None:
    first, bad, last = write(api, "POST", accounts("Test 1", "", "Test 2"))
    assert (first["success"], first["errors"], last["success"]) == (True, [], True)
    missing = {
        "statusCode": "REQUIRED_FIELD_MISSING",
        "message": "Required fields are missing: [Name]",
        "fields": ["Name"],
    }
    assert bad == {"success": False, "errors": [missing]}
    assert names(api) == ["Test 1", "Test 2"]


def test_rows_are_changed_and_deleted(api: Api) -> None:
    made = [each["id"] for each in write(api, "POST", accounts("Test 1", "Test 2", "Test 3"))]
    changes = [row("Account", id=made[0], Fax="9"), row("account", ID=made[1][:15], Fax="9"), row("Account", Fax="9")]
    changed = write(api, "PATCH", changes)
    assert [each.get("id") for each in changed] == [made[0], made[1], None]
    assert errors(changed)[2] == ("MISSING_ARGUMENT", "Id not specified in an update call")
    assert len(api.query("SELECT Id FROM Account WHERE Fax = '9'")) == 2
    gone = api("DELETE", f"composite/sobjects?ids={made[0]},{made[1]}&allOrNone=true").json()
    assert gone == [{"id": each, "success": True, "errors": []} for each in made[:2]]
    assert names(api) == ["Test 3"]


def test_with_all_or_none_nothing_is_kept(api: Api) -> None:
    created = write(api, "POST", accounts("Test 1", ""), allOrNone=True)
    assert created[0] == ROLLED_BACK
    assert errors(created)[1] == ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]")
    kept = api.create("Account", Name="Test 2", Fax="1")
    changed = write(api, "PATCH", [row("Account", id=kept, Fax="2"), row("Account", id=kept[:3])], allOrNone=True)
    assert changed[0] == ROLLED_BACK
    gone = api("DELETE", f"composite/sobjects?ids={kept},001&allOrNone=true").json()
    assert (gone[0], errors(gone)[1]) == (ROLLED_BACK, ("MALFORMED_ID", "malformed id 001"))
    assert [each["Fax"] for each in api.query("SELECT Fax FROM Account WHERE Name LIKE 'Test %'")] == ["1"]


def test_ids_that_lead_nowhere(api: Api) -> None:
    gone = api.create("Account", Name="Test 1")
    assert api("DELETE", f"sobjects/Account/{gone}").status == 204
    contact = api.create("Contact", LastName="Test")
    wanted = [gone, ABSENT, contact, "001", 7]
    assert errors(write(api, "PATCH", [row("Account", Id=each, Fax="1") for each in wanted])) == [
        ("ENTITY_IS_DELETED", "entity is deleted"),
        ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        ("MALFORMED_ID", f"Account ID: id value of incorrect type: {contact}"),
        ("MALFORMED_ID", "Account ID: id value of incorrect type: 001"),
        ("MALFORMED_ID", "Account ID: id value of incorrect type: 7"),
    ]
    assert errors(api("DELETE", f"composite/sobjects?ids={gone},{ABSENT},x").json()) == [
        ("ENTITY_IS_DELETED", "entity is deleted"),
        ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        ("MALFORMED_ID", "malformed id x"),
    ]


def test_rows_of_one_key_exclude_each_other(api: Api) -> None:
    kept = api.create("Account", Name="Test 1", Portal_Ref__c="r-1")
    twins = [row("Account", Id=kept, Fax="1"), row("Account", Id=kept[:15], Fax="2")]
    assert errors(write(api, "PATCH", twins)) == [("DUPLICATE_VALUE", f"Duplicate id specified: {kept}")] * 2
    upserts = [row("Account", Portal_Ref__c=ref, Name="Test 2") for ref in ("r-1", "R-1", "r-2")]
    results = write(api, "PATCH", upserts, "/Account/Portal_Ref__c")
    assert errors(results) == [
        ("DUPLICATE_VALUE", "Duplicate external id specified: r-1"),
        ("DUPLICATE_VALUE", "Duplicate external id specified: R-1"),
        None,
    ]
    assert names(api) == ["Test 1", "Test 2"]


def test_upserts_by_external_id(api: Api) -> None:
    api.create("Account", Name="Old", Portal_Ref__c="r-1")
    rows = [row("Account", portal_ref__c=f"r-{n}", Name=f"Test {n}") for n in (1, 2)]
    results = write(api, "PATCH", [*rows, row("Account", Name="Test 3"), row("Contact", Portal_Ref__c="r-3")], PATH)
    assert [each.get("created") for each in results] == [False, True, None, None]
    assert errors(results)[2:] == [
        ("MISSING_ARGUMENT", "Portal_Ref__c not specified"),
        ("INVALID_TYPE", "The type of every record must be Account"),
    ]
    assert names(api) == ["Test 1", "Test 2"]


PATH = "/Account/Portal_Ref__c"


def test_records_of_several_types_and_events(api: Api, world: World, order: str) -> None:
    event = row("OrderProvisionRequested__e", OrderId__c=order, IdemKey__c="k", Version__c=1)
    made = write(api, "POST", [*accounts("Test 1"), row("Contact", LastName="Test"), event])
    assert [each["success"] for each in made] == [True, True, True]
    published = world.ledger.read("salesforce", "event.publish")[-1]
    assert made[2]["errors"] == [{"statusCode": "OPERATION_ENQUEUED", "message": published.key, "fields": []}]


def test_an_event_is_not_published_when_its_rows_are_taken_back(api: Api, world: World, order: str) -> None:
    before = len(world.ledger.read("salesforce", "event.publish"))
    event = row("OrderProvisionRequested__e", OrderId__c=order, IdemKey__c="k", Version__c=1)
    write(api, "POST", [event, *accounts("")], allOrNone=True)
    assert len(world.ledger.read("salesforce", "event.publish")) == before


def alternating(chunks: int) -> list[dict[str, Any]]:
    return [row("Account", Name="Test") if n % 2 else row("Contact", LastName="Test") for n in range(chunks)]


REFUSED: list[tuple[str, str, Any, str, str]] = [
    ("POST", "", {}, "REQUIRED_FIELD_MISSING", "At least 1 record is required"),
    ("POST", "", None, "JSON_PARSER_ERROR", "VALUE_NULL"),
    ("POST", "", {"records": [3]}, "JSON_PARSER_ERROR", "SObject from VALUE_NUMBER_INT"),
    ("POST", "", {"record": []}, "JSON_PARSER_ERROR", 'Unrecognized field "record"'),
    ("POST", "", {"records": accounts("T"), "allOrNone": 1}, "JSON_PARSER_ERROR", "boolean from VALUE_NUMBER_INT"),
    ("POST", "", {"records": accounts(*["T"] * 201)}, "EXCEEDED_ID_LIMIT", "cannot submit more than 200 records"),
    ("POST", "", {"records": alternating(11)}, "LIMIT_EXCEEDED", "Cannot have more than 10 chunks"),
    ("PATCH", "", {"records": alternating(11)}, "LIMIT_EXCEEDED", "Cannot have more than 10 chunks"),
    ("DELETE", "", None, "REQUIRED_FIELD_MISSING", "At least 1 record is required"),
    ("DELETE", f"?ids={','.join(['x'] * 201)}", None, "EXCEEDED_ID_LIMIT", "more than 200 records"),
    ("GET", f"/Account?ids={ABSENT}", None, "MISSING_ARGUMENT", "fields not specified"),
    ("GET", "/Account?fields=Name", None, "REQUIRED_FIELD_MISSING", "At least 1 record is required"),
    ("GET", f"/Account?ids={ABSENT}&fields=Nope", None, "INVALID_FIELD", "No such column 'Nope'"),
    ("POST", "/Account", {"ids": [ABSENT] * 2001, "fields": ["Name"]}, "EXCEEDED_ID_LIMIT", "more than 2000 records"),
    ("POST", "/Account", {"ids": [1], "fields": ["Name"]}, "JSON_PARSER_ERROR", "string from VALUE_NUMBER_INT"),
    ("PATCH", "/Nope/Portal_Ref__c", {"records": accounts("T")}, "NOT_FOUND", "does not exist"),
]


@pytest.mark.parametrize(("method", "path", "body", "code", "words"), REFUSED)
def test_refused_calls_do_nothing(api: Api, method: str, path: str, body: Any, code: str, words: str) -> None:
    error = api.error(method, f"composite/sobjects{path}", body)
    assert (error["status"], error["errorCode"]) == (404 if code == "NOT_FOUND" else 400, code)
    assert words in error["message"]
    assert api.query("SELECT Id FROM Account WHERE Name = 'T'") == []


def test_200_rows_in_10_chunks(api: Api) -> None:
    accounts_, contacts = [row("Account", Name="Test")] * 20, [row("Contact", LastName="Test")] * 20
    assert all(each["success"] for each in write(api, "POST", [*accounts_, *contacts] * 5))


def test_a_type_that_there_is_not(api: Api) -> None:
    bare = {"Name": "Test 1"}
    results = write(api, "POST", [row("Nope", Name="x"), bare, {"attributes": 1}, *accounts("Test 1")])
    assert errors(results) == [
        ("INVALID_TYPE", "sObject type 'Nope' is not supported."),
        ("INVALID_TYPE", "sObject type '' is not supported."),
        ("INVALID_TYPE", "sObject type '' is not supported."),
        None,
    ]


def test_many_are_read_in_the_order_asked_for(api: Api) -> None:
    first, second = (each["id"] for each in write(api, "POST", accounts("Test 1", "Test 2")))
    body = {"ids": [second, ABSENT, "x", first], "fields": ["name"]}
    read = api("POST", "composite/sobjects/account", body).json()
    assert read == api("GET", f"composite/sobjects/Account?ids={second},{ABSENT},x,{first}&fields=name").json()
    assert read[1:3] == [None, None]
    url = f"{BASE}/sobjects/Account/{second}"
    assert read[0] == {"attributes": {"type": "Account", "url": url}, "Name": "Test 2", "Id": second}


def test_2000_are_read_at_once(api: Api, maria: str) -> None:
    read = api("POST", "composite/sobjects/Account", {"ids": [maria] * 2000, "fields": ["Id"]}).json()
    assert {each["Id"] for each in read} == {maria}
