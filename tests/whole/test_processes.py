"""The processes as an operator meets them: truthful health, one sentence when something is wrong, no leavings."""

import os
import re
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from sandbox.demo.stack import ROOT, Ports, Stack
from sandbox.embedded.processes import CannotStart, free_port, python, stop
from tests.environment import throwaway_key
from tests.waiting import until

pytestmark = [pytest.mark.whole, pytest.mark.xdist_group("whole")]
COMMAND = (python(), "manage.py", "subscribe_sf_events")


def health(stack: Stack, page: str) -> tuple[int, dict[str, Any]]:
    answer = requests.get(f"{stack.site_url}/health/{page}", timeout=10)
    return answer.status_code, dict(answer.json())


def test_health_tells_when_the_subscriber_stops_and_when_it_is_back(stack: Stack) -> None:
    until(lambda: health(stack, "sf-events")[1]["status"] == "ok", what="sf-events to be ok")
    stop(stack.processes.pop("subscriber"))
    assert health(stack, "sf-events")[0] == 503
    assert health(stack, "sf-events")[1]["status"] == "down"
    assert (health(stack, "live")[0], health(stack, "ready")[0]) == (200, 200)

    stack.start_subscriber()
    until(lambda: health(stack, "sf-events")[1]["status"] == "ok", what="sf-events to be ok again")


@pytest.fixture
def foreign_env(stack: Stack) -> dict[str, str]:
    """The portal's environment with a database of its own, so that no stored token helps."""
    import psycopg

    url = stack.env["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS foreign_start")
        connection.execute("CREATE DATABASE foreign_start TEMPLATE template0")
    env = {**stack.env, "DATABASE_URL": url.rsplit("/", 1)[0] + "/foreign_start"}
    migrate = [python(), "manage.py", "migrate", "--no-input", "-v0"]
    subprocess.run(migrate, env=env, cwd=ROOT, check=True)
    return env


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"SF_PRIVATE_KEY_PATH": "", "SF_PRIVATE_KEY_BASE64": throwaway_key()}, "key"),
        ({"SF_CLIENT_ID": "3MVG9-nobody-knows-this"}, "SF_CLIENT_ID"),
        ({"SF_AUDIENCE": "https://example.com"}, "SF_AUDIENCE"),
    ],
    ids=["key", "issuer", "audience"],
)
def test_a_wrong_credential_ends_the_subscriber_with_one_sentence(
    foreign_env: dict[str, str], wrong: dict[str, str], word: str
) -> None:
    done = subprocess.run(
        COMMAND, env=foreign_env | wrong, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    said = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert done.returncode == 78, done.stderr
    assert len(said) == 1, said
    assert word.lower() in said[0].lower()
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_said_in_one_sentence(tmp_path: Path) -> None:
    port = free_port()
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        with pytest.raises(CannotStart, match=rf"Port {port} \(portal\) is in use"):
            Stack(tmp_path, ports=Ports(port, *(free_port() for _ in range(5)))).start()


def test_a_dead_process_is_named(stack: Stack) -> None:
    stack.processes["subscriber"].send_signal(signal.SIGKILL)
    stack.processes["subscriber"].wait()
    with pytest.raises(CannotStart, match="The process subscriber ended"):
        stack.check()
    stack.start_subscriber()
    until(lambda: health(stack, "sf-events")[1]["status"] == "ok", what="sf-events to be ok again")


def children_of(state: Path) -> list[str]:
    """Every process that the demo on `state` started and that still lives."""
    mark = str(state)
    living = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = " ".join(process.info["cmdline"] or []) + str(process.info["environ"] or "")
        if mark in words and process.pid != os.getpid():
            living.append(" ".join(process.info["cmdline"] or [])[:120])
    return living


def test_one_order_gets_through_from_nothing_and_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    state = tmp_path / "demo"
    command = [python(), "-m", "sandbox.demo", "--free-ports", "--state", str(state)]
    demo = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ""
    for line in demo.stdout or []:
        said += line
        if "Ctrl-C" in line:
            break
    assert re.search(r"Provisioned \d+\.\d\d s after the approval", said), said
    assert "Salesforce's order, items and opportunity agree" in said
    assert "WRONG" not in said
    demo.send_signal(signal.SIGINT)
    rest = (demo.stdout.read() if demo.stdout else "") + str(demo.wait(60))
    assert "Everything is stopped" in rest
    assert demo.returncode == 0
    until(lambda: not children_of(state), what=f"no process left of {state}")
