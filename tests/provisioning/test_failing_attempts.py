"""Attempts that fail for a reason, and that asking again goes on from there."""

from dataclasses import replace
from typing import Any

import pytest
from rq.timeouts import JobTimeoutException

from integrations.errors import Misconfigured, Rejected, Unavailable
from provisioning import sweepers, worker
from provisioning.failures import Code
from provisioning.models import Attempt
from tests.provisioning.conftest import arrive_and_run, arrives, ask_again, shown_error
from tests.provisioning.doubles import (
    CARD,
    ORDER,
    SERVICE_PID,
    SalesforceDouble,
    WhmcsDouble,
    item,
    key,
    order,
    refused,
)

pytestmark = pytest.mark.django_db(transaction=True)


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
