"""A clock that the model puts forward, for the database and for Python alike.

The database's own clock functions are hidden behind ours by the search path, so that leases, quarantines and whatever a
process that stood still remembers of the time all move together; no row is touched.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.db.backends.signals import connection_created
from django.utils import timezone

SEARCH_PATH = "SET search_path TO model_clock, pg_catalog, public"
SCHEMA = """
DROP SCHEMA IF EXISTS model_clock CASCADE;
CREATE SCHEMA model_clock;
CREATE TABLE model_clock.shift (seconds double precision NOT NULL);
INSERT INTO model_clock.shift VALUES (0);
CREATE FUNCTION model_clock.statement_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
  'SELECT pg_catalog.statement_timestamp() + make_interval(secs => seconds) FROM model_clock.shift';
CREATE FUNCTION model_clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
  'SELECT pg_catalog.clock_timestamp() + make_interval(secs => seconds) FROM model_clock.shift';
"""


class ModelClock:
    """Real time plus what was put forward."""

    def __init__(self) -> None:
        self.shift_s = 0.0
        self._now = timezone.now

    def now(self) -> datetime:
        return self._now() + timedelta(seconds=self.shift_s)

    def monotonic(self) -> float:
        return time.monotonic() + self.shift_s

    def advance(self, seconds: float) -> None:
        self.shift_s += seconds
        with connection.cursor() as cursor:
            cursor.execute("UPDATE model_clock.shift SET seconds = %s", [self.shift_s])


@contextmanager
def put_in_place(patch: pytest.MonkeyPatch) -> Iterator[ModelClock]:
    """The clock, for every connection there is or comes, until the end of the block."""
    clock = ModelClock()
    patch.setattr(timezone, "now", clock.now)
    for name in ("provisioning.worker.time", "integrations.deadline.time"):
        patch.setattr(name, SimpleNamespace(monotonic=clock.monotonic))

    def on_new_connection(**named: Any) -> None:
        with named["connection"].cursor() as cursor:
            cursor.execute(SEARCH_PATH)

    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        cursor.execute(SEARCH_PATH)
    connection_created.connect(on_new_connection)
    try:
        yield clock
    finally:
        connection_created.disconnect(on_new_connection)
        with connection.cursor() as cursor:
            cursor.execute("RESET search_path")
            cursor.execute("DROP SCHEMA model_clock CASCADE")
