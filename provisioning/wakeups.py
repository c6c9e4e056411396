"""Telling workers that there is something to do; the database says what (decisions.md 27)."""

from functools import lru_cache

import django_rq
import structlog
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue

from integrations import failpoints

log = structlog.get_logger(__name__)
PATIENCE_S = 2  # for a Redis that does not answer: whoever wakes has more to do, and the sweep wakes again


def wake(workers: int = 1) -> None:
    """Has up to `workers` workers look for queued attempts. Best effort: the sweep repeats a wake-up that is lost."""
    try:
        for _each in range(workers):
            with failpoints.around("queue.wake"):
                queue().enqueue("provisioning.jobs.provision")
    except RedisError:
        log.warning("wake_up_lost", queue="provisioning")


@lru_cache
def queue() -> Queue:
    """The queue over a connection that this process keeps: a new one would cost seven round trips each time."""
    once_more = Retry(NoBackoff(), 1)  # Redis may have been started anew since the last time
    times = {"socket_connect_timeout": PATIENCE_S, "socket_timeout": PATIENCE_S}
    connection = Redis.from_url(settings.REDIS_URL, retry=once_more, **times)
    return django_rq.get_queue("provisioning", connection=connection)
