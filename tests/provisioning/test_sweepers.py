"""Nothing is left behind: lost wake-ups, dead workers, lost events, a WHMCS that is away."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import django_rq
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from integrations.errors import Unavailable
from provisioning import claims, jobs, pause, reconcile, sweepers, wakeups, worker
from provisioning.models import Attempt, InboxEvent, Outbox, Pause
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key, no_answer, order, refused

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timedelta(hours=1)


def queued_wake_ups() -> int:
    return int(django_rq.get_queue("provisioning").count)


def age() -> None:
    Attempt.objects.update(created_at=timezone.now() - LONG_AGO)


def expire_lease() -> None:
    Attempt.objects.update(lease_until=timezone.now() - LONG_AGO)


# --- wake-ups


def test_a_queued_attempt_whose_wake_up_was_lost_is_woken_and_not_every_time(settings: Any) -> None:
    settings.SWEEP_S = 30
    arrives(key(1))
    assert sweepers.wake_forgotten() == 0
    age()
    assert sweepers.wake_forgotten() == 1
    assert sweepers.wake_forgotten() == 0
    assert queued_wake_ups() == 1


def test_of_a_long_queue_the_oldest_few_are_woken_for_and_nobody_finds_the_others_locked() -> None:
    orders = [f"8010000000000{number:02}AAA" for number in range(20)]
    for order_id in orders:
        arrives(key(1, order_id), order_id=order_id)
    age()
    assert sweepers.wake_forgotten() == sweepers.MOST_WAKE_UPS
    touched = Attempt.objects.exclude(enqueued_at=None).order_by("event_id").values_list("order_id", flat=True)
    assert list(touched) == orders[: sweepers.MOST_WAKE_UPS]


def test_a_wake_up_carries_no_argument_and_is_never_retried_by_the_queue() -> None:
    wakeups.wake()
    (job,) = django_rq.get_queue("provisioning").jobs
    assert (job.func_name, job.args, job.kwargs, job.retries_left) == ("provisioning.jobs.provision", [], {}, None)


def test_without_redis_a_wake_up_is_lost_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise RedisConnectionError

    monkeypatch.setattr("rq.Queue.enqueue", away)
    wakeups.wake()


def test_a_wake_up_works_off_everything_queued(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrives(key(1))
    jobs.provision()
    assert Attempt.objects.get().state == "PROVISIONED"


# --- dead workers


def test_an_attempt_whose_worker_died_before_sending_anything_fails_and_is_reported(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrives(key(1))
    claimed = claims.claim()
    assert claimed is not None
    assert sweepers.end_interrupted() == 0
    expire_lease()
    assert sweepers.end_interrupted() == 1
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.error_code, attempt.epoch) == ("FAILED", "interrupted", claimed.epoch + 1)
    assert Outbox.objects.get().payload["error"].startswith("interrupted: at step claim. Next: ")


def test_an_interrupted_attempt_is_never_run_again_by_itself(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrives(key(1))
    claims.claim()
    expire_lease()
    for _each in range(3):
        sweepers.sweep()
        worker.work_off()
    assert whmcs.calls == []


def test_a_request_that_waited_for_a_dead_worker_goes_on(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrives(key(1))
    claims.claim()
    salesforce.orders[ORDER] = order(last_idem_key=key(2))
    arrives(key(2))
    expire_lease()
    sweepers.sweep()
    worker.work_off()
    assert Attempt.objects.get(idem_key=key(2)).state == "PROVISIONED"


def test_an_unreachable_whmcs_leaves_unknown_attempts_for_the_next_round(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    whmcs.trouble("add_order", no_answer())
    arrive_and_run()
    pass_quarantine()
    whmcs.trouble("services", refused())
    assert sweepers.resolve_unknown() == 0
    attempt = Attempt.objects.get()
    assert attempt.state == "UNKNOWN"
    assert attempt.check_at is not None
    assert attempt.check_at > timezone.now()
    assert sweepers.resolve_unknown() == 0
    assert whmcs.count("services") == 3  # not asked again before its time
    pass_quarantine()
    assert sweepers.resolve_unknown() == 1


# --- orders that wait in Salesforce


def test_an_order_whose_event_never_came_is_taken_in(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    assert reconcile.reconcile() == {"taken_in": 1, "given_back": 0}
    event = InboxEvent.objects.get()
    assert (event.source, event.idem_key, event.correlation_id) == ("reconcile", key(1), "corr-1")
    worker.work_off()
    assert salesforce.orders[ORDER].activation_status == "Provisioned"


def test_an_event_that_comes_after_the_reconciler_is_a_duplicate(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    reconcile.reconcile()
    assert arrives(key(1)).state == "duplicate"


def test_an_order_that_somebody_works_on_is_left_alone(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrives(key(1))
    assert reconcile.reconcile() == {"taken_in": 0, "given_back": 0}


def test_an_order_whose_report_is_still_under_way_is_left_alone(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report_outcome", "refused"))
    arrive_and_run()
    assert reconcile.reconcile() == {"taken_in": 0, "given_back": 0}


def test_an_order_whose_request_is_used_up_is_given_back_as_failed_once(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrive_and_run()
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], activation_status="Activating")
    assert reconcile.reconcile() == {"taken_in": 0, "given_back": 1}
    assert reconcile.reconcile() == {"taken_in": 0, "given_back": 0}
    jobs.drain_outbox()
    assert salesforce.errors[ORDER] == "lost_request: Next: request provisioning again."
    assert salesforce.orders[ORDER].activation_status == "Failed"


def test_what_was_reported_after_the_query_is_not_given_back(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of thousands is old by the time the last of them is dealt with. Without keys only the status guards."""
    salesforce.orders[ORDER] = order(last_idem_key="")
    whmcs.methods = []
    old = salesforce.activating_orders(before=timezone.now())

    def query(*, before: object) -> object:
        arrives("older-flow-key")
        worker.work_off()
        salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], activation_status="Activating")
        InboxEvent.objects.update(idem_key=f"reconcile:{ORDER}:20261120T120000")
        return old

    monkeypatch.setattr(salesforce, "activating_orders", query)
    assert reconcile.reconcile() == {"taken_in": 0, "given_back": 0}
    assert Outbox.objects.filter(dedupe_key__startswith="lost:").count() == 0


