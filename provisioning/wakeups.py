"""Telling workers that there is something to do; the database says what (decisions.md 27)."""

import django_rq
import structlog
from redis.exceptions import RedisError

from integrations import failpoints

log = structlog.get_logger(__name__)


def wake(workers: int = 1) -> None:
    """Has up to `workers` workers look for queued attempts. Best effort: the sweep repeats a wake-up that is lost."""
    try:
        for _each in range(workers):
            with failpoints.around("queue.wake"):
                django_rq.get_queue("provisioning").enqueue("provisioning.jobs.provision")
    except RedisError:
        log.warning("wake_up_lost", queue="provisioning")
