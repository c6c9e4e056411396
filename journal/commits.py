"""Commits that a test run can die at, and commits that outlast a database in trouble.

A remote call that was answered must not be forgotten because PostgreSQL was away for a moment: what it did is written
again and again, on a new connection, while the call itself is never repeated (reliability.md C27, C28, C30).
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection, transaction

from integrations import failpoints

log = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
# The second group of psycopg's: a session that PostgreSQL ended because it idled in a transaction is an InternalError.
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError)
CONFLICTS = frozenset({"40P01", "40001"})  # deadlock, serialization failure: rolled back for certain
MOST_CONFLICTS = 3
CONFLICT_PAUSE_MS = 50  # on average; half as much to half as much again, so that two do not meet again


@contextmanager
def commit(name: str, *, durable: bool = False) -> Iterator[None]:
    """A transaction with the points `NAME:before` and `NAME:after` around its commit (reliability.md §4).

    Inside another transaction it joins that one, whose own commit has points of its own; `durable` forbids that.
    """
    with transaction.atomic(durable=durable):
        yield
        failpoints.reach(f"{name}:before")
    failpoints.reach(f"{name}:after")


def settled(write: Callable[P, T]) -> Callable[P, T]:
    """Repeats `write`, one local transaction, after a deadlock or a serialization failure, three times at most.

    For what must not be repeated when it is not certain that it was rolled back. Inside another transaction it runs
    once: only the whole can be repeated.
    """

    @wraps(write)
    def until_settled(*args: P.args, **kwargs: P.kwargs) -> T:
        for conflicts in range(MOST_CONFLICTS):
            try:
                return write(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or sqlstate_of(error) not in CONFLICTS:
                    raise
                log.warning("commit_repeated", code=sqlstate_of(error), count=conflicts + 1)
            time.sleep((CONFLICT_PAUSE_MS / 2 + secrets.randbelow(CONFLICT_PAUSE_MS)) / 1000)
        return write(*args, **kwargs)

    return until_settled


def lasting(write: Callable[P, T]) -> Callable[P, T]:
    """As `settled`, and repeats `write` for up to COMMIT_RETRY_S seconds while the database is away or overloaded.

    `write` must be right when it runs again after a commit whose acknowledgement was lost, makes no remote call, and
    keeps the epoch's fence: a claim that was lost meanwhile stays lost (Fenced passes through). Pauses grow from a
    sixtieth of that time to a twelfth (1 to 5 s). Raises the last database error when the time is over; then a look-up
    finds what was not written. Inside another transaction it runs once.
    """
    once = settled(write)

    @wraps(write)
    def until_it_stands(*args: P.args, **kwargs: P.kwargs) -> T:
        until = time.monotonic() + settings.COMMIT_RETRY_S
        tries = 0
        while True:
            try:
                return once(*args, **kwargs)
            except DATABASE_AWAY as error:
                if connection.in_atomic_block:
                    raise
                connection.close_if_unusable_or_obsolete()  # the next statement makes a new one
                tries += 1
                pause_s = settings.COMMIT_RETRY_S / 60 * min(tries, 5)
                if time.monotonic() + pause_s > until:
                    raise
                log.warning("commit_put_off", code=sqlstate_of(error), count=tries)
            time.sleep(pause_s)

    return until_it_stands


def sqlstate_of(error: BaseException) -> str:
    """PostgreSQL's five characters for what went wrong; empty when no server said anything."""
    return str(getattr(error.__cause__, "sqlstate", None) or "")
