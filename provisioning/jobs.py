"""What workers call. Wake-ups carry no argument: what is to be done is in the database (decisions.md 27)."""

import django_rq
import structlog
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


def wake() -> None:
    """Tells one worker to look for queued attempts. Best effort: the sweep finds what a lost wake-up leaves behind."""
    try:
        django_rq.get_queue("provisioning").enqueue("provisioning.jobs.provision")
    except RedisError:
        log.warning("wake_up_lost", queue="provisioning")
