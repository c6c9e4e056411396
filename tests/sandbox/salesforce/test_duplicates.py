"""Duplicate rules, and the header that overrides those that only warn."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.config import Config
from sandbox.salesforce import schema_files
from sandbox.salesforce.schema_files import SchemaError
from sandbox.world import World
from tests.sandbox.salesforce.conftest import BASE, Api

RULES = {
    "duplicateRules": {
        "Same_Address": {"object": "Contact", "fields": ["Email", "LastName"], "message": "Is this the same person?"},
        "Same_Number": {"object": "Account", "fields": ["Portal_Ref__c"], "action": "Block"},
    }
}
HEADER = "Sforce-Duplicate-Rule-Header"
AGAIN = {"LastName": "Santos", "Email": "Maria.Santos@example.jp"}


@pytest.fixture
def api(tmp_path: Path, key_material: Path) -> Iterator[Api]:
    shutil.copytree(key_material, tmp_path, dirs_exist_ok=True)
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps(RULES), encoding="utf-8")
    world = World(Config(state=tmp_path, schemas=(rules,)))
    yield Api(world)
    world.close()


def test_an_alert_names_the_other_record(api: Api) -> None:
    santos = api.one("SELECT Id FROM Contact WHERE LastName = 'Santos'")["Id"]
    reply = api("POST", "sobjects/Contact", AGAIN)
    (error,) = reply.json()
    assert (reply.status, error["errorCode"], error["message"]) == (
        400,
        "DUPLICATES_DETECTED",
        "Is this the same person?",
    )
    result = error["duplicateResut"]
    assert (result["allowSave"], result["duplicateRule"], result["duplicateRuleEntityType"]) == (
        True,
        "Same_Address",
        "Contact",
    )
    (match,) = result["matchResults"]
    assert (match["size"], match["success"]) == (1, True)
    assert match["matchRecords"][0]["record"] == {
        "attributes": {"type": "Contact", "url": f"{BASE}/sobjects/Contact/{santos}"},
        "Id": santos,
    }


def test_details_are_shown_on_request(api: Api) -> None:
    reply = api("POST", "sobjects/Contact", AGAIN, headers={HEADER: "includeRecordDetails=true"})
    record = reply.json()[0]["duplicateResut"]["matchResults"][0]["matchRecords"][0]["record"]
    assert record["FirstName"] == "Maria"


@pytest.mark.parametrize(
    "header", ["allowSave=true", "allowSave = TRUE; includeRecordDetails=false; runAsCurrentUser=true"]
)
def test_an_alert_can_be_overridden(api: Api, header: str) -> None:
    assert api("POST", "sobjects/Contact", AGAIN, headers={HEADER: header}).status == 201
    assert len(api.query("SELECT Id FROM Contact WHERE LastName = 'Santos'")) == 2


@pytest.mark.parametrize("header", ["allowSave=false", "allowSave", "nonsense", ""])
def test_without_the_word_it_cannot(api: Api, header: str) -> None:
    assert api("POST", "sobjects/Contact", AGAIN, headers={HEADER: header}).status == 400


def test_a_block_cannot_be_overridden(api: Api) -> None:
    api.create("Account", Name="One", Portal_Ref__c="same")
    reply = api(
        "POST", "sobjects/Account", {"Name": "Two", "Portal_Ref__c": "same"}, headers={HEADER: "allowSave=true"}
    )
    assert reply.json()[0]["errorCode"] == "DUPLICATES_DETECTED"
    assert reply.json()[0]["duplicateResut"]["allowSave"] is False


def test_all_fields_count_and_empty_ones_never_match(api: Api) -> None:
    for fields in ({"LastName": "Kato", "Email": "maria.santos@example.jp"}, {"LastName": "Santos"}):
        api.create("Contact", **fields)


def test_a_change_is_judged_when_it_touches_the_fields(api: Api, maria: str) -> None:
    kato = api.create("Contact", LastName="Kato", Email="maria.santos@example.jp")
    api.update("Contact", kato, Phone="03")
    assert api.error("PATCH", f"sobjects/Contact/{kato}", {"LastName": "Santos"})["errorCode"] == "DUPLICATES_DETECTED"


def test_inside_of_a_composite_the_header_of_the_whole_counts(api: Api) -> None:
    sub = {"method": "POST", "url": f"{BASE}/sobjects/Contact", "referenceId": "c", "body": AGAIN}
    for headers, status in (({HEADER: "allowSave=true"}, 201), ({}, 400)):
        body = api("POST", "composite", {"compositeRequest": [sub]}, headers=headers).json()
        assert body["compositeResponse"][0]["httpStatusCode"] == status


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"object": "Nothing", "fields": ["Name"]}, "R: there is no object Nothing to look for duplicates of"),
    ({"object": "OrderProvisionRequested__e", "fields": ["IdemKey__c"]}, "R: there is no object"),
    ({"object": "Contact", "fields": ["Nope"]}, "R: Contact has no field Nope"),
    ({"object": "Contact", "fields": ["FirstName"]}, "R: FirstName has no index"),
    ({"object": "Contact", "fields": []}, "R.fields: Tuple should have at least 1 item"),
    ({"object": "Contact", "fields": ["Email"], "action": "Warn"}, "R.action: Input should be 'Alert' or 'Block'"),
]


@pytest.mark.parametrize(("rule", "words"), WRONG)
def test_a_rule_must_be_one(tmp_path: Path, rule: dict[str, Any], words: str) -> None:
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"duplicateRules": {"R": rule}}), encoding="utf-8")
    with pytest.raises(SchemaError) as refused:
        schema_files.load([path])
    assert words in str(refused.value)
