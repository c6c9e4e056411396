"""The steps of an attempt as staff read them: a row each, a line in the log each, and the lease renewed before each."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db.models.functions import Now
from redis.exceptions import RedisError
from rq.timeouts import BaseTimeoutException

from integrations import failpoints
from journal.calls import AlreadySent, OutcomeUnknown, Quarantined
from journal.commits import DATABASE_AWAY, commit, lasting
from provisioning.attempts import Fenced
from provisioning.claims import Claim
from provisioning.models import Step

log = structlog.get_logger(__name__)
# No step uses Redis: an error of it comes out of RQ's signal handler, which runs between any two lines. A database that
# is away says nothing about the order, and what was committed is judged by the sweep.
INTERRUPTIONS = (BaseTimeoutException, RedisError, *DATABASE_AWAY)


@contextmanager
def step(claim: Claim, name: str, *, deadline_s: float) -> Iterator[dict[str, Any]]:
    """One step that makes at most one outside call of `deadline_s` seconds; yields the dict kept as its result.

    Raises Fenced at once when the claim is lost. Whatever the body raises passes through and is written on the row; an
    interruption (job time-out, lost database) leaves the row STARTED, as a killed process would.
    """
    started, result = time.monotonic(), dict[str, Any]()
    row = _begin(claim, name, deadline_s)
    log.info("step_started", step=name)
    try:
        yield result
    except (*INTERRUPTIONS, Fenced):
        raise
    except (OutcomeUnknown, Quarantined, AlreadySent):
        _finish(row, Step.State.UNKNOWN, result, started)
        raise
    except Exception as error:
        _finish(row, Step.State.FAILED, {**result, "error": str(error)[:255]}, started)
        raise
    _finish(row, Step.State.DONE, result, started)


@lasting
def _begin(claim: Claim, name: str, deadline_s: float) -> Step:
    """Both at once: whoever stood still in between would begin a step of an attempt that was over."""
    fresh: dict[str, Any] = {"state": Step.State.STARTED, "result": {}, "finished_at": None}
    with commit("step.begin"):
        claim.renew(deadline_s, step=name)
        row, _made = Step.objects.update_or_create(attempt=claim.attempt, name=name, defaults=fresh)
    return row


@lasting
def _finish(row: Step, state: Step.State, result: dict[str, Any], started: float) -> None:
    with failpoints.around("step.finish"):
        Step.objects.filter(pk=row.pk).update(state=state, result=result, finished_at=Now())
    log.info("step_finished", step=row.name, result=str(state), duration_ms=round((time.monotonic() - started) * 1000))
