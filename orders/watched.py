"""Which orders somebody is looking at just now: a sorted set in Redis whose loss is harmless (decisions.md 14)."""

import time

import django_rq
import structlog
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
KEY = "orders:watched"
FORGOTTEN_AFTER_S = 30


def note(order_id: int) -> None:
    """Somebody looks at this order. Best effort: without Redis the page works and the refresh is merely slower."""
    try:
        django_rq.get_connection("housekeeping").zadd(KEY, {str(order_id): time.time()})
    except RedisError as error:
        log.warning("watched.redis_away", exception_type=type(error).__name__)


def anybody() -> bool:
    """Whether some order was looked at within the last FORGOTTEN_AFTER_S seconds; False without Redis."""
    try:
        redis = django_rq.get_connection("housekeeping")
        redis.zremrangebyscore(KEY, 0, time.time() - FORGOTTEN_AFTER_S)
        return bool(redis.zcard(KEY))
    except RedisError as error:
        log.warning("watched.redis_away", exception_type=type(error).__name__)
        return False
