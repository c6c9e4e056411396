"""RQ's queues, which are in Redis."""

from collections.abc import Iterable

import django_rq
from django.conf import settings
from prometheus_client import Metric
from redis.exceptions import RedisError
from rq import Worker
from rq.registry import FailedJobRegistry

from portal.metrics.families import Pair, gauge


def families() -> Iterable[Metric]:
    """Lengths and workers of every queue; only `portal_redis_up` 0 when Redis does not answer."""
    try:
        numbers = {name: _numbers(name) for name in settings.QUEUES}
    except RedisError:
        yield gauge("portal_redis_up", "1 when Redis answers.", {}, {(): 0})
        return
    yield gauge("portal_redis_up", "1 when Redis answers.", {}, {(): 1})
    names = ("portal_rq_queue_length", "portal_rq_workers", "portal_rq_failed_jobs")
    texts = ("Jobs that wait.", "Workers that listen.", "Jobs that ended with an error.")
    for index, (metric, text) in enumerate(zip(names, texts, strict=True)):
        values: dict[Pair, float] = {(name,): counts[index] for name, counts in numbers.items()}
        yield gauge(metric, text, {"queue": settings.QUEUES}, values)


def _numbers(name: str) -> tuple[int, int, int]:
    queue = django_rq.get_queue(name)
    return queue.count, Worker.count(queue=queue), FailedJobRegistry(queue=queue).count
