"""Real workers that are frozen, killed and told to stop in the middle of a job (reliability.md B6 to B11)."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from journal import calls
from journal.models import RemoteCall
from provisioning import sweepers, wakeups
from provisioning.models import Attempt
from provisioning.remote_orders import subject_of
from sandbox.embedded import redis
from tests.faults import Faults
from tests.provisioning.shop import Shop
from tests.provisioning.worker_process import WorkerProcess
from tests.sandbox_process import Sandbox
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("worker-process")]
LONG_AGO = "2026-01-01T00:00Z"
Start = Callable[..., WorkerProcess]


@pytest.fixture
def start(sandbox: Sandbox, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker; none is left after the test."""
    started: list[WorkerProcess] = []

    def run(**instead: str) -> WorkerProcess:
        started.append(WorkerProcess(sandbox, tmp_path / f"worker-{len(started)}.log", **instead))
        return started[-1]

    cache.clear()
    yield run
    for each in started:
        each.kill()


def approved(sandbox: Sandbox) -> Shop:
    """An order whose event has come in and whose worker is woken."""
    shop = Shop(sandbox)
    shop.add_card()
    shop.desk("approve")
    shop.arrives()
    wakeups.wake()
    return shop


def lease_is_over() -> None:
    """PostgreSQL ends a session that idles in a transaction, so that this waits a moment at most."""
    Attempt.objects.filter(state="RUNNING").update(lease_until=LONG_AGO)


def the_next_intent_for(shop: Shop) -> None:
    """Waits as another worker would that is about to send something for the order."""
    with transaction.atomic():
        calls.in_turn(subject_of(shop.order_id))


def calls_of(shop: Shop, after: int) -> list[str]:
    """What WHMCS was asked for anybody since that row of the ledger."""
    return [row["operation"] for row in shop.sandbox.ledger(system="whmcs", after=after)]


@pytest.mark.parametrize(
    ("point", "found", "added", "says"),
    [
        ("outcome.provisioned", "PROVISIONED", 1, "attempt_fenced"),
        ("call.intent", "FAILED", 0, "exception raised while executing"),
    ],
)
def test_a_worker_frozen_inside_a_transaction_blocks_nobody_and_does_nothing_when_it_wakes(
    sandbox: Sandbox, start: Start, point: str, found: str, added: int, says: str
) -> None:
    """It holds the order's lock, or that of the order's intents; PostgreSQL ends its session, and the sweep decides."""
    process = start(FAILPOINTS=f"{point}:before=stop", DB_IDLE_TRANSACTION_S="1")
    shop = approved(sandbox)
    process.is_frozen()
    shop.arrives(copy=1)
    the_next_intent_for(shop)
    lease_is_over()
    sweepers.sweep()
    assert shop.attempt().state == found
    newest = shop.sandbox.last_ledger_id()
    process.thaw()
    process.says(says)
    assert calls_of(shop, newest) == []
    assert (shop.added(), shop.attempt().state, Attempt.objects.count()) == (added, found, 1)


@pytest.mark.parametrize(
    ("operation", "at", "found", "added"),
    [("GetPayMethods", "before", "FAILED", 0), ("AddOrder", "after", "FAILED", 1)],
)
def test_a_worker_frozen_for_longer_than_its_lease_makes_no_further_call(
    sandbox: Sandbox, faults: Faults, start: Start, operation: str, at: Any, found: str, added: int
) -> None:
    process = start()
    with faults.hold("whmcs", operation, at=at) as held:
        shop = approved(sandbox)
        held.arrived()
        process.freeze()
        held.release()
    lease_is_over()
    sweepers.sweep()
    assert shop.attempt().state == found
    newest = shop.sandbox.last_ledger_id()
    process.thaw()
    process.says("attempt_fenced")
    assert calls_of(shop, newest) == []
    assert (shop.added(), shop.whmcs()["services"] != []) == (added, added == 1)
    assert [call.state for call in RemoteCall.objects.all()] == ["DONE"] * added


def test_a_killed_worker_leaves_one_order_that_the_next_request_goes_on_with(
    sandbox: Sandbox, faults: Faults, start: Start
) -> None:
    process = start()
    with faults.hold("whmcs", "AddOrder", at="after") as held:
        shop = approved(sandbox)
        held.arrived()
        process.kill()
    assert shop.attempt().state == "RUNNING"
    lease_is_over()
    assert sweepers.end_interrupted() == 1
    assert shop.attempt().state == "UNKNOWN"
    RemoteCall.objects.update(quarantine_until=timezone.now())
    sweepers.resolve_unknown()
    assert shop.order().activation_status == "Failed"
    shop.desk("activate")
    assert shop.deliver().state == "PROVISIONED"
    assert (shop.added(), shop.order().activation_status) == (1, "Provisioned")


def test_a_worker_told_to_stop_finishes_its_job_and_ends_with_status_zero(
    sandbox: Sandbox, faults: Faults, start: Start
) -> None:
    process = start()
    with faults.hold("whmcs", "AcceptOrder") as held:
        shop = approved(sandbox)
        held.arrived()
        process.process.send_signal(signal.SIGTERM)
        assert process.process.poll() is None
        held.release()
        assert process.process.wait(30) == 0
    assert shop.attempt().state == "PROVISIONED"
    assert shop.order().activation_status == "Provisioned"


@pytest.fixture
def redis_of_this_test(tmp_path: Path, settings: Any) -> Iterator[redis.Redis]:
    """A Redis that may die."""
    server = redis.start(tmp_path)
    settings.REDIS_URL = server.url
    wakeups.queue.cache_clear()
    yield server
    wakeups.queue.cache_clear()
    server.stop()


def test_a_job_whose_redis_dies_is_completed_in_the_database(
    redis_of_this_test: redis.Redis, sandbox: Sandbox, faults: Faults, start: Start
) -> None:
    start()
    with faults.hold("whmcs", "AcceptOrder") as held:
        shop = approved(sandbox)
        held.arrived()
        redis_of_this_test.stop()
        held.release()
        until(lambda: shop.attempt().state == "PROVISIONED", what="the attempt to be provisioned")
        until(lambda: shop.order().activation_status == "Provisioned", what="Salesforce to be told")
    assert shop.added() == 1
