"""Redis may lose, double or refuse a wake-up: the database knows what is to be done (B1–B5, B10, B12)."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from rq.job import Job

from portal.workers import Worker
from provisioning import sweepers, wakeups
from provisioning.models import Attempt
from sandbox.embedded import redis
from sandbox.embedded.processes import free_port
from tests.provisioning.conftest import arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = "2026-01-01T00:00Z"


@pytest.fixture
def settings_of_redis(settings: Any) -> Iterator[Any]:
    """For a test whose queue is in another Redis."""
    wakeups.queue.cache_clear()
    yield settings
    wakeups.queue.cache_clear()


def work() -> None:
    """A real worker takes every job that is queued, and ends."""
    queue = wakeups.queue()
    Worker([queue], connection=queue.connection, serializer=queue.serializer).work(burst=True, logging_level="CRITICAL")


def time_passes() -> None:
    Attempt.objects.filter(state="QUEUED").update(created_at=LONG_AGO, enqueued_at=None)


def provisioned_once(whmcs: WhmcsDouble) -> None:
    assert [each.state for each in Attempt.objects.all()] == ["PROVISIONED"]
    assert whmcs.count("add_order") == 1


def test_a_redis_that_refuses_costs_a_wake_up_and_no_order(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, settings_of_redis: Any, caplog: pytest.LogCaptureFixture
) -> None:
    right, settings_of_redis.REDIS_URL = settings_of_redis.REDIS_URL, f"redis://127.0.0.1:{free_port()}/0"
    arrives(key(1))
    wakeups.wake()
    assert "wake_up_lost" in caplog.text
    settings_of_redis.REDIS_URL = right
    wakeups.queue.cache_clear()
    time_passes()
    assert sweepers.wake_forgotten() == 1
    work()
    provisioned_once(whmcs)


def test_a_redis_without_memory_costs_a_wake_up_and_no_order(
    salesforce: SalesforceDouble,
    whmcs: WhmcsDouble,
    settings_of_redis: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = redis.start(tmp_path)
    try:
        settings_of_redis.REDIS_URL = server.url
        wakeups.queue().connection.config_set("maxmemory", 1)
        arrives(key(1))
        wakeups.wake()
        assert "wake_up_lost" in caplog.text
        wakeups.queue().connection.config_set("maxmemory", 0)
        time_passes()
        sweepers.sweep()
        work()
        provisioned_once(whmcs)
    finally:
        server.stop()


def test_a_flushed_redis_loses_no_attempt(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrives(key(1))
    wakeups.wake()
    wakeups.queue().connection.flushdb()
    work()
    assert Attempt.objects.get().state == "QUEUED"
    time_passes()
    sweepers.sweep()
    work()
    provisioned_once(whmcs)


def test_a_job_that_comes_back_after_a_fail_over_finds_nothing_to_do(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrives(key(1))
    wakeups.wake()
    (job_id,) = wakeups.queue().job_ids
    work()
    wakeups.queue().push_job_id(job_id)
    work()
    provisioned_once(whmcs)


def test_a_job_stuck_on_its_way_to_a_dead_worker_is_replaced(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    """A worker with one queue moves the job aside as it takes it; dying then, it leaves it there (B5)."""
    arrives(key(1))
    wakeups.wake()
    queue = wakeups.queue()
    assert queue.connection.lmove(queue.key, queue.intermediate_queue_key) is not None
    work()
    assert Attempt.objects.get().state == "QUEUED"
    time_passes()
    sweepers.sweep()
    work()
    provisioned_once(whmcs)


def test_a_wake_up_carries_no_argument_is_json_and_is_never_repeated_by_rq() -> None:
    wakeups.wake()
    queue = wakeups.queue()
    (job,) = queue.jobs
    assert isinstance(job, Job)
    assert (job.func_name, list(job.args), job.kwargs) == ("provisioning.jobs.provision", [], {})
    assert queue.serializer.__name__ == "JSONSerializer"
    assert (job.retries_left, job.failure_callback, job.success_callback) == (None, None, None)


def test_the_body_of_a_job_uses_no_redis(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    from redis import Redis

    from provisioning import jobs

    used: list[Any] = []
    monkeypatch.setattr(Redis, "execute_command", lambda self, *command, **_: used.append(command))
    arrives(key(1))
    jobs.provision()
    assert used == []
    provisioned_once(whmcs)


def test_a_job_whose_time_is_up_is_an_interruption_and_its_worker_goes_on(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    """Even in code that catches every Exception, as libraries on the way may."""

    def hang(operation: str) -> None:
        if operation == "pay_methods":
            whmcs.watch = lambda operation: None
            with suppress(Exception):
                threading.Event().wait(30)

    whmcs.watch = hang
    other = "801000000000002AAA"
    arrives(key(1))
    wakeups.queue().enqueue("provisioning.jobs.provision", job_timeout=1)
    wakeups.wake()
    salesforce.orders[other] = salesforce.orders[ORDER]
    work()
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.step, whmcs.count("add_order")) == ("RUNNING", "payment", 0)
    arrives(key(1, other), order_id=other)
    wakeups.wake()
    work()
    Attempt.objects.filter(state="RUNNING").update(lease_until=LONG_AGO)
    sweepers.end_interrupted()
    assert Attempt.objects.get(order_id=ORDER).error_code == "interrupted"
    assert Attempt.objects.get(order_id=other).state == "PROVISIONED"


def test_a_job_of_a_later_release_fails_alone(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    wakeups.queue().enqueue("provisioning.jobs.not_yet_known")
    arrives(key(1))
    wakeups.wake()
    work()
    provisioned_once(whmcs)


@pytest.fixture
def schema_of_a_later_release() -> Iterator[None]:
    """Columns that this release's models do not have, as an expanding migration adds them."""
    tables = ("provisioning_attempt", "provisioning_step", "journal_remotecall", "provisioning_outbox")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ADD COLUMN later text NOT NULL DEFAULT ''")
    yield
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DROP COLUMN later")


def test_this_release_works_on_the_schema_of_the_next(
    schema_of_a_later_release: None, salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrives(key(1))
    wakeups.wake()
    work()
    provisioned_once(whmcs)


def test_an_attempt_at_a_step_of_a_later_release_ends_when_its_worker_is_gone() -> None:
    arrives(key(1))
    Attempt.objects.update(state="RUNNING", step="esim_later", lease_until=LONG_AGO)
    Attempt.objects.get().steps.create(name="esim_later", state="STARTED")
    assert sweepers.end_interrupted() == 1
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.error_text) == ("FAILED", "interrupted: at step esim_later")
