"""simple-salesforce 1.12.10, unmodified, against the real process: what its manual shows, and how it fails."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from simple_salesforce import Salesforce, format_external_id, format_soql
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from tests.sandbox.clients.simple import MY_DOMAIN, trusting, with_key, with_password, with_session
from tests.sandbox_process import Sandbox

PAGE = 2000


@pytest.fixture(scope="module")
def salesforce(sandbox_process: Sandbox) -> Salesforce:
    return with_session(sandbox_process)


@pytest.fixture
def ref() -> str:
    """A reference that nothing else in this org has."""
    return uuid.uuid4().hex


def refusal(refused: pytest.ExceptionInfo[SalesforceError]) -> tuple[int, str]:
    """Status and error code."""
    content: Any = refused.value.content
    return refused.value.status, str(content[0]["errorCode"])


# --- logging in


@pytest.mark.parametrize("domain", ["login", "test"])
def test_it_logs_in_with_a_key(sandbox_process: Sandbox, domain: str) -> None:
    client = with_key(sandbox_process, domain=domain)
    assert client.auth_type == "jwt-bearer"
    assert client.query("SELECT COUNT() FROM Account")["totalSize"] >= 3


def test_it_logs_in_with_a_password(sandbox_process: Sandbox) -> None:
    urls = sandbox_process.urls
    by_key = with_session(sandbox_process)
    organization = by_key.query("SELECT Id FROM Organization")["records"][0]["Id"]
    key = {"consumer_key": urls["salesforce_client_id"], "consumer_secret": urls["salesforce_client_secret"]}
    clients = [
        with_password(sandbox_process, security_token=urls["salesforce_security_token"], version="59.0"),
        with_password(sandbox_process, organizationId=organization),
        with_password(sandbox_process, **key),
        Salesforce(domain=MY_DOMAIN, session=trusting(sandbox_process), **key),
    ]
    assert [client.auth_type for client in clients] == ["password", "ipfilter", "password", "client-credentials"]
    assert [client.query("SELECT COUNT() FROM Organization")["totalSize"] for client in clients] == [1, 1, 1, 1]


def test_a_wrong_password(sandbox_process: Sandbox) -> None:
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        with_password(sandbox_process, username="nobody@sonix.example", security_token="x")
    message = "Invalid username, password, security token; or user locked out."
    assert (refused.value.code, refused.value.auth_message) == ("INVALID_LOGIN", message)


def test_an_app_that_is_not_known(sandbox_process: Sandbox) -> None:
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        with_key(sandbox_process, consumer_key="another")
    assert (refused.value.code, refused.value.auth_message) == ("invalid_client_id", "client identifier invalid")


def test_a_user_who_did_not_approve_the_app(sandbox_process: Sandbox) -> None:
    with pytest.warns(UserWarning, match="self-authorize"), pytest.raises(SalesforceAuthenticationFailed) as refused:
        with_key(sandbox_process, username="nobody@sonix.example")
    assert (refused.value.code, refused.value.auth_message) == ("invalid_grant", "user hasn't approved this consumer")


def test_a_session_that_ended_is_renewed_by_itself(sandbox_process: Sandbox) -> None:
    client = with_key(sandbox_process)
    living = client.session_id
    client.session_id = "00D5j0000000001!dead"
    client._generate_headers()
    assert client.query("SELECT COUNT() FROM Account")["done"] is True
    assert client.session_id == living


def test_a_session_of_somebody_elses_making(sandbox_process: Sandbox) -> None:
    with pytest.raises(SalesforceExpiredSession) as refused:
        with_session(sandbox_process, session_id="00D5j0000000001!dead").limits()
    assert refusal(refused) == (401, "INVALID_SESSION_ID")


# --- queries


@pytest.fixture(scope="module")
def crowd(salesforce: Salesforce) -> str:
    """The fax number of more accounts than a page holds."""
    fax, rows = "03-5550-2050", []
    for n in range(PAGE + 50):
        rows.append({"attributes": {"type": "Account"}, "Name": f"Crowd {n:04}", "Fax": fax})
    for start in range(0, len(rows), 200):
        body = {"records": rows[start : start + 200]}
        assert all(each["success"] for each in salesforce.restful("composite/sobjects", method="POST", json=body))
    return fax


def test_a_long_result_comes_in_pages(salesforce: Salesforce, crowd: str) -> None:
    soql = format_soql("SELECT Name FROM Account WHERE Fax = {} ORDER BY Name", crowd)
    first = salesforce.query(soql)
    assert (first["totalSize"], first["done"], len(first["records"])) == (PAGE + 50, False, PAGE)
    by_url = salesforce.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    by_name = salesforce.query_more(first["nextRecordsUrl"].rpartition("/")[2])
    assert by_url == by_name
    assert (by_url["done"], [each["Name"] for each in by_url["records"]][-1]) == (True, f"Crowd {PAGE + 49:04}")
    assert by_url["records"][0]["attributes"]["type"] == "Account"


def test_all_pages_at_once_or_as_they_come(salesforce: Salesforce, crowd: str) -> None:
    soql = format_soql("SELECT Name FROM Account WHERE Fax = {} ORDER BY Name", crowd)
    names = [f"Crowd {n:04}" for n in range(PAGE + 50)]
    everything = salesforce.query_all(soql)
    assert (everything["totalSize"], [each["Name"] for each in everything["records"]]) == (PAGE + 50, names)
    one_by_one: Iterator[Any] = salesforce.query_all_iter(soql, headers={"Sforce-Query-Options": "batchSize=500"})
    assert [each["Name"] for each in one_by_one] == names


def test_deleted_records_are_found_when_they_are_asked_for(salesforce: Salesforce, ref: str) -> None:
    made = salesforce.Account.create({"Name": "Gone", "Portal_Ref__c": ref})
    assert salesforce.Account.delete(made["id"]) == 204
    soql = format_soql("SELECT Id, IsDeleted FROM Account WHERE Portal_Ref__c = {}", ref)
    assert salesforce.query(soql)["totalSize"] == 0
    assert salesforce.query_all(soql, include_deleted=True)["records"][0]["IsDeleted"] is True


def test_numbers_of_any_kind(sandbox_process: Sandbox) -> None:
    exact = with_session(sandbox_process, parse_float=Decimal, object_pairs_hook=dict)
    found = exact.query("SELECT UnitPrice FROM PricebookEntry WHERE UnitPrice > 0 LIMIT 1")["records"][0]
    assert (type(found), type(found["UnitPrice"])) == (dict, Decimal)


def test_whether_it_is_a_sandbox(salesforce: Salesforce) -> None:
    assert salesforce.is_sandbox() is True


# --- records


def test_a_record_lives(salesforce: Salesforce, ref: str) -> None:
    made = salesforce.Account.create({"Name": "Simple", "Portal_Ref__c": ref})
    assert (made["success"], made["errors"]) == (True, [])
    assert salesforce.Account.get(made["id"])["Name"] == "Simple"
    assert salesforce.Account.get_by_custom_id("Portal_Ref__c", ref)["Id"] == made["id"]
    assert salesforce.Account.update(made["id"], {"Phone": "03-5550-0100"}) == 204
    assert salesforce.Account.upsert(f"Portal_Ref__c/{ref}", {"Fax": "1"}) == 200
    again = salesforce.Account.get(made["id"])
    assert (again["Phone"], again["Fax"]) == ("03-5550-0100", "1")
    assert salesforce.Account.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound) as refused:
        salesforce.Account.get(made["id"])
    assert refusal(refused) == (404, "ENTITY_IS_DELETED")


def test_an_upsert_makes_what_is_not_there(salesforce: Salesforce, ref: str) -> None:
    key = f"a b/{ref}"
    answer = salesforce.Account.upsert(format_external_id("Portal_Ref__c", key), {"Name": "New"}, raw_response=True)
    assert (answer.status_code, answer.json()["created"]) == (201, True)
    assert salesforce.Account.get(answer.json()["id"])["Portal_Ref__c"] == key


def test_what_was_changed_and_deleted_lately(salesforce: Salesforce) -> None:
    made = [salesforce.Account.create({"Name": name})["id"] for name in ("Kept", "Gone")]
    salesforce.Account.delete(made[1])
    until = datetime.now(UTC) + timedelta(minutes=1)
    changed = salesforce.Account.updated(until - timedelta(hours=1), until)
    gone = salesforce.Account.deleted(until - timedelta(hours=1), until)
    assert made[0] in changed["ids"]
    assert made[1] in [each["id"] for each in gone["deletedRecords"]]
    assert changed["latestDateCovered"].endswith("+0000")


def test_a_file_goes_up_and_comes_down(salesforce: Salesforce, tmp_path: Path) -> None:
    made = salesforce.ContentVersion.create({"Title": "Passport", "PathOnClient": "p.png", "VersionData": "AAEC"})
    assert salesforce.ContentVersion.get_base64(made["id"], "VersionData") == b"\x00\x01\x02"
    (tmp_path / "second.png").write_bytes(b"\x03")
    with pytest.raises(SalesforceMalformedRequest):
        salesforce.ContentVersion.upload_base64(str(tmp_path / "second.png"), "VersionData")


# --- what the org says of itself


def test_descriptions(salesforce: Salesforce) -> None:
    everything = salesforce.describe()
    assert {"Account", "Order", "OrderProvisionRequested__e"} <= {each["name"] for each in everything["sobjects"]}
    assert salesforce.Account.metadata()["objectDescribe"]["keyPrefix"] == "001"
    fields = {each["name"]: each for each in salesforce.Order.describe()["fields"]}
    assert fields["AccountId"]["referenceTo"] == ["Account"]
    assert "Approved" in [each["value"] for each in fields["Status"]["picklistValues"]]


def test_limits_and_use(salesforce: Salesforce) -> None:
    before = salesforce.limits()["DailyApiRequests"]
    usage = salesforce.api_usage["api-usage"]
    assert usage.total == before["Max"]
    assert before["Max"] - salesforce.limits()["DailyApiRequests"]["Remaining"] > usage.used - 1


# --- several calls in one


def test_a_composite(salesforce: Salesforce, ref: str) -> None:
    query = "query?q=SELECT+Id+FROM+Account+WHERE+SF_Account_No__c='104882'"
    case = {"AccountId": "@{account.records[0].Id}", "Subject": "Hello", "Origin": "Portal", "Portal_Ref__c": ref}
    body = {
        "allOrNone": True,
        "compositeRequest": [
            {"method": "GET", "url": f"/services/data/v66.0/{query}", "referenceId": "account"},
            {"method": "POST", "url": "/services/data/v66.0/sobjects/Case", "referenceId": "case", "body": case},
        ],
    }
    answers = salesforce.restful("composite", method="POST", json=body)["compositeResponse"]
    assert [each["httpStatusCode"] for each in answers] == [200, 201]
    assert salesforce.Case.get_by_custom_id("Portal_Ref__c", ref)["Id"] == answers[1]["body"]["id"]


def test_a_composite_that_fails_is_an_answer_all_the_same(salesforce: Salesforce) -> None:
    part = {"method": "POST", "url": "/services/data/v66.0/sobjects/Account", "referenceId": "a", "body": {}}
    (answer,) = salesforce.restful("composite", method="POST", json={"compositeRequest": [part]})["compositeResponse"]
    assert (answer["httpStatusCode"], answer["body"][0]["errorCode"]) == (400, "REQUIRED_FIELD_MISSING")


def test_a_batch_a_graph_and_a_tree(salesforce: Salesforce, ref: str) -> None:
    batch = {"batchRequests": [{"method": "GET", "url": "v66.0/limits"}]}
    assert salesforce.restful("composite/batch", method="POST", json=batch)["hasErrors"] is False
    node = {"method": "POST", "url": "/services/data/v66.0/sobjects/Account", "referenceId": "a", "body": {"Name": "G"}}
    graph = {"graphs": [{"graphId": "1", "compositeRequest": [node]}]}
    assert salesforce.restful("composite/graph", method="POST", json=graph)["graphs"][0]["isSuccessful"] is True
    tree = {"records": [{"attributes": {"type": "Account", "referenceId": "a"}, "Name": "T", "Portal_Ref__c": ref}]}
    assert salesforce.restful("composite/tree/Account", method="POST", json=tree)["results"][0]["referenceId"] == "a"
    with pytest.raises(SalesforceMalformedRequest) as refused:
        salesforce.restful("composite/tree/Account", method="POST", json=tree)
    content: Any = refused.value.content
    assert content["results"][0]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"


# --- errors


def test_errors_are_of_its_classes(salesforce: Salesforce, ref: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as malformed:
        salesforce.query("SELECT Nope FROM Account")
    assert refusal(malformed) == (400, "INVALID_FIELD")
    with pytest.raises(SalesforceResourceNotFound) as absent:
        salesforce.Nope.describe()
    assert refusal(absent) == (404, "NOT_FOUND")
    with pytest.raises(SalesforceGeneralError) as wrong_method:
        salesforce.restful("limits", method="DELETE")
    assert refusal(wrong_method) == (405, "METHOD_NOT_ALLOWED")
    salesforce.Account.create({"Name": "First", "Portal_Ref__c": ref})
    with pytest.raises(SalesforceMalformedRequest) as duplicate:
        salesforce.Account.create({"Name": "Second", "Portal_Ref__c": ref})
    assert refusal(duplicate) == (400, "DUPLICATE_VALUE")


def test_more_than_one_record_of_a_key(tmp_path: Path) -> None:
    field = {"name": "Ext__c", "type": "string", "length": 20, "externalId": True}
    (tmp_path / "schema.json").write_text(json.dumps({"fields": {"Account": [field]}}))
    sandbox = Sandbox(tmp_path / "state", "--schema", str(tmp_path / "schema.json"))
    try:
        client = with_session(sandbox)
        made = [client.Account.create({"Name": name, "Ext__c": "same"})["id"] for name in ("One", "Two")]
        with pytest.raises(SalesforceMoreThanOneRecord) as several:
            client.Account.get_by_custom_id("Ext__c", "same")
        client.session.close()
    finally:
        sandbox.stop()
    assert several.value.content == [f"/services/data/v66.0/sobjects/Account/{each}" for each in made]


@pytest.mark.parametrize("method", ["search", "quick_search"])
def test_searches_are_not_there(salesforce: Salesforce, method: str) -> None:
    with pytest.raises(SalesforceResourceNotFound) as refused:
        getattr(salesforce, method)("FIND {Maria}")
    assert refusal(refused) == (404, "NOT_FOUND")


def test_what_the_org_has_not(salesforce: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as bulk:
        salesforce.bulk.Account.insert([{"Name": "x"}])
    assert bulk.value.content == {
        "exceptionCode": "FeatureNotEnabled",
        "exceptionMessage": "Async Api not enabled",
    }
    with pytest.raises(SalesforceRefusedRequest) as bulk2:
        salesforce.bulk2.Account.insert(records=[{"Name": "x"}])
    assert refusal(bulk2) == (403, "FUNCTIONALITY_NOT_ENABLED")
    with pytest.raises(SalesforceResourceNotFound) as apex:
        salesforce.apexecute("User/Activity", method="POST", data={"args": []})
    assert refusal(apex) == (404, "NOT_FOUND")
    with pytest.raises(SalesforceResourceNotFound) as tooling:
        salesforce.toolingexecute("executeAnonymous/?anonymousBody=System.debug(1);")
    assert refusal(tooling) == (404, "NOT_FOUND")
