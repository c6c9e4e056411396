"""A process with everything imported that forks the portal's processes in milliseconds and sees how they end.

It opens no connection itself, so that nothing is shared between those it forks. `Zygote` is the driver's end.
"""

import gc
import json
import os
import random
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrations import failpoints
from tests.campaign import broken, roles
from tests.campaign.forks import fork, log_to


@dataclass(frozen=True)
class Change:
    """What became of a process."""

    pid: int
    what: str  # died, stopped
    at: float  # time.time()


class Zygote:
    """Forks it; to be called before this process opens anything."""

    def __init__(self, folder: Path, *, broken: str = "", trace: bool = False) -> None:
        ours, theirs = socket.socketpair()
        if not fork(lambda: _serve(theirs, folder, broken, trace), close=[ours]):
            raise AssertionError("a fork never returns here")
        theirs.close()
        self._wire = ours.makefile("rw")

    def start(self, kind: str, plan: str = "", **arguments: Any) -> int:
        """A process of this kind, with failpoints as `plan` says; its pid."""
        return int(self._ask({"kind": kind, "plan": plan, "arguments": arguments})["pid"])

    def changes(self) -> list[Change]:
        """What happened to the processes since the last call."""
        return [Change(*each) for each in self._ask({})["changes"]]

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        self._wire.write(json.dumps(question) + "\n")
        self._wire.flush()
        answer: dict[str, Any] = json.loads(self._wire.readline())
        return answer


def _serve(wire: socket.socket, folder: Path, switch: str, trace: bool) -> None:
    broken.become(switch)
    gc.collect()
    gc.freeze()  # what is never collected is not written to, and stays shared between those that are forked
    with wire.makefile("rw") as lines:
        for line in lines:
            question = json.loads(line)
            answer = _start(question, wire, folder, trace) if question else {"changes": _changes()}
            lines.write(json.dumps(answer) + "\n")
            lines.flush()


def _start(question: Mapping[str, Any], wire: socket.socket, folder: Path, trace: bool) -> dict[str, int]:
    kind = question["kind"]

    def become() -> None:
        log_to(folder / f"{kind}.log")
        random.seed()
        failpoints.switch_on(question["plan"])
        with failpoints.traced() as names:
            try:
                roles.ROLES[kind](question["arguments"])
            finally:
                if trace:
                    with (folder / f"{kind}.points").open("a") as file:
                        file.writelines(f"{name}\n" for name in names)

    return {"pid": fork(become, close=[wire])}


def _changes() -> list[tuple[int, str, float]]:
    found: list[tuple[int, str, float]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return found
        if not pid:
            return found
        found.append((pid, "stopped" if os.WIFSTOPPED(status) else "died", time.time()))