def test_one_bad_order_does_not_keep_thousands_from_being_taken_in(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"801{number:012d}AAA" for number in range(1, 31)]
    salesforce.orders = {each: order(id=each, last_idem_key=key(1, each)) for each in ids}
    salesforce.orders[ids[0]] = order(id=ids[0], last_idem_key="x" * 81)  # longer than a key can be
    arrives(key(1, ids[1]), order_id=ids[1])
    monkeypatch.setattr(reconcile, "AT_ONCE", 10)
    with CaptureQueriesContext(connection) as statements:
        assert reconcile.reconcile() == {"taken_in": 28, "given_back": 0, "left": 1}
    locked = "".join(each["sql"] for each in statements if "pg_advisory_xact_lock" in each["sql"])
    assert [each for each in ids if each not in locked] == [ids[1]]  # what is worked on costs no lock
    assert Attempt.objects.count() == 29
    assert queued_wake_ups() == reconcile.MOST_WAKE_UPS


def test_an_org_without_keys_is_reconciled_by_the_time_of_the_change(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.orders[ORDER] = order(last_idem_key="")
    reconcile.reconcile()
    worker.work_off()
    assert salesforce.orders[ORDER].activation_status == "Provisioned"
    assert [report.idem_key for report in salesforce.reports] == [""]


def test_without_event_intake_the_reconciler_is_off(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, settings: Any
) -> None:
    settings.SF_EVENTS_ENABLED = False
    assert reconcile.reconcile() == {"taken_in": 0, "given_back": 0}
    assert salesforce.calls == []


# --- the pause, and the breaker


def test_while_paused_nothing_is_claimed_and_nothing_is_lost(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    pause.pause(by="carol@example.jp", reason="WHMCS upgrade")
    arrives(key(1))
    age()
    assert (worker.work_off(), sweepers.wake_forgotten()) == (0, 0)
    assert arrives(key(2)).state == "waiting"
    pause.resume(by="carol@example.jp", reason="done")
    assert worker.work_off() == 1


def test_a_pause_ends_by_itself_at_its_time() -> None:
    pause.pause(by="carol@example.jp", reason="short", until=timezone.now() - LONG_AGO)
    arrives(key(1))
    assert claims.claim() is not None


def unreachable(salesforce: SalesforceDouble, whmcs: WhmcsDouble, count: int) -> None:
    whmcs.trouble("pay_methods", refused(), times=count)
    for number in range(1, count + 1):
        if number > 1:
            salesforce.request_provisioning(ORDER)
        arrive_and_run(number)


def test_five_attempts_in_a_row_without_whmcs_stop_the_claims_for_a_minute(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    unreachable(salesforce, whmcs, 5)
    arrives(key(6))
    assert claims.claim() is None


def test_after_the_minute_one_probe_is_allowed_and_its_success_opens_the_way(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    unreachable(salesforce, whmcs, 5)
    Pause.objects.update(breaker_until=timezone.now() - LONG_AGO)
    assert claims.claim() is None  # nothing queued: the probe is not used up
    salesforce.request_provisioning(ORDER)
    assert arrive_and_run(6).state == "PROVISIONED"
    row = Pause.objects.get()
    assert (row.unreachable_in_a_row, row.breaker_until) == (0, None)


def test_while_the_probe_is_out_nobody_else_claims(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    unreachable(salesforce, whmcs, 5)
    Pause.objects.update(breaker_until=timezone.now() - LONG_AGO)
    for number in (7, 8):
        order_id = f"80100000000000{number}AAA"
        arrives(key(1, order_id), order_id=order_id)
    assert claims.claim() is not None
    assert claims.claim() is None


def test_four_failures_and_a_success_do_not_stop_the_claims(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    unreachable(salesforce, whmcs, 4)
    salesforce.request_provisioning(ORDER)
    arrive_and_run(5)
    assert Pause.objects.get().unreachable_in_a_row == 0


def test_a_probe_whose_worker_dies_is_followed_by_another_a_minute_later(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    unreachable(salesforce, whmcs, 5)
    Pause.objects.update(breaker_until=timezone.now() - LONG_AGO)
    arrives(key(6))
    other = "801000000000002AAA"
    arrives(key(1, other), order_id=other)
    salesforce.orders[other] = order(id=other, last_idem_key=key(1, other))
    assert claims.claim() is not None  # and its worker is never heard of again
    assert claims.claim() is None
    Pause.objects.update(breaker_until=timezone.now() - LONG_AGO)
    assert worker.work_off() == 1
    assert Attempt.objects.get(order_id=other).state == "PROVISIONED"
