"""The real process over TLS, used by an unmodified client; how it starts, refuses to start, and stops."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from sandbox.embedded.processes import python
from tests.sandbox_process import Sandbox


def trusting(sandbox: Sandbox) -> requests.Session:
    session = requests.Session()
    session.verify = sandbox.urls["ca"]
    session.trust_env = False
    return session


@pytest.fixture
def salesforce(sandbox_process: Sandbox) -> Salesforce:
    """Direct mode with a token of our own, as the portal does it."""
    urls, session = sandbox_process.urls, trusting(sandbox_process)
    claims = {
        "iss": urls["salesforce_client_id"],
        "sub": urls["salesforce_username"],
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 180,
    }
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": jwt.encode(claims, Path(urls["salesforce_key"]).read_bytes(), "RS256"),
    }
    granted = session.post(f"{urls['salesforce_url']}/services/oauth2/token", data=form, timeout=10).json()
    return Salesforce(
        session_id=granted["access_token"], instance_url=granted["instance_url"], session=session, version="66.0"
    )


def test_an_unmodified_client_works(salesforce: Salesforce) -> None:
    made = salesforce.Account.create({"Name": "Simple", "Portal_Ref__c": "simple-1"})
    assert made["success"] is True
    assert salesforce.Account.update(made["id"], {"Phone": "03-5550-0100"}) == 204
    assert salesforce.Account.upsert("Portal_Ref__c/simple-1", {"Fax": "1"}) == 200
    assert salesforce.Account.get_by_custom_id("Portal_Ref__c", "simple-1")["Phone"] == "03-5550-0100"
    found = salesforce.query_all("SELECT Id, Name FROM Account WHERE Portal_Ref__c = 'simple-1'")
    assert [row["Id"] for row in found["records"]] == [made["id"]]
    assert salesforce.Account.describe()["keyPrefix"] == "001"
    assert salesforce.api_usage["api-usage"].total > 0
    assert salesforce.Account.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        salesforce.Account.get(made["id"])


def test_its_errors_are_understood(salesforce: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        salesforce.query("SELECT Nope FROM Account")
    assert refused.value.content[0]["errorCode"] == "INVALID_FIELD"


def test_a_composite_by_the_client(salesforce: Salesforce) -> None:
    body = {
        "allOrNone": True,
        "compositeRequest": [
            {
                "method": "GET",
                "url": "/services/data/v66.0/query?q=SELECT+Id+FROM+Account+WHERE+SF_Account_No__c='104882'",
                "referenceId": "account",
            },
            {
                "method": "POST",
                "url": "/services/data/v66.0/sobjects/Case",
                "referenceId": "case",
                "body": {"AccountId": "@{account.records[0].Id}", "Subject": "Hello", "Origin": "Portal"},
            },
        ],
    }
    answers = salesforce.restful("composite", method="POST", json=body)["compositeResponse"]
    assert [each["httpStatusCode"] for each in answers] == [200, 201]


class _ToSandbox(HTTPAdapter):
    """Sends what is meant for salesforce.com to the sandbox, as a hosts file would."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        url = request.url or ""
        request.url = url.replace("https://login.salesforce.com", self._origin)
        return super().send(request, *args, **kwargs)


def test_the_clients_own_jwt_login(sandbox_process: Sandbox) -> None:
    urls, session = sandbox_process.urls, trusting(sandbox_process)
    session.mount("https://login.salesforce.com", _ToSandbox(urls["salesforce_url"]))
    client = Salesforce(
        username=urls["salesforce_username"],
        consumer_key=urls["salesforce_client_id"],
        privatekey_file=urls["salesforce_key"],
        session=session,
    )
    assert client.query("SELECT COUNT() FROM Account")["totalSize"] >= 3


def test_the_ledger_is_there_for_programs(sandbox_process: Sandbox, salesforce: Salesforce) -> None:
    before = sandbox_process.last_ledger_id()
    salesforce.query("SELECT Id FROM Account LIMIT 1")
    (row,) = sandbox_process.ledger(system="salesforce", after=before)
    assert (row["operation"], row["detail"]["status"]) == ("query", 200)
    assert sandbox_process.get("/control/health")["status"] == "ok"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [python(), "-m", "sandbox", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_taken_port_is_one_sentence_and_status_2(sandbox_process: Sandbox, tmp_path: Path) -> None:
    port = sandbox_process.urls["salesforce_url"].rpartition(":")[2]
    refused = run("--state", str(tmp_path), "--salesforce-port", port)
    assert refused.returncode == 2
    assert refused.stderr == (
        f"The port {port} for salesforce is already in use; choose another one with --salesforce-port.\n"
    )
    assert refused.stdout == ""


def test_a_state_directory_has_one_sandbox(sandbox_process: Sandbox) -> None:
    state = sandbox_process.urls["state"]
    refused = run("--state", state)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert state in refused.stderr
    assert json.loads((Path(state) / "ready.json").read_text()) == sandbox_process.urls


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(tmp_path: Path, number: int) -> None:
    sandbox = Sandbox(tmp_path)
    process = sandbox._process
    process.send_signal(number)
    assert process.wait(timeout=20) == 0
    assert not (tmp_path / "ready.json").exists()
    assert sandbox.log.read_text() == ""
