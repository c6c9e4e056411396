"""What a cancelled order or a late call left in WHMCS is cleared away, and what a person must decide is asked (24)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations import failpoints
from integrations.errors import Rejected, Unavailable
from integrations.esim.schemas import Line
from journal import facts
from journal.models import RemoteCall, RemoteFact
from orders.models import RefreshCursor
from provisioning import cleaning, staff, sweepers, tasks
from provisioning.models import Attempt, Inspection, Task
from provisioning.remote_orders import subject_of
from support.models import Case
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key, no_answer
from tests.provisioning.esim_double import ESimDouble
from tests.provisioning.ordered import an_order_in_whmcs

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
LONG_AGO = timezone.now() - DAY


def a_round_later() -> dict[str, int]:
    """The clean-up, as if everything that waits for its time were due."""
    Inspection.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - DAY)
    done = cleaning.clean_up()
    return {action: count for action, count in done.items() if count}


def left_pending(whmcs: WhmcsDouble) -> None:
    """An attempt that ordered and was refused the acceptance: a Pending WHMCS order stays."""
    whmcs.trouble("accept_order", Rejected("whmcs", "AcceptOrder", "module", "no"))
    assert arrive_and_run().state == "FAILED"
    assert whmcs.statuses() == {501: "Pending"}


def open_tasks() -> list[str]:
    return list(Task.objects.filter(state="open").order_by("id").values_list("kind", flat=True))


# --- a cancelled order


def test_the_pending_order_of_a_cancelled_one_goes_with_services_and_invoice(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    left_pending(whmcs)
    salesforce.is_cancelled()
    assert a_round_later() == {"cancellations_seen": 1, "looked": 1, "orders_cancelled": 1}
    assert whmcs.statuses() == {501: "Cancelled"}
    assert {each.status for each in whmcs.of_order(501)} == {"Cancelled"}
    assert (whmcs.open_invoices(), open_tasks()) == ([], [])
    assert RemoteFact.objects.get().state == "gone"
    assert Inspection.objects.get().due_at is None


def test_an_order_cancelled_while_its_service_works_is_told_to_a_person_and_to_salesforce(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrive_and_run()
    salesforce.is_cancelled()
    assert a_round_later() == {"cancellations_seen": 1, "left_to_a_person": 1}
    assert whmcs.statuses() == {501: "Active"}
    task = Task.objects.get()
    assert (task.kind, task.order_id) == ("live_service", ORDER)
    assert "WHMCS order 501 is not: service 1001 is Active" in tasks.tell(task).what_happened
    assert "service 1001 is Active" in Case.objects.get().description
    a_round_later()
    assert (Task.objects.count(), Case.objects.count()) == (1, 1)


def test_a_pending_order_of_which_a_service_works_counts_as_live(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    left_pending(whmcs)
    whmcs.set_status(1001, "Active")
    salesforce.is_cancelled()
    a_round_later()
    assert (open_tasks(), whmcs.statuses(), whmcs.open_invoices()) == (["live_service"], {501: "Pending"}, [501])


def test_the_task_closes_by_itself_when_a_person_has_terminated_the_service(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrive_and_run()
    salesforce.is_cancelled()
    a_round_later()
    for service in whmcs.of_order(501):
        whmcs.set_status(service.id, "Terminated")
    assert a_round_later() == {"looked": 1}
    assert (Task.objects.get().closed_by, Inspection.objects.get().due_at) == ("portal", None)


def test_what_a_person_has_closed_is_not_asked_again(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrive_and_run()
    salesforce.is_cancelled()
    a_round_later()
    tasks.close(Task.objects.get(), by="carol@example.jp", reason="the customer keeps it until the end of the month")
    assert a_round_later() == {"looked": 1}
    assert (open_tasks(), Inspection.objects.get().due_at) == ([], None)


def test_an_order_that_was_paid_and_cancelled_is_for_a_person(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    left_pending(whmcs)
    whmcs.pay(501)
    salesforce.is_cancelled()
    a_round_later()
    assert open_tasks() == ["paid_invoice"]
    assert whmcs.statuses() == {501: "Pending"}
    whmcs.invoice_rows[901] = replace(whmcs.invoice_rows[901], status="Refunded")
    assert a_round_later() == {"looked": 1, "orders_cancelled": 1}
    assert (whmcs.statuses(), open_tasks()) == ({501: "Cancelled"}, [])


def test_the_esim_lines_of_a_cancelled_order_are_for_a_person_until_they_are_ended(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble
) -> None:
    left_pending(whmcs)
    for kind, ref in (("esim", ORDER), ("esim:2", f"{ORDER}-2")):
        facts.remember(subject_of(ORDER), kind, ref)
    provider.line_rows[ORDER] = Line(line_ref=ORDER, status="active", iccid="8981000000000000001")
    salesforce.is_cancelled()
    a_round_later()
    assert (open_tasks(), whmcs.statuses()) == (["live_esim", "live_esim"], {501: "Cancelled"})
    assert "8981" not in tasks.tell(Task.objects.earliest("id")).what_happened
    for ref in (ORDER, f"{ORDER}-2"):
        provider.line_rows[ref] = Line(line_ref=ref, status="terminated")
    a_round_later()
    assert (open_tasks(), RemoteFact.objects.filter(state="live").count()) == ([], 0)


def test_an_order_put_back_closes_the_tasks_of_its_cancelling(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrive_and_run()
    salesforce.is_cancelled()
    a_round_later()
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], status="Activated")
    a_round_later()
    assert open_tasks() == []


def test_a_cancelled_order_that_was_never_tried_here_is_not_looked_at(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    other = "801000000000002AAA"
    salesforce.orders[other] = replace(salesforce.orders[ORDER], id=other)
    arrive_and_run()
    salesforce.is_cancelled(other)
    assert a_round_later() == {}


def test_each_cancellation_is_looked_at_once_and_a_later_one_anew(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    left_pending(whmcs)
    salesforce.is_cancelled()
    a_round_later()
    reads = salesforce.count("order_for_provisioning")
    for _each in range(3):
        assert a_round_later() == {}
    assert salesforce.count("order_for_provisioning") == reads
    salesforce.is_cancelled()
    assert a_round_later() == {"cancellations_seen": 1, "looked": 1}


def test_a_round_costs_one_query_and_asks_only_for_what_changed(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    assert a_round_later() == {}
    assert salesforce.calls == []  # nothing was ever tried
    arrive_and_run()
    salesforce.is_cancelled()
    a_round_later()
    assert RefreshCursor.objects.get(name=cleaning.CURSOR).modstamp == salesforce.saved_at
    before = list(salesforce.calls)
    a_round_later()
    assert salesforce.calls[len(before) :].count("cancelled_orders") == 1


def test_an_attempt_under_way_is_waited_for(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    left_pending(whmcs)
    salesforce.is_cancelled()
    arrives(key(2))
    assert a_round_later() == {"cancellations_seen": 1, "busy": 1}
    assert whmcs.statuses() == {501: "Pending"}


def test_a_whmcs_that_is_away_ends_the_round_and_the_next_one_goes_on(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    left_pending(whmcs)
    salesforce.is_cancelled()
    whmcs.trouble("services", Unavailable("whmcs", "GetClientsProducts", "refused"))
    assert a_round_later() == {"cancellations_seen": 1, "away": 1}
    assert a_round_later() == {"looked": 1, "orders_cancelled": 1}


@pytest.mark.parametrize("operation", ["cancel_invoice", "cancel_order", "set_service_status"])
@pytest.mark.parametrize("after", [False, True])
def test_a_death_while_clearing_away_leaves_nothing_behind(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operation: str, after: bool
) -> None:
    left_pending(whmcs)
    salesforce.is_cancelled()
    whmcs.trouble(operation, KeyboardInterrupt(), after=after)
    with pytest.raises(KeyboardInterrupt):
        a_round_later()
    a_round_later()
    assert whmcs.statuses() == {501: "Cancelled"}
    assert {each.status for each in whmcs.of_order(501)} == {"Cancelled"}
    assert whmcs.open_invoices() == []


POINTS = ["cleaning.cursor", "inspection.cancelled", "inspection.late", "inspection.write", "cleaning.task"]


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("point", [*POINTS, "task.close", "attention.ask", "fact.forget"])
def test_a_death_at_any_commit_of_a_round_is_made_good_by_the_next(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, point: str, side: str
) -> None:
    """A late duplicate, a paid order and a task that is to be closed: every commit of a round is passed."""
    left_pending(whmcs)
    whmcs.pay(an_order_in_whmcs(whmcs))
    Attempt.objects.create(order_id="801000000000009AAA", idem_key="k", state="UNKNOWN", started_at=LONG_AGO)
    RemoteCall.objects.filter(operation="whmcs.AddOrder").update(error_code="timeout")
    tasks.raise_task(Task.Kind.STILL_UNKNOWN, cause="x", attempt_id=Attempt.objects.get(order_id=ORDER).pk)
    salesforce.is_cancelled()
    with failpoints.arm(f"{point}:{side}=raise"), pytest.raises(failpoints.Died):
        a_round_later()
    for _each in range(2):
        a_round_later()
    assert whmcs.statuses() == {501: "Cancelled", 502: "Pending"}
    assert whmcs.open_invoices() == [502]  # the paid one
    assert sorted(open_tasks()) == ["paid_invoice", "still_unknown"]
    assert Case.objects.count() == 1


def test_one_order_that_cannot_be_dealt_with_does_not_keep_the_others_from_it(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    left_pending(whmcs)
    salesforce.is_cancelled()
    now = timezone.now()
    Inspection.objects.create(cause="call:0", reason="late", order_id="other", since=now - DAY, due_at=now - DAY)
    salesforce.trouble("order_for_provisioning", ValueError("not an id"))
    assert a_round_later() == {"cancellations_seen": 1, "undecided": 1, "looked": 1, "orders_cancelled": 1}


# --- a call that is carried out late


def add_order_without_answer(whmcs: WhmcsDouble) -> None:
    whmcs.trouble("add_order", no_answer())
    assert arrive_and_run().state == "UNKNOWN"


def test_an_order_that_lands_after_its_attempt_was_over_is_found_and_cancelled(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    add_order_without_answer(whmcs)
    pass_quarantine()
    sweepers.resolve_unknown()
    salesforce.request_provisioning(ORDER)
    assert arrive_and_run(2).state == "PROVISIONED"
    an_order_in_whmcs(whmcs)  # the first AddOrder, carried out at last
    assert whmcs.open_invoices() == [501, 502]
    assert a_round_later() == {"late_calls_noted": 1, "looked": 1, "orders_cancelled": 1}
    assert whmcs.statuses() == {501: "Active", 502: "Cancelled"}
    assert whmcs.open_invoices() == [501]
    assert RemoteFact.objects.get(state="live").remote_id == "501"


def test_an_order_that_lands_when_nobody_works_on_it_is_adopted_by_the_next_request(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    add_order_without_answer(whmcs)
    pass_quarantine()
    sweepers.resolve_unknown()
    an_order_in_whmcs(whmcs)
    a_round_later()
    assert RemoteFact.objects.get(state="live").remote_id == "501"
    salesforce.request_provisioning(ORDER)
    assert arrive_and_run(2).state == "PROVISIONED"
    assert whmcs.count("add_order") == 1


def test_an_order_that_lands_after_its_order_was_cancelled_goes(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    add_order_without_answer(whmcs)
    pass_quarantine()
    sweepers.resolve_unknown()
    salesforce.is_cancelled()
    a_round_later()
    an_order_in_whmcs(whmcs)
    a_round_later()
    assert (whmcs.statuses(), whmcs.open_invoices()) == ({501: "Cancelled"}, [])


def test_a_late_call_is_looked_for_three_times_and_then_no_more(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None], settings: Any
) -> None:
    add_order_without_answer(whmcs)
    pass_quarantine()
    sweepers.resolve_unknown()
    dues = []
    while (a_round_later(), Inspection.objects.get().due_at)[1] is not None:
        row = Inspection.objects.get()
        assert row.due_at is not None
        dues.append((row.due_at - row.since).total_seconds() / settings.QUARANTINE_S)
    assert (dues, Inspection.objects.get().looks) == ([4, 96], 3)


def test_a_call_that_was_answered_is_not_looked_for(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrive_and_run()
    assert a_round_later() == {}


def test_an_adopted_answer_is_looked_for_too(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    whmcs.trouble("add_order", no_answer(), after=True)
    assert arrive_and_run().state == "PROVISIONED"
    pass_quarantine()
    assert a_round_later() == {"late_calls_noted": 1, "looked": 1}


def test_a_call_left_open_by_an_attempt_that_staff_ended_is_decided(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    add_order_without_answer(whmcs)
    staff.mark_failed(Attempt.objects.get(), staff.Decision("carol@example.jp", "asked by the customer"))
    assert a_round_later() == {}  # it may still be executing
    pass_quarantine()
    assert a_round_later() == {"late_calls_noted": 1, "looked": 1}
    salesforce.request_provisioning(ORDER)
    assert arrive_and_run(2).state == "PROVISIONED"


# --- several that nobody may cancel


def two_that_work(whmcs: WhmcsDouble) -> None:
    for _twice in range(2):
        for service in whmcs.of_order(an_order_in_whmcs(whmcs)):
            whmcs.set_status(service.id, "Active")


def test_several_working_orders_are_a_task_that_closes_when_one_is_left(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    two_that_work(whmcs)
    assert arrive_and_run().error_code == "duplicate_active"
    assert Task.objects.filter(kind="duplicate_active", state="open").count() == 1
    assert "WHMCS orders 501, 502" in tasks.tell(Task.objects.get()).what_happened
    assert a_round_later() == {"left_to_a_person": 1}
    for service in whmcs.of_order(502):
        whmcs.set_status(service.id, "Terminated")
    a_round_later()
    assert Task.objects.filter(kind="duplicate_active", state="open").count() == 0
    assert Inspection.objects.get().due_at is None
