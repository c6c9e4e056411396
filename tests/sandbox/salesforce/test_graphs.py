"""Graphs: several Composites in one call, each all or nothing."""

from typing import Any

import pytest

from sandbox.world import World
from tests.sandbox.salesforce.composing import ROLLED_BACK, account, names, row, sub
from tests.sandbox.salesforce.conftest import Api


def graph(name: str, *nodes: dict[str, Any]) -> dict[str, Any]:
    return {"graphId": name, "compositeRequest": list(nodes)}


def run(api: Api, *graphs: dict[str, Any]) -> list[dict[str, Any]]:
    reply = api("POST", "composite/graph", {"graphs": list(graphs)})
    assert reply.status == 200, reply.text
    return list(reply.json()["graphs"])


def bodies(answer: dict[str, Any]) -> list[Any]:
    return [each["body"] for each in answer["graphResponse"]["compositeResponse"]]


def test_each_graph_stands_or_falls_alone(api: Api, world: World) -> None:
    contact = sub("c", "POST", "sobjects/Contact", {"LastName": "x", "AccountId": "@{a.id}"})
    bad, good = run(
        api, graph("bad", account("a", "Test 1"), account("b", "")), graph("good", account("a", "Test 2"), contact)
    )
    assert (bad["graphId"], bad["isSuccessful"], good["graphId"], good["isSuccessful"]) == ("bad", False, "good", True)
    assert bodies(bad)[0] == [ROLLED_BACK]
    assert bodies(bad)[1][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    linked = api.one(f"SELECT AccountId FROM Contact WHERE Id = '{bodies(good)[1]['id']}'")
    assert linked["AccountId"] == bodies(good)[0]["id"]
    assert names(api) == ["Test 2"]
    assert world.ledger.read("salesforce", "composite/graph")[-1].detail["failed"] == 1


def test_references_do_not_leave_their_graph(api: Api) -> None:
    child = sub("c", "POST", "sobjects/Contact", {"LastName": "x", "AccountId": "@{a.id}"})
    answers = run(api, graph("one", account("a", "Test 1")), graph("two", child))
    assert [each["isSuccessful"] for each in answers] == [True, False]
    assert bodies(answers[1])[0][0]["errorCode"] == "PROCESSING_HALTED"


def test_after_15_failed_graphs_the_rest_is_halted(api: Api) -> None:
    failing = [graph(f"bad{n}", account("a", "")) for n in range(15)]
    answers = run(api, *failing, graph("good", account("a", "Test 1")))
    assert {each["isSuccessful"] for each in answers} == {False}
    assert bodies(answers[14])[0][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert bodies(answers[15])[0][0]["errorCode"] == "PROCESSING_HALTED"
    assert names(api) == []


def test_after_14_failed_graphs_the_rest_goes_on(api: Api) -> None:
    answers = run(api, *(graph(f"bad{n}", account("a", "")) for n in range(14)), graph("good", account("a", "Test 1")))
    assert [each["isSuccessful"] for each in answers] == [False] * 14 + [True]


def test_nodes_are_rows(api: Api, maria: str) -> None:
    nodes = [
        account("post", "Test 1"),
        sub("get", "GET", "sobjects/Account/@{post.id}"),
        sub("patch", "PATCH", "sobjects/Account/@{post.id}", {"Fax": "1"}),
        sub("upsert", "PATCH", "sobjects/Account/Portal_Ref__c/r-1", {"Name": "Test 2"}),
        sub("found", "GET", "sobjects/Account/Portal_Ref__c/r-1"),
        sub("delete", "DELETE", "sobjects/Account/@{post.id}"),
    ]
    (answer,) = run(api, graph("g", *nodes))
    codes = [each["httpStatusCode"] for each in answer["graphResponse"]["compositeResponse"]]
    assert (answer["isSuccessful"], codes) == (True, [201, 200, 204, 201, 200, 204])
    assert names(api) == ["Test 2"]


OTHERS = [
    ("GET", "query?q=SELECT+Id+FROM+Account", 404),
    ("POST", "composite/sobjects", 404),
    ("GET", "sobjects/Account/describe", 404),
    ("GET", "sobjects", 404),
    ("GET", "/services/data/v49.0/sobjects/Account/0015j0000000001AAA", 404),
    ("GET", "sobjects/Account", 405),
    ("POST", "sobjects/Account/0015j0000000001AAA", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), OTHERS)
def test_other_calls_are_no_nodes(api: Api, method: str, path: str, status: int) -> None:
    (answer,) = run(api, graph("g", sub("x", method, path, {"records": [row("Account", Name="Test 1")]})))
    (part,) = answer["graphResponse"]["compositeResponse"]
    assert (answer["isSuccessful"], part["httpStatusCode"]) == (False, status)


def chain(length: int) -> list[dict[str, Any]]:
    """Accounts of which each is the parent of the next."""
    first, *others = (f"n{n}" for n in range(length))
    below = [account(name, f"Test {name}", ParentId=f"@{{n{n}.id}}") for n, name in enumerate(others)]
    return [account(first, "Test n0"), *below]


def many(graphs: int, nodes: int) -> list[dict[str, Any]]:
    return [graph(f"g{g}", *(account(f"n{n}", "Test") for n in range(nodes))) for g in range(graphs)]


KINDS = [
    account(f"n{version}", "Test") | {"url": f"/services/data/v{version}.0/sobjects/Account"}
    for version in range(50, 66)
]
ENVELOPES: list[tuple[Any, str, str]] = [
    ({}, "JSON_PARSER_ERROR", "no graphs list"),
    ({"graphs": [graph("g")]}, "JSON_PARSER_ERROR", "no compositeRequest list"),
    (
        {"graphs": [{"compositeRequest": [account("a", "Test")]}]},
        "JSON_PARSER_ERROR",
        'Missing required field "graphId"',
    ),
    ({"graphs": many(2, 1), "allOrNone": True}, "JSON_PARSER_ERROR", 'Unrecognized field "allOrNone"'),
    ({"graphs": [graph("g", account("a", "Test")), graph("g", account("a", "Test"))]}, "INVALID_INPUT", "graphId"),
    ({"graphs": [graph("g", account("a", "Test"), account("a", "Test"))]}, "INVALID_INPUT", "Duplicate ReferenceId"),
    ({"graphs": many(76, 1)}, "LIMIT_EXCEEDED", "75 graphs"),
    ({"graphs": many(3, 167)}, "LIMIT_EXCEEDED", "500 nodes"),
    ({"graphs": [graph("g", *chain(16))]}, "LIMIT_EXCEEDED", "15 levels"),
    ({"graphs": [graph("g", *KINDS)]}, "LIMIT_EXCEEDED", "15 different nodes"),
]


@pytest.mark.parametrize(("body", "code", "words"), ENVELOPES)
def test_refused_envelopes_do_nothing(api: Api, body: Any, code: str, words: str) -> None:
    error = api.error("POST", "composite/graph", body)
    assert (error["status"], error["errorCode"]) == (400, code)
    assert words in error["message"]
    assert names(api) == []


def test_as_much_as_there_may_be(api: Api) -> None:
    assert all(each["isSuccessful"] for each in run(api, graph("deep", *chain(15)), *many(74, 6)))


def test_there_are_no_graphs_before_version_50(api: Api) -> None:
    assert api("POST", "/services/data/v49.0/composite/graph", {"graphs": many(1, 1)}).status == 404
