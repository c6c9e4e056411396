"""The real process: what programs see of it, how it starts, refuses to start, and stops."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from sandbox.embedded.processes import python
from tests.sandbox.clients.simple import with_session
from tests.sandbox_process import Sandbox


def test_the_ledger_is_there_for_programs(sandbox_process: Sandbox) -> None:
    client = with_session(sandbox_process)
    before = sandbox_process.last_ledger_id()
    client.query("SELECT Id FROM Account LIMIT 1")
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


def test_a_wrong_schema_file_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    schema = tmp_path / "wrong.json"
    schema.write_text('{"fields": {"Account": [{"name": "X__c", "type": "strng"}]}}', encoding="utf-8")
    refused = run("--state", str(tmp_path / "state"), "--schema", str(schema))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"{schema}: Account.X__c.type: Input should be ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(tmp_path: Path, number: int) -> None:
    sandbox = Sandbox(tmp_path)
    process = sandbox._process
    process.send_signal(number)
    assert process.wait(timeout=20) == 0
    assert not (tmp_path / "ready.json").exists()
    assert sandbox.log.read_text() == ""
