"""Batch: calls that know nothing of each other."""

from typing import Any

import pytest

from sandbox.world import World
from tests.sandbox.salesforce.composing import names, used
from tests.sandbox.salesforce.conftest import Api

HALTED = [{"message": "Batch processing halted per request", "errorCode": "BATCH_PROCESSING_HALTED"}]


def call(method: str, url: str, body: Any = None) -> dict[str, Any]:
    return {"method": method, "url": f"v66.0/{url}", "richInput": body}


def batch(api: Api, *calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    reply = api("POST", "composite/batch", {"batchRequests": list(calls), **more})
    assert reply.status == 200, reply.text
    return dict(reply.json())


def statuses(answer: dict[str, Any]) -> list[int]:
    return [each["statusCode"] for each in answer["results"]]


def test_a_record_is_changed_and_read(api: Api, maria: str) -> None:
    change = call("PATCH", f"sobjects/account/{maria}", {"Fax": "7"})
    answer = batch(api, change, call("GET", f"sobjects/account/{maria}?fields=Fax"))
    assert answer["hasErrors"] is False
    assert answer["results"][0] == {"statusCode": 204, "result": None}
    assert answer["results"][1]["statusCode"] == 200
    assert answer["results"][1]["result"]["Fax"] == "7"


def test_what_fails_stops_nobody(api: Api) -> None:
    calls = [call("POST", "sobjects/Account", {"Name": name}) for name in ("Test 1", "", "Test 2")]
    answer = batch(api, *calls)
    assert (answer["hasErrors"], statuses(answer)) == (True, [201, 400, 201])
    assert answer["results"][1]["result"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert names(api) == ["Test 1", "Test 2"]


def test_unless_it_is_to_halt_on_an_error(api: Api) -> None:
    calls = [call("POST", "sobjects/Account", {"Name": name}) for name in ("Test 1", "", "Test 2", "Test 3")]
    answer = batch(api, *calls, haltOnError=True)
    assert (answer["hasErrors"], statuses(answer)) == (True, [201, 400, 412, 412])
    assert answer["results"][3]["result"] == HALTED
    assert names(api) == ["Test 1"]


def test_they_do_not_speak_of_each_other(api: Api) -> None:
    answer = batch(api, call("POST", "sobjects/Account", {"Name": "Test @{0.id}"}))
    assert statuses(answer) == [201]
    assert names(api) == ["Test @{0.id}"]


def test_each_counts_and_is_noted(api: Api, world: World) -> None:
    before = used(api)
    batch(api, *[call("GET", "limits")] * 3)
    assert used(api) - before == 4
    outer = world.ledger.read("salesforce", "composite/batch")[-1]
    noted = world.ledger.read("salesforce", "composite/batch/subrequest", after=outer.number)
    assert [(each.detail["reference"], each.detail["operation"]) for each in noted] == [
        ("1", "limits"),
        ("2", "limits"),
        ("3", "limits"),
    ]


def test_whole_addresses_and_older_versions(api: Api) -> None:
    urls = ["/services/data/v66.0/limits", "/v66.0/limits", "v34.0/limits"]
    assert statuses(batch(api, *[{"method": "get", "url": url} for url in urls])) == [200, 200, 200]


@pytest.mark.parametrize("path", ["composite/batch", "composite/sobjects?ids=x", "event/eventSchema/x", "nope"])
def test_what_cannot_be_in_a_batch_is_not_there(api: Api, path: str) -> None:
    answer = batch(api, call("GET", path))
    assert (statuses(answer), answer["results"][0]["result"][0]["errorCode"]) == ([404], "NOT_FOUND")


def test_a_file_is_no_part_of_json(api: Api) -> None:
    version = api.create("ContentVersion", Title="t", PathOnClient="t.txt", VersionData="eA==")
    assert statuses(batch(api, call("GET", f"sobjects/ContentVersion/{version}/VersionData"))) == [404]


ENVELOPES: list[tuple[Any, str, str]] = [
    ({}, "JSON_PARSER_ERROR", "no batchRequests list"),
    (None, "JSON_PARSER_ERROR", "VALUE_NULL"),
    ({"batchRequests": [call("GET", "limits")] * 26}, "LIMIT_EXCEEDED", "25 operations"),
    ({"batchRequests": [{"method": "GET"}]}, "JSON_PARSER_ERROR", 'Missing required field "url"'),
    ({"batchRequests": [call("TRACE", "limits")]}, "JSON_PARSER_ERROR", "HttpMethod from VALUE_STRING value TRACE"),
    ({"batchRequests": [call("GET", "")]}, "INVALID_INPUT", "Invalid url"),
    ({"batchRequests": [{"method": "GET", "url": "limits"}]}, "INVALID_INPUT", "Invalid url"),
    ({"batchRequests": [{"method": "GET", "url": "v33.0/limits"}]}, "INVALID_INPUT", "Invalid url"),
    ({"batchRequests": [{"method": "GET", "url": "v67.0/limits"}]}, "INVALID_INPUT", "Invalid url"),
    ({"batchRequests": [call("GET", "limits")], "haltOnError": "no"}, "JSON_PARSER_ERROR", "boolean"),
    (
        {"batchRequests": [call("POST", "sobjects/ContentVersion", {}) | {"binaryPartName": "p"}]},
        "INVALID_MULTIPART_REQUEST",
        "no binary part",
    ),
]


@pytest.mark.parametrize(("body", "code", "words"), ENVELOPES)
def test_refused_envelopes(api: Api, body: Any, code: str, words: str) -> None:
    error = api.error("POST", "composite/batch", body)
    assert (error["status"], error["errorCode"]) == (400, code)
    assert words in error["message"]
