"""Reports to Salesforce arrive, or say why not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from integrations import failpoints
from integrations.errors import Misconfigured, Rejected, Unavailable, UnknownOutcome
from provisioning import outbox, sweepers, tasks, worker
from provisioning.models import Attempt, Outbox, Task
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key, no_answer, order

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def report() -> Outbox:
    return Outbox.objects.get(kind="sf_outcome")


def make_due() -> None:
    Outbox.objects.update(next_try_at=timezone.now() - timedelta(seconds=1), lease_until=None)


def test_a_report_goes_out_at_once_after_the_outcome(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrive_and_run()
    assert (report().state, report().tries, report().last_error) == ("SENT", 1, "")
    assert report().sent_at is not None


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("salesforce", "report_outcome", "refused"),
        UnknownOutcome("salesforce", "report_outcome", "timeout"),
        Rejected("salesforce", "report_outcome", "UNABLE_TO_LOCK_ROW"),
    ],
)
def test_a_report_that_does_not_arrive_is_repeated_later_and_the_attempt_stands(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, error: Exception
) -> None:
    salesforce.trouble("report_outcome", error)
    assert arrive_and_run().state == "PROVISIONED"
    assert (report().state, report().lease_until) == ("PENDING", None)
    assert report().next_try_at > timezone.now()
    assert outbox.drain() == {}
    make_due()
    assert outbox.drain() == {"sent": 1}
    assert salesforce.orders[ORDER].activation_status == "Provisioned"
    assert whmcs.count("add_order") == 1


def test_waits_grow_and_the_api_limit_makes_the_longest(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    salesforce.trouble("report_outcome", Rejected("salesforce", "report", "REQUEST_LIMIT_EXCEEDED"))
    arrive_and_run()
    assert report().next_try_at > timezone.now() + timedelta(minutes=14)
    assert report().refusals == 1


def test_a_report_refused_five_times_waits_for_a_person_who_can_send_it_again(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.trouble("report_outcome", Rejected("salesforce", "report", "FIELD_CUSTOM_VALIDATION"), times=5)
    arrive_and_run()
    for _each in range(4):
        make_due()
        outbox.drain()
    assert (report().state, report().refusals) == ("REFUSED", 5)
    task = Task.objects.get()
    assert (task.kind, task.order_id, task.facts["outcome"]) == ("report_refused", ORDER, "Provisioned")
    assert "FIELD_CUSTOM_VALIDATION" in tasks.tell(task).what_happened
    make_due()
    assert outbox.drain() == {}
    outbox.send_again(report(), by="carol@example.jp", reason="rule corrected")
    assert outbox.drain() == {"sent": 1}
    task.refresh_from_db()
    assert (task.state, task.closed_by) == ("done", "portal")


def test_a_missing_permission_becomes_a_task_and_the_report_is_tried_on(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.trouble("report_outcome", Misconfigured("salesforce", "report", "insufficient_access"), times=6)
    arrive_and_run()
    for _each in range(5):
        make_due()
        outbox.drain()
    assert (report().state, Task.objects.get().kind) == ("PENDING", "report_refused")
    make_due()
    assert outbox.drain() == {"sent": 1}
    assert Task.objects.get().state == "done"


def test_a_newer_decision_of_an_operator_is_not_overwritten(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    whmcs.methods = []
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report_outcome", "refused"))
    arrive_and_run()
    salesforce.request_provisioning(ORDER)
    make_due()
    assert outbox.drain() == {"superseded": 1}
    assert salesforce.orders[ORDER].activation_status == "Activating"


def test_a_refused_opportunity_does_not_hide_the_outcome_and_is_reported_by_itself(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.refuse_opportunity = True
    arrive_and_run()
    assert salesforce.orders[ORDER].activation_status == "Provisioned"
    assert salesforce.opportunities == {}
    alone = Outbox.objects.get(kind="sf_opportunity")
    assert alone.state == "PENDING"
    salesforce.refuse_opportunity = False
    make_due()
    outbox.drain()
    assert salesforce.opportunities == {"006000000000001AAA": 1001}


def opportunity_parted(salesforce: SalesforceDouble) -> None:
    salesforce.refuse_opportunity = True
    arrive_and_run()
    salesforce.refuse_opportunity = False
    make_due()


def test_an_opportunity_refused_five_times_is_a_task_of_its_own(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    opportunity_parted(salesforce)
    salesforce.refuse_opportunity = True
    for _each in range(5):
        make_due()
        outbox.drain()
    assert Outbox.objects.get(kind="sf_opportunity").state == "REFUSED"
    assert Task.objects.get().kind == "opportunity_refused"
    assert salesforce.orders[ORDER].activation_status == "Provisioned"


def test_the_opportunity_of_an_order_cancelled_meanwhile_is_left_alone(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    opportunity_parted(salesforce)
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], status="Cancelled")
    assert outbox.drain() == {"superseded": 1}
    assert salesforce.opportunities == {}


def test_an_opportunity_that_a_person_moved_on_is_left_alone(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    opportunity_parted(salesforce)
    salesforce.moved_on = {"006000000000001AAA"}
    assert outbox.drain() == {"superseded": 1}
    assert salesforce.opportunities == {}


# --- what is found out later


def unknown(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> str:
    """An attempt whose AddOrder got no answer; what Salesforce was told."""
    whmcs.trouble("add_order", no_answer())
    assert arrive_and_run().state == "UNKNOWN"
    return salesforce.errors[ORDER]


def test_what_the_look_up_found_takes_the_place_of_what_was_told_before(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    before = unknown(salesforce, whmcs)
    pass_quarantine()
    sweepers.resolve_unknown()
    attempt = Attempt.objects.get()
    assert attempt.state == "FAILED"
    assert salesforce.errors[ORDER] != before
    assert "looked again, nothing was ordered" in salesforce.errors[ORDER]
    assert salesforce.orders[ORDER].activation_status == "Failed"


def test_what_the_look_up_found_does_not_replace_a_failed_that_a_person_wrote(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    unknown(salesforce, whmcs)
    salesforce.failed_at[ORDER] = timezone.now()
    salesforce.errors[ORDER] = "Carol: the customer wants another plan"
    pass_quarantine()
    sweepers.resolve_unknown()
    assert salesforce.errors[ORDER] == "Carol: the customer wants another plan"


def test_what_the_look_up_found_comes_last_though_the_first_report_was_still_on_its_way(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    """The first one arrived, its answer did not, and it was never closed."""
    salesforce.trouble("report_outcome", UnknownOutcome("salesforce", "report_outcome", "timeout"), after=True)
    unknown(salesforce, whmcs)
    pass_quarantine()
    sweepers.resolve_unknown()
    assert "looked again, nothing was ordered" in salesforce.errors[ORDER]
    assert list(Outbox.objects.order_by("id").values_list("state", flat=True)) == ["SUPERSEDED", "SENT"]


def test_provisioned_takes_the_place_of_a_failed_that_was_told_before(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    whmcs.trouble("accept_order", no_answer("AcceptOrder"))
    arrive_and_run()
    assert salesforce.orders[ORDER].activation_status == "Failed"
    whmcs.accept_order(501)
    pass_quarantine()
    sweepers.resolve_unknown()
    assert (salesforce.orders[ORDER].activation_status, salesforce.errors[ORDER]) == ("Provisioned", "")


# --- Salesforce is away, or its limit is used up


def several(salesforce: SalesforceDouble, count: int) -> None:
    """Reports of so many orders, all due."""
    arrive_and_run()
    sent = Outbox.objects.get()
    salesforce.orders[ORDER] = order()
    for number in range(count):
        Outbox.objects.create(
            kind="sf_outcome", dedupe_key=f"a-{number}", order_id=ORDER, payload=sent.payload, next_try_at=LONG_AGO
        )


def test_a_used_up_limit_stops_every_report_for_a_quarter_of_an_hour(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    several(salesforce, 5)
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report", "sf_limit"))
    made = salesforce.count("report_outcome")
    assert outbox.drain() == {"unreached": 1}
    assert salesforce.count("report_outcome") == made + 1
    waiting = Outbox.objects.filter(state="PENDING", next_try_at__gt=timezone.now() + timedelta(minutes=14))
    assert waiting.count() == 5


def test_when_salesforce_is_away_three_reports_find_it_out_for_all(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    several(salesforce, 5)
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report", "refused"), times=5)
    assert outbox.drain() == {"unreached": 3}
    assert outbox.drain() == {"unreached": 2}


def test_a_locked_row_is_tried_again_with_growing_waits_and_holds_no_other_report_back(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    several(salesforce, 5)
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report", "row_locked"), times=4)
    assert outbox.drain() == {"put_off": 4, "sent": 1}
    waits = {row.next_try_at for row in Outbox.objects.filter(state="PENDING")}
    assert len(waits) == 4  # chance spreads them out


# --- the process dies


@pytest.mark.parametrize("point", ["outbox.lease:before", "outbox.lease:after"])
def test_a_death_before_the_report_is_sent_leaves_it_due(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, point: str
) -> None:
    arrives(key(1))
    with failpoints.arm(f"{point}=raise"), pytest.raises(failpoints.Died):
        worker.work_off()
    assert salesforce.reports == []
    make_due()
    assert outbox.drain() == {"sent": 1}
    assert salesforce.orders[ORDER].activation_status == "Provisioned"


@pytest.mark.parametrize("point", ["outbox.close:before", "outbox.close:after"])
@pytest.mark.parametrize("has_card", [True, False])
def test_a_death_after_the_report_arrived_writes_nothing_twice(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, point: str, has_card: bool
) -> None:
    if not has_card:
        whmcs.methods = []
    arrives(key(1))
    with failpoints.arm(f"{point}=raise"), pytest.raises(failpoints.Died):
        worker.work_off()
    make_due()
    outbox.drain()
    assert (report().state, len(salesforce.reports)) == ("SENT", 1)


def test_a_report_whose_process_died_is_free_when_its_lease_is_over(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrives(key(1))
    with failpoints.arm("outbox.lease:after=raise"), pytest.raises(failpoints.Died):
        worker.work_off()
    until = report().lease_until
    assert until is not None
    assert until <= timezone.now() + timedelta(seconds=settings.LEASE_S)


def test_a_later_report_of_an_attempt_replaces_one_that_has_not_gone_out(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    whmcs.trouble("accept_order", no_answer("AcceptOrder"))
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report_outcome", "refused"))
    arrive_and_run()
    whmcs.accept_order(501)
    sweepers.resolve_unknown()
    assert list(Outbox.objects.order_by("id").values_list("state", flat=True)) == ["SUPERSEDED", "SENT"]
    assert salesforce.orders[ORDER].activation_status == "Provisioned"


def test_a_report_that_cannot_be_made_does_not_hold_the_others_back(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report_outcome", "refused"))
    arrive_and_run()
    Outbox.objects.create(kind="sf_outcome", dedupe_key="a", order_id=ORDER, payload={}, next_try_at=timezone.now())
    Outbox.objects.filter(dedupe_key="a").update(id=0)
    make_due()
    assert outbox.drain() == {"put_off": 1, "sent": 1}


def test_a_leased_report_is_left_to_its_process_until_the_lease_ends(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report_outcome", "refused"))
    arrive_and_run()
    make_due()
    Outbox.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert outbox.drain() == {}
    Outbox.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    assert outbox.drain() == {"sent": 1}
    assert Attempt.objects.get().state == "PROVISIONED"


@pytest.mark.parametrize("interruption", [OperationalError(), RedisConnectionError()])
def test_an_interruption_is_no_refusal_of_the_report(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, interruption: Exception
) -> None:
    """PostgreSQL, which keeps the token, or Redis, under RQ's signal handler, went away while it was sent."""
    salesforce.trouble("report_outcome", interruption)
    arrives(key(1))
    with pytest.raises(type(interruption)):
        worker.work_off()
    row = Outbox.objects.get()
    assert (row.state, row.refusals, row.tries) == ("PENDING", 0, 1)
    Outbox.objects.update(lease_until=None)
    assert outbox.drain() == {"sent": 1}
