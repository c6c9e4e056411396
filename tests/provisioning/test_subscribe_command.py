"""`manage.py subscribe_sf_events` as a process of its own, watched as systemd would."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_rq
import pytest
from django.db import connection
from django.utils import timezone

from provisioning import sweepers
from provisioning.models import Attempt, EventCursor, InboxEvent
from sandbox.environment import portal_environment
from tests.provisioning.responses import ORDERS, TOPIC
from tests.provisioning.subscribing import row, until_stored
from tests.sandbox_process import Sandbox
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
EX_CONFIG = 78


class Process:
    """The command under a stand-in for systemd."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(str(folder / "notify"))
        self._line.settimeout(30)
        self._out, self._err = folder / "out", folder / "err"  # a pipe that nobody reads would fill up
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "subscribe_sf_events"],
                cwd=ROOT,
                env={**environment, "NOTIFY_SOCKET": str(folder / "notify")},
                stdout=out,
                stderr=err,
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
        self.process.wait(timeout=10 if number else 40)
        self._line.close()
        return self.process.returncode, self._out.read_text(), self._err.read_text()


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


def one_event_is_next(publish: Publish) -> dict[str, Any]:
    """What the next subscriber will get first: an event right behind the stored position."""
    before = publish(ORDERS[0])["replay_id"]
    EventCursor.objects.create(topic=TOPIC, replay_id=bytes.fromhex(before), last_message_at=timezone.now())
    return publish(ORDERS[0])


def goes_on(start: Started) -> None:
    """Another one comes up and has stored whatever was there for it."""
    successor = start()
    successor.wait_for("READY=1")
    successor.wait_for("WATCHDOG=1")
    successor.finish(signal.SIGTERM)


def test_killed_before_the_commit_it_gets_the_event_again(start: Started, publish: Publish) -> None:
    sent = one_event_is_next(publish)
    position = bytes(row().replay_id or b"")
    assert start(FAILPOINTS="intake.store:before=kill").finish()[0] == -signal.SIGKILL
    assert (InboxEvent.objects.count(), bytes(row().replay_id or b"")) == (0, position)
    goes_on(start)
    assert Attempt.objects.get().event == InboxEvent.objects.get(event_uuid=sent["event_id"])


def test_killed_after_the_commit_its_attempt_is_found_by_the_sweep(start: Started, publish: Publish) -> None:
    one_event_is_next(publish)
    assert start(FAILPOINTS="intake.store:after=kill").finish()[0] == -signal.SIGKILL
    queue = django_rq.get_queue("provisioning")
    assert (Attempt.objects.get().state, queue.count) == (Attempt.State.QUEUED, 0)
    goes_on(start)
    Attempt.objects.update(created_at=timezone.now() - timedelta(seconds=90))
    sweepers.wake_forgotten()
    assert (Attempt.objects.count(), queue.count) == (1, 1)


def test_killed_after_the_wake_up_nothing_comes_twice(start: Started, publish: Publish) -> None:
    sent = one_event_is_next(publish)
    assert start(FAILPOINTS="queue.wake:after=kill").finish()[0] == -signal.SIGKILL
    assert bytes(row().replay_id or b"").hex() == sent["replay_id"]
    goes_on(start)
    counts = (InboxEvent.objects.count(), Attempt.objects.count(), django_rq.get_queue("provisioning").count)
    assert counts == (1, 1, 1)


def test_told_to_stop_in_the_middle_of_many_it_stops_in_time_and_the_next_one_has_the_rest(
    start: Started, publish: Publish
) -> None:
    one_event_is_next(publish)
    one = start()
    one.wait_for("READY=1")
    last = publish(ORDERS[1], count=500)["event_id"]
    until(InboxEvent.objects.exists, what="the first events")
    assert one.finish(signal.SIGTERM)[0] == 0
    start().wait_for("READY=1")
    until_stored(last)
    assert InboxEvent.objects.count() == 501


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
