"""`rqworker provisioning` as a process, started as deploy/ starts it, over this test's database and sandbox."""

import os
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from django.conf import settings
from django.db import connection

from sandbox.demo.stack import JSON_ONLY, ROOT
from sandbox.embedded.processes import python, spawn
from sandbox.environment import portal_environment
from tests.sandbox_process import Sandbox
from tests.waiting import until

COMMAND = ("rqworker", "provisioning", "--worker-class", "portal.workers.Worker", "--max-jobs", "500", *JSON_ONLY)


class WorkerProcess:
    """One worker; `instead` is what its environment says differently."""

    def __init__(self, sandbox: Sandbox, log: Path, **instead: str) -> None:
        self.log = log
        environment = {**_environment(sandbox), **instead}
        command = [python(), "manage.py", *COMMAND]
        self.process: subprocess.Popen[str] = spawn(command, log=log, env=environment, cwd=ROOT)

    def says(self, words: str) -> None:
        """Waits until they stand in its log."""
        until(lambda: words in self.log.read_text(), what=f"the worker to say {words} in {self.log}")

    def freeze(self) -> None:
        """From outside, in whatever it is doing."""
        self.process.send_signal(signal.SIGSTOP)
        self.is_frozen()

    def is_frozen(self) -> None:
        """Waits until it stands still, by our signal or at a failpoint of its own."""
        process = psutil.Process(self.process.pid)
        until(lambda: process.status() == psutil.STATUS_STOPPED, what="the worker to stand still", timeout_s=40)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, whatever state it is in."""
        self.process.kill()
        self.process.wait()


def _environment(sandbox: Sandbox) -> dict[str, str]:
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    ours = {name: value for name, value in os.environ.items() if name != "SF_PRIVATE_KEY_BASE64"}
    return {**ours, **portal_environment(sandbox.urls), "DATABASE_URL": database, "REDIS_URL": settings.REDIS_URL}
