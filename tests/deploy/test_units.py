"""What the unit files must say, so that a deployment or a crash interrupts no job (reliability.md §2, §7)."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
LONGEST_JOB_S = 600


def settings(name: str) -> dict[str, list[str]]:
    """All settings of a unit; some may be given several times."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        if "=" in line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def one(name: str, key: str) -> str:
    (value,) = settings(name)[key]
    return value


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_comes_back_and_only_its_main_process_is_told_to_stop(name: str) -> None:
    assert one(name, "Restart") == "always"
    assert one(name, "KillMode") == "mixed"
    assert int(one(name, "TimeoutStopSec")) > 0


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root_or_dumps_its_memory(name: str) -> None:
    assert one(name, "User") == "portal"
    assert one(name, "NoNewPrivileges") == "yes"
    assert one(name, "LimitCORE") == "0"


@pytest.mark.parametrize("name", ["portal-web.service", "portal-worker@.service"])
def test_what_handles_identity_papers_has_a_place_for_them_that_is_its_own(name: str) -> None:
    assert (one(name, "StateDirectory"), one(name, "StateDirectoryMode")) == ("portal", "0700")


def test_the_proxy_keeps_no_identity_paper_in_a_temporary_file() -> None:
    proxy = (UNITS.parent / "nginx/portal.conf").read_text()
    _, _, papers = proxy.partition("location = /account/identity/files/")
    most = dict(re.findall(r"(client_\w+) (\w+);", papers.partition("}")[0]))
    assert most["client_max_body_size"] == most["client_body_buffer_size"] == "12m"


def test_a_worker_may_finish_its_job_and_survives_an_oom_kill_of_another() -> None:
    worker = "portal-worker@.service"
    assert int(one(worker, "TimeoutStopSec")) > LONGEST_JOB_S
    assert one(worker, "OOMPolicy") == "continue"
    command = one(worker, "ExecStart")
    parts = ("--worker-class portal.workers.Worker", "--max-jobs 500", "--serializer rq.serializers.JSONSerializer")
    for part in parts:
        assert part in command


def test_a_worker_serves_the_one_queue_its_instance_names() -> None:
    command = one("portal-worker@.service", "ExecStart").replace("%i", "provisioning:2").replace("%%", "%")
    shell, flag, script, *rest = shlex.split(command.replace("$$", "$"))
    said = subprocess.run(
        [shell, flag, script.replace("exec .venv/bin/python", "echo"), *rest],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert said[:3] == ["manage.py", "rqworker", "provisioning"]
    assert said[3].startswith("--")


def test_the_subscriber_is_watched_and_not_restarted_with_wrong_credentials() -> None:
    subscriber = "portal-subscriber.service"
    assert one(subscriber, "Type") == "notify"
    assert int(one(subscriber, "WatchdogSec")) > 270
    assert "78" in one(subscriber, "RestartPreventExitStatus").split()


def test_the_target_wants_every_service_and_a_worker_for_every_queue() -> None:
    from portal.settings import QUEUES

    wanted = {name for line in settings("portal.target")["Wants"] for name in line.split()}
    for name in SERVICES:
        stem = name.removesuffix(".service")
        assert any(each.startswith(stem) for each in wanted), name
    queues = {each.partition("@")[2].partition(":")[0] for each in wanted if "@" in each}
    assert queues == set(QUEUES)


@pytest.mark.parametrize("name", SERVICES)
def test_services_belong_to_the_target(name: str) -> None:
    assert one(name, "PartOf") == "portal.target"


def test_the_proxy_writes_no_reset_key_and_no_query_into_its_log() -> None:
    conf = (UNITS.parent / "nginx" / "portal.conf").read_text()
    log_format = conf.partition("log_format portal")[2].partition(";")[0]
    assert "access_log /var/log/nginx/portal.log portal;" in conf
    assert "~^/account/password/reset/key/ /account/password/reset/key/-;" in conf
    assert not any(name in log_format for name in ("$request ", '$request"', "$request_uri", "$uri", "$http_referer"))


def test_the_proxy_replaces_what_a_client_says_about_itself() -> None:
    conf = (UNITS.parent / "nginx" / "portal.conf").read_text()
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in conf
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in conf
    assert "BEHIND_PROXY=true" in (UNITS / "portal-web.service").read_text()
