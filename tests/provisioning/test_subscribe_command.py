"""`manage.py subscribe_sf_events` as a process of its own, watched as systemd would."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

from provisioning.models import Attempt
from sandbox.environment import portal_environment
from tests.provisioning.responses import ORDERS
from tests.provisioning.subscribing import row, until_stored
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
EX_CONFIG = 78


class Process:
    """The command under a stand-in for systemd."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(str(folder / "notify"))
        self._line.settimeout(30)
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "subscribe_sf_events"],
            cwd=ROOT,
            env={**environment, "NOTIFY_SOCKET": str(folder / "notify")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, message: str) -> str:
        """Reads notifications until one holds `message`."""
        while message not in (found := self._line.recv(4096).decode()):
            pass
        return found

    def finish(self, number: int | None = None) -> tuple[int, str, str]:
        """Sends a signal; gives exit status, stdout and stderr. Ten seconds are what systemd would wait."""
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=10 if number else 40)
        self._line.close()
        return self.process.returncode, out, err


@pytest.fixture
def environment(bus: Sandbox) -> dict[str, str]:
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    ours = {key: value for key, value in os.environ.items() if key != "SF_PRIVATE_KEY_BASE64"}
    return {**ours, **portal_environment(bus.urls), "DATABASE_URL": database, "LEADER_WAIT_S": "1"}


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def run(**instead: str) -> Process:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Process({**environment, **instead}, folder))
        return started[-1]

    yield run
    for each in started:
        if each.process.poll() is None:
            each.process.send_signal(signal.SIGCONT)
            each.process.kill()
            each.process.wait()


Started = Callable[..., Process]
Publish = Callable[..., dict[str, Any]]


def test_ready_then_an_event_then_a_good_end(start: Started, publish: Publish) -> None:
    one = start()
    assert "connected" in one.wait_for("READY=1")
    until_stored(publish(ORDERS[0])["event_id"])
    one.wait_for("WATCHDOG=1")
    assert Attempt.objects.count() == 1
    status, _, _ = one.finish(signal.SIGTERM)
    assert status == 0
    assert (row().connected, row().leader) == (False, "")


def test_a_killed_one_loses_nothing(start: Started, publish: Publish) -> None:
    one = start()
    one.wait_for("READY=1")
    one.wait_for("WATCHDOG=1")  # a position is stored
    one.finish(signal.SIGKILL)
    missed = publish(ORDERS[0])["event_id"]
    start().wait_for("READY=1")
    until_stored(missed)


def test_a_frozen_leader_is_replaced_and_cannot_write_when_it_wakes(start: Started, publish: Publish) -> None:
    frozen = start()
    frozen.wait_for("connected")
    frozen.wait_for("WATCHDOG=1")
    standby = start()
    standby.wait_for("stands by")
    frozen.process.send_signal(signal.SIGSTOP)
    standby.wait_for("connected")
    leader = row().leader
    published = publish(ORDERS[0])["event_id"]
    until_stored(published)
    frozen.process.send_signal(signal.SIGCONT)
    frozen.wait_for("stands by")
    assert row().leader == leader
    assert Attempt.objects.count() == 1
    assert standby.finish(signal.SIGTERM)[0] == 0


def test_switched_off_it_says_so_and_ends_well(start: Started) -> None:
    status, out, err = start(SF_EVENTS_ENABLED="false").finish()
    assert (status, err) == (0, "")
    assert "SF_EVENTS_ENABLED" in out


@pytest.mark.parametrize(
    "wrong",
    [
        {"SF_CLIENT_ID": "not-the-consumer-key"},
        {"SF_AUDIENCE": "https://wrong.example"},
        {"SF_USERNAME": "somebody@else.example"},
        {"SF_PRIVATE_KEY_PATH": "", "SF_PRIVATE_KEY_BASE64": os.environ.get("SF_PRIVATE_KEY_BASE64", "")},
    ],
    ids=["issuer", "audience", "user", "key"],
)
def test_wrong_credentials_are_one_sentence_and_an_exit_status_of_their_own(
    start: Started, wrong: dict[str, str]
) -> None:
    status, out, err = start(**wrong).finish()
    assert status == EX_CONFIG
    *log_lines, sentence = err.strip().splitlines()
    assert sentence.endswith(".")
    assert "Traceback" not in err
    assert all(line.startswith("{") for line in log_lines)
    assert out == ""
