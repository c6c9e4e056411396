"""One attempt from claim to outcome, as it should go, and what is kept and told of it."""

from dataclasses import replace
from typing import Any

import pytest

from integrations.errors import Rejected
from journal.models import RemoteCall
from provisioning import whmcs_products, worker
from provisioning.models import Attempt, InboxEvent, Step
from tests.provisioning.conftest import arrive_and_run, arrives, ask_again
from tests.provisioning.doubles import (
    ACTIVATION_PID,
    CLIENT,
    ORDER,
    SERVICE_PID,
    SalesforceDouble,
    WhmcsDouble,
    key,
)

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_product_that_has_got_a_module_meanwhile_is_set_up_by_it_and_not_just_called_active(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.moduleless_stay_pending = True
    assert whmcs_products.has_module(ACTIVATION_PID) is False  # known for an hour

    def gets_a_module(operation: str) -> None:
        if operation == "accept_order":
            whmcs.moduleless.discard(ACTIVATION_PID)

    whmcs.watch_after = gets_a_module
    assert arrive_and_run().error_code == "service_not_active"
    assert (whmcs.count("set_service_status"), whmcs.service_rows[1002].status) == (0, "Pending")
    assert ask_again(salesforce).state == "PROVISIONED"
    assert (whmcs.count("set_service_status"), whmcs.count("module_create")) == (0, 1)


def test_a_service_without_a_module_costs_one_more_read_before_it_is_set_to_active(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.moduleless_stay_pending = True
    whmcs_products.has_module(ACTIVATION_PID)
    asked = whmcs.count("catalogue")
    assert arrive_and_run().state == "PROVISIONED"
    assert (whmcs.count("catalogue") - asked, whmcs.count("set_service_status")) == (1, 1)
