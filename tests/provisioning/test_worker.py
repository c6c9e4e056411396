"""One attempt from claim to outcome, in every state that WHMCS and Salesforce can be in."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from accounts.models import CustomerLink
from integrations.errors import Misconfigured, Rejected, Unavailable
from journal.models import RemoteCall, RemoteFact
from provisioning import sweepers, worker
from provisioning.failures import Code
from provisioning.models import Attempt, InboxEvent, Outbox, Step
from tests.people import make_customer
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import (
    ACTIVATION_PID,
    CARD,
    CLIENT,
    ORDER,
    SERVICE_PID,
    SalesforceDouble,
    WhmcsDouble,
    activation,
    item,
    key,
    no_answer,
    order,
    refused,
)
from tests.provisioning.ordered import request

pytestmark = pytest.mark.django_db(transaction=True)


def ask_again(salesforce: SalesforceDouble, number: int = 2) -> Attempt:
    """An operator sets the order to Activating; the event comes in and is worked off."""
    salesforce.request_provisioning(ORDER)
    return arrive_and_run(number)


def shown_error(salesforce: SalesforceDouble) -> str:
    """The code that Salesforce shows."""
    return salesforce.errors.get(ORDER, "").partition(":")[0]


# --- the way it should go


def test_an_approved_order_becomes_active_services(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    attempt = arrive_and_run()
    assert (attempt.state, attempt.whmcs_order_id, attempt.error_code) == ("PROVISIONED", 501, "")
    assert whmcs.statuses() == {501: "Active"}
    assert [each.status for each in whmcs.of_order(501)] == ["Active", "Completed"]
    assert salesforce.orders[ORDER].activation_status == "Provisioned"


def test_salesforce_is_told_order_items_and_opportunity(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrive_and_run()
    (report,) = salesforce.reports
    assert (report.whmcs_order_id, report.attempt_count, report.idem_key, report.error) == (501, 1, key(1), "")
    assert report.services == {"802000000000001AAA": 1001, "802000000000002AAA": 1002}
    assert salesforce.opportunities == {"006000000000001AAA": 1001}


def test_one_order_costs_six_calls_of_whmcs_and_two_of_salesforce(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, settings: Any
) -> None:
    settings.WHMCS_MARK_FIELDS = {SERVICE_PID: 1, ACTIVATION_PID: 2}
    arrive_and_run()
    assert whmcs.calls == ["pay_methods", "services", "add_order", "order", "accept_order", "services"]
    assert salesforce.calls == ["order_for_provisioning", "report_outcome"]


def test_the_mark_travels_with_every_line_and_in_the_notes(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrive_and_run()
    (request,) = whmcs.requests
    assert request.notes == f"sfOrderId={ORDER}"
    assert [line.custom_fields for line in request.lines] == [
        {5000 + SERVICE_PID: ORDER},
        {5000 + ACTIVATION_PID: ORDER},
    ]
    assert request.client_id == CLIENT


def test_the_intent_is_committed_before_add_order_is_sent(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    seen: dict[str, list[tuple[str, str]]] = {}
    whmcs.watch = lambda operation: seen.setdefault(operation, []).extend(
        RemoteCall.objects.values_list("operation", "state")
    )
    arrive_and_run()
    assert seen["add_order"] == [("whmcs.AddOrder", "INTENT")]
    assert ("whmcs.AcceptOrder", "INTENT") in seen["accept_order"]
    assert set(RemoteCall.objects.values_list("state", flat=True)) == {"DONE"}


def test_what_was_done_is_kept_step_by_step(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    attempt = arrive_and_run()
    assert list(attempt.steps.values_list("name", "state")) == [
        (name, "DONE") for name in ("guard", "validate", "payment", "whmcs_add", "whmcs_accept", "read_back")
    ]


def test_the_same_event_five_times_makes_one_order(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    for _each in range(5):
        arrives(key(1))
        worker.work_off()
    assert whmcs.count("add_order") == 1
    assert Attempt.objects.count() == 1


def test_a_repeat_of_a_provisioned_order_makes_nothing_new(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrive_and_run()
    attempt = ask_again(salesforce)
    assert attempt.state == "PROVISIONED"
    assert (whmcs.count("add_order"), whmcs.count("accept_order")) == (1, 1)
    assert salesforce.orders[ORDER].activation_status == "Provisioned"


def test_services_without_a_module_that_stay_pending_are_set_active(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.moduleless_stay_pending = True
    assert arrive_and_run().state == "PROVISIONED"
    assert [each.status for each in whmcs.of_order(501)] == ["Active", "Active"]
    assert whmcs.count("set_service_status") == 1


# --- the guard


@pytest.mark.parametrize("status", ["Pending Review", "Provisioned", "Failed", ""])
def test_an_order_that_is_not_activating_is_skipped_without_a_word(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, status: str
) -> None:
    salesforce.orders[ORDER] = order(activation_status=status)
    attempt = arrive_and_run()
    assert (attempt.state, attempt.error_code) == ("SKIPPED", "not_activating")
    assert (whmcs.calls, salesforce.reports, Outbox.objects.count()) == ([], [], 0)


def test_an_order_that_salesforce_does_not_know_is_skipped(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    salesforce.orders.clear()
    assert arrive_and_run().error_code == "unknown_order"
    assert whmcs.calls == []


@pytest.mark.parametrize("status", ["Draft", "Pending Review", "Cancelled", "Activated"])
def test_an_order_that_is_not_approved_fails_and_makes_nothing(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, status: str
) -> None:
    salesforce.orders[ORDER] = order(status=status)
    arrive_and_run()
    assert (shown_error(salesforce), whmcs.calls) == ("order_not_approved", [])


@pytest.mark.parametrize("identity", ["", "Pending", "Rejected"])
def test_a_sim_waits_for_the_identity(salesforce: SalesforceDouble, whmcs: WhmcsDouble, identity: str) -> None:
    salesforce.orders[ORDER] = order(items=(item(category="SIM"),), identity_status=identity)
    arrive_and_run()
    assert (shown_error(salesforce), whmcs.calls) == ("identity_pending", [])


def test_an_account_without_a_whmcs_client_fails(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    salesforce.orders[ORDER] = order(whmcs_client="")
    arrive_and_run()
    assert (shown_error(salesforce), whmcs.calls) == ("no_whmcs_client", [])


def test_an_account_that_names_another_client_than_the_link_fails(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    make_customer(sf_account_id="001000000000001AAA", whmcs_client_id=CLIENT + 1)
    assert CustomerLink.objects.count() == 1
    arrive_and_run()
    assert (shown_error(salesforce), whmcs.calls) == ("client_mismatch", [])


def test_an_order_cancelled_while_it_is_prepared_is_not_provisioned(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard is read again before AddOrder when some time has passed."""
    monkeypatch.setattr("provisioning.guard.READ_AGAIN_AFTER_S", -1)

    def cancel(operation: str) -> None:
        if operation == "pay_methods":
            salesforce.orders[ORDER] = order(activation_status="Pending Review", status="Cancelled")

    whmcs.watch = cancel
    assert arrive_and_run().state == "SKIPPED"
    assert whmcs.count("add_order") == 0
    assert RemoteCall.objects.get().error_code == "not_sent"


