"""Periodic rounds: one at a time over all machines, and not more often than meant (decisions.md 27)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from journal.commits import commit
from journal.models import Round

log = structlog.get_logger(__name__)


def run(
    name: str, interval_s: float, action: Callable[[], Mapping[str, int]], *, called_every_s: float | None = None
) -> bool:
    """Runs `action` unless another process is at it or it began too short a time ago for `interval_s` seconds.

    Too short is more than half a call early: the job comes every `called_every_s` seconds, `interval_s` unless told.

    `action` returns what it did (action -> count); the totals are kept. Its exception passes through, and the round
    then counts as begun but not as succeeded. Returns whether it ran. Must not be called inside a transaction.
    """
    with only_one(name) as alone:
        if not alone or not _begin(name, interval_s - (called_every_s or interval_s) / 2):
            return False
        done = action()
        _succeed(name, done)
    for what, count in done.items():
        if count:
            log.info("round_did", sweeper=name, action=what, count=count)
    return True


def succeeded_since(name: str, moment: datetime) -> bool:
    """Whether a round that began at `moment` or later has succeeded."""
    return Round.objects.filter(name=name, started_at__gte=moment, succeeded_at__gte=F("started_at")).exists()


@contextmanager
def only_one(name: str) -> Iterator[bool]:
    """Gives whether nobody else is at `name`; until the end of the block nobody else gets it. Never waits.

    A lock of the session, not of a transaction, since rounds make outside calls; a dead session gives it back.
    So does a frozen one: PostgreSQL ends a session that says nothing for longer than any outside call may take.
    """
    silent_s = settings.ACCEPT_ORDER_DEADLINE_S + settings.DEADLINE_MARGIN_S
    alone = _ask(TAKE, f"round:{name}", f"{silent_s}s") is not None
    try:
        yield alone
    finally:
        if alone:
            _ask(GIVE_BACK, f"round:{name}")


TAKE = """
    SELECT CASE WHEN pg_try_advisory_lock(hashtextextended(%s, 0))
    THEN set_config('idle_session_timeout', %s, false) END
"""
GIVE_BACK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0)) FROM set_config('idle_session_timeout', '0', false)"


def _ask(query: str, *values: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        (answer,) = cursor.fetchone() or (None,)
    return answer


def _begin(name: str, apart_s: float) -> bool:
    with commit("round.begin"):
        due = Round.objects.filter(name=name).exclude(started_at__gt=Now() - timedelta(seconds=apart_s))
        return bool(due.update(started_at=Now())) or _is_the_first(name)


def _is_the_first(name: str) -> bool:
    _row, made = Round.objects.get_or_create(name=name, defaults={"started_at": Now()})
    return made


def _succeed(name: str, done: Mapping[str, int]) -> None:
    with commit("round.succeed"):
        row = Round.objects.select_for_update().get(name=name)
        totals = {what: row.actions.get(what, 0) + done.get(what, 0) for what in {*row.actions, *done}}
        Round.objects.filter(name=name).update(succeeded_at=Now(), actions=totals)
