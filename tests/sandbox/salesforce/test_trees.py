"""Trees: records made with their children, all or nothing."""

from typing import Any

import pytest

from tests.sandbox.salesforce.composing import names
from tests.sandbox.salesforce.conftest import Api

Row = dict[str, Any]


def node(kind: str, reference: str, fields: Row | None = None, **children: list[Row]) -> Row:
    """One record, and those under it by the name of the relationship."""
    below = {name: {"records": rows} for name, rows in children.items()}
    return {"attributes": {"type": kind, "referenceId": reference}, **(fields or {}), **below}


def account(reference: str, name: str, **children: list[Row]) -> Row:
    return node("Account", reference, {"Name": name}, **children)


def contact(reference: str, name: str = "Test", **children: list[Row]) -> Row:
    return node("Contact", reference, {"LastName": name}, **children)


def plant(api: Api, *rows: Row, kind: str = "Account") -> tuple[int, dict[str, Any]]:
    reply = api("POST", f"composite/tree/{kind}", {"records": list(rows)})
    return reply.status, reply.json()


def test_children_are_made_after_their_parents_and_linked(api: Api) -> None:
    case = node("Case", "case", {"Subject": "Hello", "Origin": "Portal"})
    rows = [account("a", "Test 1", Contacts=[contact("c1", Cases=[case]), contact("c2")]), account("b", "Test 2")]
    status, answer = plant(api, *rows)
    assert (status, answer["hasErrors"]) == (201, False)
    assert [each["referenceId"] for each in answer["results"]] == ["a", "b", "c1", "c2", "case"]
    made = {each["referenceId"]: each["id"] for each in answer["results"]}
    assert api.one(f"SELECT ContactId FROM Case WHERE Id = '{made['case']}'") | {} == {
        "attributes": {"type": "Case", "url": f"/services/data/v66.0/sobjects/Case/{made['case']}"},
        "ContactId": made["c1"],
    }
    linked = api.query(f"SELECT Id FROM Contact WHERE AccountId = '{made['a']}'")
    assert {each["Id"] for each in linked} == {made["c1"], made["c2"]}


def test_one_bad_leaf_and_there_is_no_tree(api: Api) -> None:
    bad = node("Contact", "bad", {"LastName": "Test", "Email": "nope"})
    status, answer = plant(api, account("a", "Test 1", Contacts=[contact("good"), bad]), account("b", "Test 2"))
    wrong = {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid email address: nope"}
    errors = [{**wrong, "fields": ["Email"]}]
    assert (status, answer) == (400, {"hasErrors": True, "results": [{"referenceId": "bad", "errors": errors}]})
    assert names(api) == []
    assert api.query("SELECT Id FROM Contact WHERE LastName = 'Test'") == []


def test_every_bad_record_of_a_level_is_told_and_nothing_below_is_tried(api: Api) -> None:
    status, answer = plant(api, account("a", "", Contacts=[contact("c", "")]), account("b", ""), account("d", "Test"))
    assert (status, [each["referenceId"] for each in answer["results"]]) == (400, ["a", "b"])


def test_reference_ids_are_given_once(api: Api) -> None:
    status, answer = plant(api, account("same", "Test 1"), account("same", "Test 2"), account("other", "Test 3"))
    errors = [
        {"statusCode": "INVALID_INPUT", "message": "Duplicate ReferenceId provided in the request.", "fields": []},
        {"statusCode": "PROCESSING_HALTED", "message": "Duplicate ReferenceId found: same", "fields": []},
    ]
    assert (status, answer["results"]) == (400, [{"referenceId": "same", "errors": errors}])
    assert names(api) == []


def test_records_of_another_type_than_their_place(api: Api) -> None:
    status, answer = plant(api, contact("c"), account("a", "Test 1", Contacts=[account("b", "Test 2")]))
    messages = [(each["referenceId"], each["errors"][0]["message"]) for each in answer["results"]]
    assert (status, messages) == (
        400,
        [
            ("c", "Invalid entity type provided in the request: Contact"),
            ("b", "Invalid entity type provided in the request: Account"),
        ],
    )


def deep(levels: int) -> Row:
    below = [deep(levels - 1)] if levels > 1 else []
    return account(f"r{levels}", f"Test {levels}", **({"ChildAccounts": below} if below else {}))


def test_five_levels_and_200_records(api: Api) -> None:
    assert plant(api, deep(5))[0] == 201
    assert plant(api, *(account(f"r{n}", "Test") for n in range(200)))[0] == 201


SIX_TYPES = [
    account(
        "a",
        "Test",
        Contacts=[contact("c", Cases=[node("Case", "k", CaseComments=[node("CaseComment", "cc")])])],
        Opportunities=[node("Opportunity", "o")],
        Orders=[node("Order", "d")],
    )
]
REFUSED: list[tuple[str, Any, int, str, str]] = [
    ("Account", {}, 400, "REQUIRED_FIELD_MISSING", "At least 1 record is required"),
    ("Account", [], 400, "JSON_PARSER_ERROR", "START_ARRAY"),
    ("Account", {"records": [7]}, 400, "JSON_PARSER_ERROR", "SObject from VALUE_NUMBER_INT"),
    ("Account", {"records": [{"Name": "Test"}]}, 400, "JSON_PARSER_ERROR", "SObject from START_OBJECT"),
    ("Account", {"records": [node("Account", "")]}, 403, "INVALID_INPUT", "Include a reference ID for each record"),
    ("Account", {"records": [deep(6)]}, 400, "LIMIT_EXCEEDED", "more than 5 levels"),
    ("Account", {"records": SIX_TYPES}, 400, "LIMIT_EXCEEDED", "more than 5 types"),
    ("Account", {"records": [account(f"r{n}", "Test") for n in range(201)]}, 400, "EXCEEDED_ID_LIMIT", "200 records"),
    ("Account", {"records": [account("a", "Test", Nieces=[contact("c")])]}, 400, "INVALID_FIELD", "'Nieces'"),
    ("Nope", {"records": [node("Nope", "a")]}, 404, "NOT_FOUND", "does not exist"),
]


@pytest.mark.parametrize(("kind", "body", "status", "code", "words"), REFUSED)
def test_refused_envelopes(api: Api, kind: str, body: Any, status: int, code: str, words: str) -> None:
    error = api.error("POST", f"composite/tree/{kind}", body)
    assert (error["status"], error["errorCode"]) == (status, code)
    assert words in error["message"]
    assert api.query("SELECT Id FROM Account WHERE Name LIKE 'Test%'") == []
