"""Every process the portal needs, started in order, watched, and stopped together."""

import base64
import json
import os
import secrets
import subprocess
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.error import URLError

from cryptography.fernet import Fernet

from sandbox.embedded import postgres, redis
from sandbox.embedded.processes import CannotStart, ended, free_port, port_is_free, python, spawn
from sandbox.environment import portal_environment

ROOT = Path(__file__).resolve().parent.parent.parent
JSON_ONLY = ("--serializer", "rq.serializers.JSONSerializer")
QUEUES = ("provisioning", "cases", "emails", "housekeeping")
WEB_PATIENCE_S = 40
Say = Callable[[str], None]


@dataclass(frozen=True)
class Ports:
    portal: int = 8000
    salesforce: int = 8443
    pubsub: int = 7443
    whmcs: int = 8444
    esim: int = 8445
    people: int = 8480
    smtp: int = 8025

    @classmethod
    def free(cls) -> "Ports":
        """Ports nobody uses now, for a second demo and for tests."""
        return cls(*(free_port() for _ in fields(cls)))

    def of_sandbox(self) -> list[str]:
        names = ("salesforce", "pubsub", "whmcs", "esim", "people", "smtp")
        return [part for name in names for part in (f"--{name}-port", str(getattr(self, name)))]


@dataclass
class Stack:
    """`state` keeps everything: data, keys, logs. `extra_env` overrides what the portal's processes are told.

    A worker ends after `jobs_per_worker`; whoever calls `check` now and then has it started anew.
    """

    state: Path
    ports: Ports = field(default_factory=Ports)
    durable: bool = True
    extra_env: dict[str, str] = field(default_factory=dict)
    jobs_per_worker: int = 500
    sandbox_options: tuple[str, ...] = ()
    say: Say = lambda _sentence: None
    ready: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    processes: "dict[str, subprocess.Popen[str]]" = field(default_factory=dict)
    _servers: list[postgres.Postgres | redis.Redis] = field(default_factory=list)

    @property
    def site_url(self) -> str:
        return f"http://localhost:{self.ports.portal}"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    def start(self) -> None:
        """Starts everything; raises CannotStart with one sentence, having stopped what it had started."""
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            self._check_ports()
            self._start_outside()
            self._prepare_database()
            self._start_portal()
        except BaseException:
            self.stop()
            raise

    def _check_ports(self) -> None:
        for name, port in vars(self.ports).items():
            if not port_is_free(port):
                raise CannotStart(f"Port {port} ({name}) is in use; stop what listens there and start again.")

    def _start_outside(self) -> None:
        self.say("Starting PostgreSQL and Redis")
        database = postgres.start(self.state, durable=self.durable)
        self._servers.append(database)
        queue = redis.start(self.state)
        self._servers.append(queue)
        self.say("Starting Salesforce, WHMCS, the eSIM provider and the mail server")
        self.ready = self._start_sandbox()
        self.env = self._environment(database.url, queue.url)

    def _start_sandbox(self) -> dict[str, Any]:
        command = [python(), "-m", "sandbox", "--state", str(self.state / "outside"), *self.ports.of_sandbox()]
        log = self.logs / "sandbox.log"
        process = spawn([*command, *self.sandbox_options], log=log, cwd=ROOT, stdout=subprocess.PIPE)
        self.processes["sandbox"] = process
        line = process.stdout.readline() if process.stdout else ""
        if not line.startswith("ready "):
            raise CannotStart(f"The sandbox did not start; its last words are in {log}.")
        ready = dict(json.loads(line.removeprefix("ready ")))
        self._point_whmcs_back(ready["people_url"])
        return ready

    def _point_whmcs_back(self, people_url: str) -> None:
        """The link "Back to the portal" in WHMCS' client area."""
        settings = json.dumps({"portal_url": f"{self.site_url}/account/payment/"}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{people_url}/control/whmcs/settings", settings, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=15):  # noqa: S310 - our own sandbox
            return

    def _environment(self, database_url: str, redis_url: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
        return {
            **kept,
            **self._secrets(),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PORTAL_DEMO": "true",
            "PORTAL_HTTPS": "false",
            "IDENTITY_DIR": str(self.state / "identity"),
            "SITE_URL": self.site_url,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "LOG_JSON": "true",
            "SF_EVENTS_REPLAY": "ALL",
            **portal_environment(self.ready),
            **self.extra_env,
        }

    def _secrets(self) -> dict[str, str]:
        """Made at the first start and kept, so that sessions and encrypted fields survive a restart."""
        file = self.state / "secrets.json"
        kept = json.loads(file.read_text()) if file.exists() else {}
        made = {
            "SECRET_KEY": secrets.token_urlsafe(60),
            "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "IDENTITY_KEYS": f"demo:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        }
        file.touch(mode=0o600)
        file.write_text(json.dumps(made | kept))
        return dict(made | kept)

    def manage(self, *arguments: str) -> str:
        """Runs one management command to its end; returns what it printed, raises CannotStart when it fails."""
        command = [python(), "manage.py", *arguments]
        done = subprocess.run(  # noqa: S603 - our own commands
            command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False
        )
        with (self.logs / "manage.log").open("a") as log:
            log.write(f"$ manage.py {' '.join(arguments)}\n{done.stdout}{done.stderr}\n")
        if done.returncode:
            raise CannotStart(f"manage.py {arguments[0]} failed; its last words are in {self.logs / 'manage.log'}.")
        return done.stdout

    def _prepare_database(self) -> None:
        self.say("Preparing the database and the catalogue")
        self.manage("compile_translations")
        self.manage("migrate", "--no-input")
        self.manage("createcachetable")
        self.manage("sync_catalog")

    def _start_portal(self) -> None:
        self.say("Starting web, workers, cron and the event subscriber")
        self._spawn("web", *self._web_command(), DB_POOL="true")
        self.start_subscriber()
        for queue in QUEUES:
            self.start_worker(queue)
        self._spawn("cron", python(), "manage.py", "rqcron", "portal.cron")
        self._wait_for_web()

    def _web_command(self) -> list[str]:
        bind = f"127.0.0.1:{self.ports.portal}"
        gunicorn = [python(), "-m", "gunicorn", "portal.wsgi", "--worker-class", "gthread", "--threads", "8"]
        return [*gunicorn, "--workers", "1", "--bind", bind, "--graceful-timeout", "3", "--no-control-socket"]

    def start_subscriber(self) -> None:
        self._spawn("subscriber", python(), "manage.py", "subscribe_sf_events")

    def start_worker(self, queue: str, number: int = 0) -> None:
        """One more worker of a queue; `number` tells those of one queue apart."""
        most = str(self.jobs_per_worker)
        arguments = ("rqworker", queue, "--worker-class", "portal.workers.Worker", "--max-jobs", most, *JSON_ONLY)
        self._spawn(f"worker-{queue}" + (f"-{number}" if number else ""), python(), "manage.py", *arguments)

    def _spawn(self, name: str, *command: str, **env: str) -> None:
        self.processes[name] = spawn(command, log=self.logs / f"{name}.log", env={**self.env, **env}, cwd=ROOT)

    def _wait_for_web(self) -> None:
        pause = threading.Event()
        for _ in range(WEB_PATIENCE_S * 10):
            self.check()
            if self._web_answers():
                return
            pause.wait(0.1)
        raise CannotStart(f"The web process did not answer; its last words are in {self.logs / 'web.log'}.")

    def _web_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.site_url}/health/ready", timeout=5) as answer:  # noqa: S310 - our own
                return bool(answer.status == 200)
        except (URLError, ConnectionError, TimeoutError):
            return False

    def check(self) -> None:
        """Raises CannotStart naming the first process that died. A worker that reached --max-jobs is started anew."""
        for name, process in list(self.processes.items()):
            if process.poll() is None:
                continue
            if name.startswith("worker-") and process.returncode == 0:
                _, queue, *number = name.split("-")
                self.start_worker(queue, *map(int, number))
                continue
            raise CannotStart(
                f"The process {name} ended with status {process.returncode}; "
                f"its last words are in {self.logs / f'{name}.log'}."
            )
        if any(server.exited() for server in self._servers):
            raise CannotStart(f"PostgreSQL or Redis ended; their last words are in {self.state}.")

    def stop(self) -> None:
        """Stops everything that was started, the databases last. May be repeated."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for name in reversed(list(self.processes)):
            ended(self.processes.pop(name))
        while self._servers:
            self._servers.pop().stop()
