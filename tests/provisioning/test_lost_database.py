"""PostgreSQL ends the worker's session amid an attempt: what was done outside is not done again (C27, C30)."""

from collections.abc import Callable

import psycopg
import pytest
from django.db import OperationalError, connection

from integrations import failpoints
from journal.models import RemoteCall
from provisioning import outbox, sweepers, worker
from provisioning.models import Attempt, Outbox
from tests.provisioning.conftest import arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key

pytestmark = pytest.mark.django_db(transaction=True)


def end_the_session() -> None:
    """As an administrator, a fail-over or a time limit does; the process notices at its next statement."""
    pid = connection.connection.info.backend_pid
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def once_after(operation: str, act: Callable[[], None]) -> Callable[[str], None]:
    left = [act]

    def watch(called: str) -> None:
        if called == operation and left:
            left.pop()()

    return watch


@pytest.mark.parametrize("operation", ["pay_methods", "add_order", "accept_order"])
def test_a_session_lost_while_whmcs_answers_costs_neither_the_answer_nor_the_attempt(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operation: str
) -> None:
    whmcs.watch_after = once_after(operation, end_the_session)
    arrives(key(1))
    worker.work_off()
    assert Attempt.objects.get().state == "PROVISIONED"
    assert (whmcs.count("add_order"), whmcs.count("accept_order")) == (1, 1)
    assert {call.state for call in RemoteCall.objects.all()} == {"DONE"}


@pytest.mark.parametrize(
    "point", ["order.keep:before", "order.keep:after", "step.finish:before@5", "outcome.begun:before"]
)
def test_a_session_lost_at_a_commit_that_lasts_is_made_good(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, point: str
) -> None:
    place, _, nth = point.partition("@")
    arrives(key(1))
    with failpoints.arm(f"{place}=call@{nth or 1}", end_the_session):
        worker.work_off()
    assert (Attempt.objects.get().state, whmcs.count("add_order")) == ("PROVISIONED", 1)


@pytest.mark.parametrize("side", ["before", "after"])
def test_an_outcome_whose_commit_was_not_acknowledged_is_written_and_reported_once(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, side: str
) -> None:
    """After the commit the repeated write finds the attempt ended: that is somebody else's, even if it was ours."""
    arrives(key(1))
    with failpoints.arm(f"outcome.provisioned:{side}=call", end_the_session):
        try:
            worker.work_off()
        except OperationalError:
            connection.close()
    Outbox.objects.update(lease_until=None)
    sweepers.sweep()
    outbox.drain()
    assert (Attempt.objects.get().state, whmcs.count("accept_order")) == ("PROVISIONED", 1)
    assert [report.provisioned for report in salesforce.reports] == [True]
    assert salesforce.orders[ORDER].activation_status == "Provisioned"


def test_a_session_lost_before_anything_was_sent_ends_the_job_and_nothing_is_made(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrives(key(1))
    with failpoints.arm("call.intent:before=call", end_the_session), pytest.raises(OperationalError):
        worker.work_off()
    connection.close()
    Attempt.objects.filter(state="RUNNING").update(lease_until="2026-01-01T00:00Z")
    assert sweepers.end_interrupted() == 1
    assert (Attempt.objects.get().error_code, whmcs.count("add_order")) == ("interrupted", 0)
