"""One PostgreSQL and one Redis for all cells, and the template that every cell's database and sandbox begin as."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from sandbox.embedded import postgres, redis
from sandbox.embedded.processes import python
from sandbox.environment import portal_environment
from tests import environment

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATE = "campaign"
TIMES = {
    # decisions.md 26; deadlines as short, so that a held or dripping call costs seconds.
    "LEASE_S": "3",
    "SWEEP_S": "1",
    "QUARANTINE_S": "6",
    "DEADLINE_MARGIN_S": "1",
    "READ_DEADLINE_S": "3",
    "ADD_ORDER_DEADLINE_S": "3",
    "ACCEPT_ORDER_DEADLINE_S": "3",
    "ESIM_DEADLINE_S": "3",
    "DB_IDLE_TRANSACTION_S": "3",  # less than a frozen process stands still
    "DB_LOCK_S": "10",
    "LEADER_WAIT_S": "1",
    "STREAM_SILENCE_S": "10",
    "STREAM_PING_S": "5",
}


@dataclass
class Servers:
    """What all cells share. `redis_url` without a database number."""

    folder: Path
    postgres: postgres.Postgres
    redis: redis.Redis

    @classmethod
    def start(cls, folder: Path) -> "Servers":
        """Starts both and migrates the template."""
        servers = cls(folder, postgres.start(folder, durable=False), redis.start(folder))
        servers._sql(f'CREATE DATABASE "{TEMPLATE}"')
        env = {**os.environ, **variables(servers.database(TEMPLATE), f"{servers.redis_server}/0")}
        for command in (["migrate", "--no-input", "-v0"], ["createcachetable"], ["compile_translations"]):
            subprocess.run([python(), "manage.py", *command], env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return servers

    def stop(self) -> None:
        self.postgres.stop()
        self.redis.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def redis_server(self) -> str:
        return self.redis.url.rsplit("/", 1)[0]

    def database(self, name: str) -> str:
        return self.postgres.url.rsplit("/", 1)[0] + f"/{name}"

    def new_database(self, name: str, *, without: str = "") -> str:
        """A database for one cell; `without` is SQL that takes something away (the mutation proof)."""
        self._sql(f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"')
        if without:
            with psycopg.connect(self.database(name), autocommit=True) as connection:
                connection.execute(without)
        return self.database(name)

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(statement)


def variables(database_url: str, redis_url: str, ready: dict[str, Any] | None = None) -> dict[str, str]:
    """The environment of the portal's processes in one cell."""
    return {
        **environment.placeholders(),
        **(portal_environment(ready) if ready else {}),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SF_EVENTS_REPLAY": "ALL",
        "FAILPOINTS": "",
        **TIMES,
    }


def read_ready(line: str) -> dict[str, Any]:
    if not line.startswith("ready "):
        raise RuntimeError("a sandbox of the campaign did not start; see its log")
    return dict(json.loads(line.removeprefix("ready ")))
