"""The collector of everything that is counted at a scrape: kept for some seconds, and bounded in what it costs."""

import threading
import time
from collections.abc import Iterable

import structlog
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from portal.metrics import catalogue, customers, eligibility, identity, orders, provisioning, queues, stream
from portal.metrics.families import gauge

log = structlog.get_logger(__name__)
KEPT_S = 15.0
STATEMENT_TIMEOUT_MS = 2000


class FromTheDatabase(Collector):
    """What the tables and Redis say. A database that does not answer leaves `portal_database_up` 0 and no numbers,
    since old ones would look like news."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[Metric] = []
        self._until = 0.0

    def collect(self) -> Iterable[Metric]:
        """Never raises for an outage. Scrapes within 15 seconds of each other get the same numbers."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._kept, self._until = _counted(), time.monotonic() + KEPT_S
            return list(self._kept)

    def forget(self) -> None:
        """The next scrape counts anew."""
        self._until = 0.0


def _counted() -> list[Metric]:
    try:
        found, up = _from_the_database(), 1
    except DatabaseError as error:
        log.warning("metrics_without_database", reason=type(error).__name__)
        found, up = [], 0
    return [
        *found,
        gauge("portal_database_up", "1 when the database answers in time.", {}, {(): up}),
        *queues.families(),
    ]


def _from_the_database() -> list[Metric]:
    now = timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(STATEMENT_TIMEOUT_MS)])
        return [
            *provisioning.families(now),
            *stream.families(now),
            *identity.families(now),
            *eligibility.families(now),
            *orders.families(now),
            *customers.families(now),
            *catalogue.families(),
        ]


collector = FromTheDatabase()
registry = CollectorRegistry()
registry.register(collector)
