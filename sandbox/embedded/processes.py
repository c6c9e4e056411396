"""Starting a server as a child that a Ctrl-C does not reach, and stopping it surely."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any


class CannotStart(Exception):
    """A tool is missing, a port is in use or a server died at once; the text is one sentence for people."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def port_is_free(port: int) -> bool:
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    uid: int | None = None,
    stdout: Any = None,
) -> "subprocess.Popen[str]":
    """Starts `command` in a session of its own, both outputs appended to `log` (or stdout to `stdout`)."""
    with log.open("a") as sink:
        identity: dict[str, Any] = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
        return subprocess.Popen(  # noqa: S603 - the commands are ours
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=stdout or sink,
            stderr=sink,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            text=True,
            start_new_session=True,
            **identity,
        )


def stop(process: "subprocess.Popen[str]", *, with_signal: int = signal.SIGTERM, patience_s: float = 10) -> int:
    """Asks the child to stop, and kills its whole group when it does not. Returns its exit status. May be repeated."""
    if process.poll() is None:
        process.send_signal(with_signal)
    return ended(process, patience_s=patience_s)


def ended(process: "subprocess.Popen[str]", *, patience_s: float = 10) -> int:
    """The exit status of a child that was asked to stop; kills its whole group when its time is over."""
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return process.returncode


def python() -> str:
    """The interpreter of this virtual environment."""
    return sys.executable