# --- failures, and that asking again goes on from there


@pytest.mark.parametrize("methods", [[], [replace(CARD, expired=True)]])
def test_without_a_valid_payment_method_it_fails_and_succeeds_once_there_is_one(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, methods: list[Any]
) -> None:
    whmcs.methods = methods
    assert arrive_and_run().state == "FAILED"
    assert (shown_error(salesforce), whmcs.count("add_order")) == ("payment_method_missing", 0)
    whmcs.methods = [CARD]
    assert ask_again(salesforce).state == "PROVISIONED"
    assert [report.attempt_count for report in salesforce.reports] == [1, 2]


def test_one_valid_method_among_expired_ones_is_enough(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    whmcs.methods = [replace(CARD, expired=True), CARD]
    assert arrive_and_run().state == "PROVISIONED"


@pytest.mark.parametrize("wrong", [{"whmcs_product_id": ""}, {"whmcs_product_id": "n/a"}, {"whmcs_product_id": "999"}])
def test_a_product_that_whmcs_cannot_sell_fails_by_name(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, wrong: dict[str, Any]
) -> None:
    salesforce.orders[ORDER] = order(items=(item(**wrong),))
    arrive_and_run()
    assert shown_error(salesforce) == "product_unmapped"
    assert "INT-APT-1G" in salesforce.errors[ORDER]
    assert whmcs.count("add_order") == 0
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], items=(item(),))
    assert ask_again(salesforce).state == "PROVISIONED"


