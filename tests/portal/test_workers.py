"""The worker survives a database that was restarted between two jobs, and tells Redis nothing about anybody."""

import threading
from contextlib import suppress

import django_rq
import pytest
from django.db import connection
from rq import SimpleWorker

from portal.workers import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def _cut_the_connection() -> None:
    """What a restart of PostgreSQL leaves behind: a connection object whose session is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    connection.connection.pgconn.finish()
    assert pid


def test_a_lost_connection_costs_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def job_body(*_arguments: object) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            asked.append(cursor.fetchone()[0])
        return True

    monkeypatch.setattr(SimpleWorker, "perform_job", job_body)
    _cut_the_connection()
    assert Worker.perform_job(object.__new__(Worker), None, None) is True
    assert asked == [1]


def fails() -> None:
    raise ValueError("Aiko Sato <aiko@example.jp>")


def test_a_failed_job_leaves_no_text_in_redis() -> None:
    queue = django_rq.get_queue("provisioning")
    job = queue.enqueue(fails)
    Worker([queue], connection=queue.connection, serializer=queue.serializer).work(burst=True, logging_level="CRITICAL")
    assert job.latest_result().exc_string == "ValueError"


def waits_and_forgives() -> None:
    """Like any code on a job's way that catches more than it should."""
    with suppress(Exception):
        threading.Event().wait(30)


def test_a_job_whose_time_is_up_ends_whatever_is_caught_on_its_way() -> None:
    queue = django_rq.get_queue("provisioning")
    job = queue.enqueue(waits_and_forgives, job_timeout=1)
    Worker([queue], connection=queue.connection, serializer=queue.serializer).work(burst=True, logging_level="CRITICAL")
    assert (job.get_status().value, job.latest_result().exc_string) == ("failed", "TimeIsUp")
