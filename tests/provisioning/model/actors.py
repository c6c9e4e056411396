"""Processes of the portal as threads that take turns: one runs, the test and all the others stand still.

So the same choices always give the same run. A process may die at a failpoint, or stand still there until it is told to
go on; only outside a transaction, for in one PostgreSQL would hold the others up, and in the end close its session.
"""

import threading
from collections.abc import Callable

from django.db import connection
from structlog.contextvars import clear_contextvars, get_contextvars

from integrations.failpoints import Died, traced

TURN_S = 60


class Actor:
    """One process. `go` lets it run until it ends or stands still; who never will needs no thread (`at_once`)."""

    def __init__(self, name: str, work: Callable[[], object], *, at_once: bool = False) -> None:
        self.name, self._work, self._at_once = name, work, at_once
        self.trace: list[str] = []  # the points passed since it last began to run
        self.stands, self.resumed, self.died = False, False, False
        self.works_on: tuple[str, object] = ("", None)  # the attempt and epoch it held when it stood still
        self.error: Exception | None = None
        self._killed = False
        self._turn, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def go(self) -> None:
        with traced() as self.trace:
            if self._at_once:
                self._run()
            elif self._thread.ident is None:
                self._thread.start()
            else:
                self.resumed = True
                self._turn.release()
            assert self._back.acquire(timeout=TURN_S), f"{self.name} does not come back, last at {self.trace[-1:]}"
        if not (self.stands or self._at_once):
            self._thread.join(TURN_S)

    def kill(self) -> None:
        """Ends a process that stands still, there and then."""
        self._killed = True
        self.go()

    def stand_still(self) -> None:
        """Called by a failpoint in the process itself."""
        if connection.in_atomic_block:
            return
        bound = get_contextvars()
        self.stands, self.works_on = True, (str(bound.get("attempt_id", "")), bound.get("epoch"))
        self._back.release()
        self._turn.acquire()
        self.stands = False
        if self._killed:
            raise Died

    def _run(self) -> None:
        _actors[threading.get_ident()] = self
        try:
            clear_contextvars()
            self._work()
        except Died:
            self.died = True
        except Exception as error:  # noqa: BLE001 whatever it is, it is the machine's to judge
            self.error = error
        finally:
            if not self._at_once:
                connection.close()
            del _actors[threading.get_ident()]
            self._back.release()


_actors: dict[int, Actor] = {}


def current() -> Actor:
    """The process that is running this very code."""
    return _actors[threading.get_ident()]
