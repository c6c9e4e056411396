"""The messages to systemd."""

import socket
from pathlib import Path

import pytest

from provisioning.sdnotify import Supervisor


def test_each_message_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(address)
        line.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        supervisor = Supervisor()
        supervisor.ready("connected")
        supervisor.alive()
        supervisor.status("not connected")
        supervisor.stopping()
        messages = [line.recv(1000).decode() for _ in range(4)]
    assert messages == ["READY=1\nWATCHDOG=1\nSTATUS=connected", "WATCHDOG=1", "STATUS=not connected", "STOPPING=1"]


def test_an_abstract_address_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind("\0portal-test-notify")
        line.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", "@portal-test-notify")
        Supervisor().alive()
        assert line.recv(100) == b"WATCHDOG=1"


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Supervisor().ready("connected")


def test_a_supervisor_that_went_away_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    Supervisor().alive()


def test_a_supervisor_that_reads_nothing_does_not_hold_the_work_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        supervisor = Supervisor()
        for _ in range(1000):
            supervisor.alive()
        line.settimeout(0)
        assert line.recv(100) == b"WATCHDOG=1"
