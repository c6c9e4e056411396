"""A call of the worker that gets no answer, or whose worker dies around it."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from journal.models import RemoteCall
from provisioning import staff, sweepers, worker
from provisioning.models import Attempt, InboxEvent
from tests.provisioning.conftest import arrive_and_run, arrives, ask_again
from tests.provisioning.doubles import (
    ORDER,
    SalesforceDouble,
    WhmcsDouble,
    key,
    no_answer,
)
from tests.provisioning.ordered import request

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lost_answer_of_add_order_is_adopted_in_the_same_attempt(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.trouble("add_order", no_answer(), after=True)
    assert arrive_and_run().state == "PROVISIONED"
    assert whmcs.statuses() == {501: "Active"}


def test_an_add_order_that_cannot_be_found_is_unknown_and_shown_as_failed_to_staff(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.trouble("add_order", no_answer())
    attempt = arrive_and_run()
    assert (attempt.state, attempt.finished_at) == ("UNKNOWN", None)
    call = RemoteCall.objects.get()
    sent, until = (f"{timezone.localtime(each):%H:%M}" for each in (call.created_at, call.quarantine_until))
    assert salesforce.errors[ORDER] == (
        f"outcome_unknown: whmcs.AddOrder, sent at {sent}, got no answer. Unknown: whether WHMCS made an order. "
        f"Next: wait until {until}, the portal looks again; or look in WHMCS for the mark."
    )


def test_while_the_outcome_is_unknown_a_new_request_waits_and_goes_on_after_the_quarantine(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    whmcs.trouble("add_order", no_answer())
    arrive_and_run()
    salesforce.request_provisioning(ORDER)
    waiting = arrives(key(2))
    assert (waiting.state, worker.work_off()) == (InboxEvent.State.WAITING, 0)
    assert sweepers.resolve_unknown() == 0
    assert whmcs.count("add_order") == 1
    pass_quarantine()
    assert sweepers.resolve_unknown() == 1
    worker.work_off()
    assert Attempt.objects.get(idem_key=key(2)).state == "PROVISIONED"
    assert (whmcs.count("add_order"), whmcs.statuses()) == (2, {501: "Active"})
    assert [report.idem_key for report in salesforce.reports] == [key(1), key(2)]


def test_an_add_order_carried_out_late_is_found_and_ends_the_attempt(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.trouble("add_order", no_answer())
    arrive_and_run()
    whmcs.put(request())
    assert sweepers.resolve_unknown() == 1
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.error_code) == ("FAILED", "outcome_unknown")
    assert ask_again(salesforce).state == "PROVISIONED"
    assert whmcs.statuses() == {501: "Active"}


def test_a_lost_answer_of_accept_order_is_read_and_never_sent_blind(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.trouble("accept_order", no_answer("AcceptOrder"), after=True)
    assert arrive_and_run().state == "PROVISIONED"
    assert whmcs.count("accept_order") == 1


def test_an_accept_order_without_effect_is_unknown_and_accepted_by_the_next_attempt_after_the_quarantine(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    whmcs.trouble("accept_order", no_answer("AcceptOrder"))
    assert arrive_and_run().state == "UNKNOWN"
    assert sweepers.resolve_unknown() == 0
    pass_quarantine()
    assert sweepers.resolve_unknown() == 1
    assert ask_again(salesforce).state == "PROVISIONED"
    assert (whmcs.count("add_order"), whmcs.statuses()) == (1, {501: "Active"})


def test_an_accept_order_that_worked_late_ends_the_unknown_attempt_as_provisioned(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.trouble("accept_order", no_answer("AcceptOrder"))
    arrive_and_run()
    assert salesforce.orders[ORDER].activation_status == "Failed"
    whmcs.accept_order(501)
    assert sweepers.resolve_unknown() == 1
    assert Attempt.objects.get().state == "PROVISIONED"
    assert salesforce.orders[ORDER].activation_status == "Provisioned"
    assert not RemoteCall.objects.filter(state__in=["INTENT", "UNKNOWN"]).exists()


@pytest.mark.parametrize("operation", ["add_order", "accept_order"])
@pytest.mark.parametrize("after", [False, True])
def test_a_worker_killed_around_a_call_leaves_unknown_and_one_order_in_the_end(
    salesforce: SalesforceDouble,
    whmcs: WhmcsDouble,
    pass_quarantine: Callable[[], None],
    operation: str,
    after: bool,
) -> None:
    whmcs.trouble(operation, KeyboardInterrupt(), after=after)
    arrives(key(1))
    with pytest.raises(KeyboardInterrupt):
        worker.work_off()
    Attempt.objects.update(lease_until="2026-01-01T00:00Z")
    sweepers.sweep()
    if Attempt.objects.get().state == "UNKNOWN":
        pass_quarantine()
        sweepers.sweep()
    if Attempt.objects.get().state == "FAILED":
        assert ask_again(salesforce).state == "PROVISIONED"
    assert salesforce.orders[ORDER].activation_status == "Provisioned" or not after
    assert whmcs.statuses() == {501: "Active"}
    assert whmcs.count("add_order") == (2 if (operation, after) == ("add_order", False) else 1)


def test_a_worker_that_lost_its_attempt_sends_nothing_more(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    def take_away(operation: str) -> None:
        if operation == "services":
            Attempt.objects.update(lease_until="2026-01-01T00:00Z")
            sweepers.end_interrupted()

    whmcs.watch = take_away
    arrives(key(1))
    worker.work_off()
    assert whmcs.count("add_order") == 0
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.error_code) == ("FAILED", "interrupted")
    assert not RemoteCall.objects.filter(state__in=["INTENT", "UNKNOWN"]).exists()


def accepted_while_its_module_is_at_work(whmcs: WhmcsDouble) -> None:
    """WHMCS calls the order accepted at once; its answer is lost, and the service is not set up yet."""

    def not_yet(operation: str) -> None:
        if operation == "accept_order":
            whmcs.set_status(1001, "Pending")

    whmcs.watch_after = not_yet
    whmcs.trouble("accept_order", no_answer("AcceptOrder"), after=True)
    assert arrive_and_run().state == "UNKNOWN"
    whmcs.watch_after = lambda _operation: None


def test_a_module_that_a_lost_accept_order_may_still_run_is_not_run_by_another_request(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    accepted_while_its_module_is_at_work(whmcs)
    staff.mark_failed(Attempt.objects.get(), staff.Decision("carol@example.jp", "the customer waits"))
    attempt = ask_again(salesforce)
    assert attempt.error_text.startswith("outcome_unknown: an earlier request may be running")
    assert whmcs.count("module_create") == 0


def test_an_order_whose_module_ends_after_the_lost_answer_is_provisioned(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    accepted_while_its_module_is_at_work(whmcs)
    assert sweepers.resolve_unknown() == 0
    whmcs.set_status(1001, "Active")
    Attempt.objects.update(check_at=None)
    assert sweepers.resolve_unknown() == 1
    assert Attempt.objects.get().state == "PROVISIONED"
    assert not RemoteCall.objects.filter(state__in=["INTENT", "UNKNOWN"]).exists()
    assert whmcs.count("module_create") == 0


def test_a_module_that_never_ended_is_run_by_the_next_request_once_nothing_can_be_at_work(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    accepted_while_its_module_is_at_work(whmcs)
    pass_quarantine()
    assert sweepers.resolve_unknown() == 1
    assert ask_again(salesforce).state == "PROVISIONED"
    assert (whmcs.count("module_create"), whmcs.count("accept_order"), whmcs.statuses()) == (1, 1, {501: "Active"})