def test_a_refused_add_order_fails_with_whmcs_own_words_and_can_be_asked_again(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.trouble("add_order", Rejected("whmcs", "AddOrder", "app", "Unable to add order"))
    arrive_and_run()
    told = "whmcs_error: AddOrder: Unable to add order. Next: correct in WHMCS what the text says"
    assert salesforce.errors[ORDER].startswith(told)
    assert ask_again(salesforce).state == "PROVISIONED"
    assert whmcs.statuses() == {501: "Active"}


def test_an_order_whose_accepting_failed_is_accepted_by_the_next_attempt_not_added_again(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.failing_pids = {SERVICE_PID}
    attempt = arrive_and_run()
    assert attempt.error_text == "whmcs_error: WHMCS order 501: AcceptOrder: the module said no"
    whmcs.failing_pids = set()
    assert ask_again(salesforce).state == "PROVISIONED"
    assert whmcs.count("add_order") == 1


@pytest.mark.parametrize(
    ("operation", "error", "code"),
    [
        ("pay_methods", refused(), Code.WHMCS_UNREACHABLE),
        ("services", refused(), Code.WHMCS_UNREACHABLE),
        ("add_order", refused(), Code.WHMCS_UNREACHABLE),
        ("services", Misconfigured("whmcs", "GetClientsProducts", "auth"), Code.WHMCS_ERROR),
    ],
)
def test_a_whmcs_that_does_not_answer_is_a_definite_failure(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operation: str, error: Exception, code: Code
) -> None:
    whmcs.trouble(operation, error)
    assert arrive_and_run().state == "FAILED"
    assert shown_error(salesforce) == code
    assert ask_again(salesforce).state == "PROVISIONED"
    assert whmcs.statuses() == {501: "Active"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable("salesforce", "query", "refused"), "sf_unreachable"),
        (Rejected("salesforce", "query", "REQUEST_LIMIT_EXCEEDED"), "sf_limit"),
        (Misconfigured("salesforce", "query", "INVALID_FIELD"), "sf_error"),
    ],
)
def test_a_salesforce_that_does_not_answer_fails_the_attempt_and_is_told_later(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, error: Exception, code: str
) -> None:
    salesforce.trouble("order_for_provisioning", error)
    arrive_and_run()
    assert (shown_error(salesforce), whmcs.calls) == (code, [])


