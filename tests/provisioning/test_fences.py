"""Who lost an attempt changes nothing any more; who breaks keeps nobody else from going on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import django_rq
import pytest
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from integrations import failpoints
from integrations.errors import Rejected
from journal.models import RemoteCall, RemoteFact
from provisioning import jobs, outcome, reconcile, remote_orders, sweepers, worker
from provisioning.attempts import Fenced
from provisioning.claims import claim
from provisioning.models import Attempt, Outbox
from provisioning.remote_orders import KIND
from provisioning.steps import step
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import (
    ACTIVATION_PID,
    ORDER,
    SERVICE_PID,
    SalesforceDouble,
    WhmcsDouble,
    item,
    key,
    no_answer,
    order,
)

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = "2026-01-01T00:00Z"


def test_a_worker_that_wakes_up_after_its_quarantine_leaves_the_newer_order_alone(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    """Frozen between its fence and the wire, it sends AddOrder when another attempt has long been done."""

    def freeze(operation: str) -> None:
        if operation != "add_order":
            return
        whmcs.watch = lambda operation: None
        Attempt.objects.update(lease_until=LONG_AGO)
        sweepers.sweep()
        pass_quarantine()
        sweepers.sweep()
        salesforce.request_provisioning(ORDER)
        arrive_and_run(2)

    whmcs.watch = freeze
    arrives(key(1))
    worker.work_off()
    assert RemoteFact.objects.get(kind=KIND, state="live").remote_id == "501"
    assert whmcs.statuses() == {501: "Active", 502: "Pending"}
    salesforce.request_provisioning(ORDER)
    assert arrive_and_run(3).whmcs_order_id == 501
    assert whmcs.statuses() == {501: "Active", 502: "Cancelled"}


def test_a_worker_that_dies_at_the_begin_of_a_step_has_begun_none_and_holds_no_longer_lease() -> None:
    """The lease and the step's row are one commit: between two, a worker could stand still until it is fenced."""
    arrives(key(1))
    held = claim()
    assert held is not None
    before = Attempt.objects.get()
    with failpoints.arm("step.begin:before=raise"), pytest.raises(failpoints.Died), step(held, "guard", deadline_s=600):
        pass
    after = Attempt.objects.get()
    assert (after.lease_until, after.step) == (before.lease_until, before.step)
    assert not after.steps.exists()


def test_a_worker_that_lost_its_attempt_does_not_tell_the_customer_that_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrives(key(1))
    held = claim()
    assert held is not None
    Attempt.objects.update(lease_until=LONG_AGO)
    sweepers.end_interrupted()
    told: list[Any] = []
    monkeypatch.setattr(outcome, "record_progress", lambda **said: told.append(said))
    with pytest.raises(Fenced):
        outcome.begun(held, order())
    assert told == []


def test_nothing_is_made_while_another_call_for_the_order_may_be_executing(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    """Staff ended the attempt whose AcceptOrder is open, and changed the items: cancelling would cross it."""
    whmcs.trouble("accept_order", no_answer("AcceptOrder"))
    arrive_and_run()
    Attempt.objects.update(state="FAILED", finished_at=timezone.now())
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], items=(item(unit_price=5280),))
    salesforce.request_provisioning(ORDER)
    assert arrive_and_run(2).error_code == "outcome_unknown"
    assert (whmcs.statuses(), whmcs.count("cancel_order")) == ({501: "Pending"}, 0)


def test_redis_that_goes_away_under_a_worker_interrupts_it(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    """RQ's signal handler writes to Redis, in the middle of whatever runs."""
    whmcs.trouble("pay_methods", RedisConnectionError())
    arrives(key(1))
    with pytest.raises(RedisConnectionError):
        worker.work_off()
    assert Attempt.objects.get().state == "RUNNING"


def test_a_job_ends_in_good_time_and_leaves_the_rest_to_the_next(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    other = "801000000000002AAA"
    salesforce.orders[other] = order(id=other, last_idem_key=key(1, other))
    arrives(key(1))
    arrives(key(1, other), order_id=other)
    assert worker.work_off(for_s=0) == 1
    assert django_rq.get_queue("provisioning").count == 1
    jobs.provision()
    assert set(Attempt.objects.values_list("state", flat=True)) == {"PROVISIONED"}


def test_an_attempt_that_cannot_be_dealt_with_keeps_no_other_waiting(
    salesforce: SalesforceDouble,
    whmcs: WhmcsDouble,
    pass_quarantine: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = "801000000000002AAA"
    salesforce.orders[other] = order(id=other, last_idem_key=key(1, other))
    whmcs.trouble("add_order", no_answer(), times=2)
    arrive_and_run()
    arrives(key(1, other), order_id=other)
    worker.work_off()
    pass_quarantine()
    look_up = remote_orders.look_up

    def breaks(order_id: str, *args: Any, **kwargs: Any) -> Any:
        if order_id == ORDER:
            raise ZeroDivisionError
        return look_up(order_id, *args, **kwargs)

    monkeypatch.setattr(remote_orders, "look_up", breaks)
    assert sweepers.sweep()["resolved"] == 1
    assert [each.state for each in Attempt.objects.order_by("created_at")] == ["UNKNOWN", "FAILED"]


def test_a_call_of_a_later_release_does_not_stop_the_sweep(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    whmcs.trouble("add_order", no_answer())
    arrive_and_run()
    RemoteCall.objects.update(operation="whmcs.Later")
    pass_quarantine()
    sweepers.sweep()
    assert Attempt.objects.get().state == "UNKNOWN"


def test_a_report_that_was_refused_for_an_older_request_does_not_hide_a_lost_one(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.trouble("report_outcome", Rejected("salesforce", "report_outcome", "locked", "no"), times=9)
    arrive_and_run()
    Outbox.objects.update(state="REFUSED")
    salesforce.troubles.clear()
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], last_idem_key=key(2))
    assert reconcile.reconcile() == {"taken_in": 1, "given_back": 0}
    worker.work_off()
    assert salesforce.orders[ORDER].activation_status == "Provisioned"


def test_a_product_that_was_mended_in_whmcs_is_known_at_once(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = whmcs.catalogue()
    without = [replace(each, custom_fields={}) if each.pid == SERVICE_PID else each for each in catalogue]
    monkeypatch.setattr(whmcs, "catalogue", lambda: without)
    assert arrive_and_run().error_code == "product_unmapped"
    monkeypatch.setattr(whmcs, "catalogue", lambda: catalogue)
    salesforce.request_provisioning(ORDER)
    assert arrive_and_run(2).state == "PROVISIONED"
    assert ACTIVATION_PID in {each.pid for each in catalogue}


def test_an_unknown_outcome_is_not_reported_while_a_newer_request_waits(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrives(key(1))
    held = claim()
    assert held is not None
    assert arrives(key(2)).state == "waiting"
    outcome.unknown(outcome.Whose(held.attempt.pk, held.epoch), "AddOrder got no answer")
    assert Attempt.objects.get(idem_key=key(1)).state == "UNKNOWN"
    assert not Outbox.objects.exists()