def test_a_mistake_of_ours_is_a_failure_and_does_not_stop_the_queue(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    other = "801000000000002AAA"
    salesforce.orders[other] = order(id=other, last_idem_key=key(1, other))
    whmcs.trouble("pay_methods", ZeroDivisionError())
    arrives(key(1))
    arrives(key(1, other), order_id=other)
    assert worker.work_off() == 2
    assert shown_error(salesforce) == "internal_error"
    assert Attempt.objects.get(order_id=other).state == "PROVISIONED"


def test_a_job_time_out_is_not_swallowed_and_ends_as_interrupted(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.trouble("pay_methods", JobTimeoutException())
    arrives(key(1))
    with pytest.raises(JobTimeoutException):
        worker.work_off()
    assert Attempt.objects.get().state == "RUNNING"
    Attempt.objects.update(lease_until="2026-01-01T00:00Z")
    assert sweepers.end_interrupted() == 1
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.error_text) == ("FAILED", "interrupted: at step payment")


# --- lost answers


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


# --- what is there already


def test_an_order_known_by_id_is_found_though_staff_removed_its_mark(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.failing_pids = {SERVICE_PID}
    arrive_and_run()
    whmcs.service_rows = {number: replace(row, custom_fields={}) for number, row in whmcs.service_rows.items()}
    whmcs.failing_pids = set()
    assert ask_again(salesforce).state == "PROVISIONED"
    assert whmcs.count("add_order") == 1


def test_a_mark_that_only_begins_like_ours_is_not_ours(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    foreign = [replace(line, custom_fields={1: ORDER + "X"}) for line in request().lines]
    whmcs.put(replace(request(), lines=foreign))
    arrive_and_run()
    assert whmcs.statuses() == {501: "Pending", 502: "Active"}


def test_with_the_notes_as_carrier_an_order_is_found_by_its_note(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, settings: Any
) -> None:
    settings.WHMCS_MARK_CARRIER = "notes"
    whmcs.stores_mark = False
    whmcs.trouble("add_order", no_answer(), after=True)
    assert arrive_and_run().state == "PROVISIONED"
    assert whmcs.statuses() == {501: "Active"}


def test_of_several_pending_orders_the_lowest_is_accepted_and_the_others_are_cancelled(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.put(request())
    whmcs.put(request())
    assert arrive_and_run().state == "PROVISIONED"
    assert whmcs.statuses() == {501: "Active", 502: "Cancelled"}
    assert {each.status for each in whmcs.of_order(502)} == {"Cancelled"}
    assert whmcs.count("add_order") == 0


def test_a_working_order_wins_over_a_lower_pending_one(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    whmcs.put(request())
    whmcs.put(request())
    whmcs.accept_order(502)
    assert arrive_and_run().whmcs_order_id == 502
    assert whmcs.statuses() == {501: "Cancelled", 502: "Active"}


def test_two_working_orders_stop_everything(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    for number in (501, 502):
        whmcs.put(request())
        whmcs.accept_order(number)
    arrive_and_run()
    assert shown_error(salesforce) == "duplicate_active"
    assert whmcs.statuses() == {501: "Active", 502: "Active"}


def test_an_order_cancelled_in_whmcs_is_not_made_anew_without_staff(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.failing_pids = {SERVICE_PID}
    arrive_and_run()
    for service in whmcs.of_order(501):
        whmcs.set_status(service.id, "Cancelled")
    ask_again(salesforce)
    assert (shown_error(salesforce), whmcs.count("add_order")) == ("cancelled_in_whmcs", 1)


def test_items_changed_on_a_pending_order_are_ordered_anew(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    whmcs.trouble("accept_order", Rejected("whmcs", "AcceptOrder", "module", "no"))
    arrive_and_run()
    changed = (item(unit_price=5280), activation())
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], items=changed)
    assert ask_again(salesforce).state == "PROVISIONED"
    assert whmcs.statuses() == {501: "Cancelled", 502: "Active"}
    assert RemoteFact.objects.get(state="live").remote_id == "502"


def test_items_changed_on_a_working_order_are_for_staff(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrive_and_run()
    changed = (item(unit_price=5280), activation())
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], items=changed)
    ask_again(salesforce)
    assert (shown_error(salesforce), whmcs.statuses()) == ("items_changed", {501: "Active"})


def test_a_half_accepted_order_is_finished_service_by_service(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    addon = item(id="802000000000003AAA", sku="ADD", item_class="Add-on", whmcs_product_id="201")
    salesforce.orders[ORDER] = order(items=(item(), addon))
    whmcs.failing_pids = {201}
    assert arrive_and_run().state == "FAILED"
    assert [each.status for each in whmcs.of_order(501)] == ["Active", "Pending"]
    whmcs.failing_pids = set()
    assert ask_again(salesforce).state == "PROVISIONED"
    assert (whmcs.count("add_order"), whmcs.count("module_create"), whmcs.statuses()) == (1, 1, {501: "Active"})


def test_a_waiting_request_is_answered_by_the_attempt_under_way(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    """An operator's retry during the run: no second run, and Salesforce is told under the newer key."""
    arrives(key(1))

    def retry(operation: str) -> None:
        if operation == "accept_order":
            salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], last_idem_key=key(2))
            arrives(key(2))

    whmcs.watch = retry
    worker.work_off()
    assert [report.idem_key for report in salesforce.reports] == [key(2)]
    assert InboxEvent.objects.get(idem_key=key(2)).state == "answered"
    assert (Attempt.objects.count(), salesforce.orders[ORDER].activation_status) == (1, "Provisioned")


def test_a_failure_with_a_waiting_request_is_not_told_and_the_request_runs(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrives(key(1))
    whmcs.trouble("add_order", Rejected("whmcs", "AddOrder", "app", "no"))

    def retry(operation: str) -> None:
        if operation == "pay_methods" and not InboxEvent.objects.filter(idem_key=key(2)).exists():
            salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], last_idem_key=key(2))
            arrives(key(2))

    whmcs.watch = retry
    assert worker.work_off() == 2
    assert [(report.provisioned, report.idem_key) for report in salesforce.reports] == [(True, key(2))]
    assert [each.state for each in Attempt.objects.order_by("created_at")] == ["FAILED", "PROVISIONED"]


def test_every_step_finished_or_failed_is_on_record(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    whmcs.trouble("add_order", Rejected("whmcs", "AddOrder", "app", "no"))
    arrive_and_run()
    assert Step.objects.get(name="whmcs_add").state == "FAILED"
    assert not Step.objects.filter(finished_at=None).exists()


def test_the_log_tells_the_whole_story_under_one_correlation_id(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    arrives(key(1), correlation_id="one-correlation")
    worker.work_off()
    lines: list[dict[str, Any]] = [each.msg for each in caplog.records if isinstance(each.msg, dict)]
    told = [line["event"] for line in lines if line["logger"].startswith("provisioning.")]
    assert told == [
        "attempt_created",
        "attempt_claimed",
        *["step_started", "step_finished"] * 6,
        "attempt_finished",
        "report_sent",
    ]
    assert {line.get("correlation_id") for line in lines if line["logger"].startswith("provisioning.")} == {
        "one-correlation"
    }
