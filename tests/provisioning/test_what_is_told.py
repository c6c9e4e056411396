"""An outcome is told only as far as it is known: nothing works by halves, nothing is definite with a call open."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from journal.models import RemoteCall
from provisioning import staff, sweepers, worker
from provisioning.models import Attempt
from tests.provisioning.conftest import arrive_and_run, arrives, ask_again
from tests.provisioning.doubles import ORDER, SERVICE_PID, SalesforceDouble, WhmcsDouble, key, no_answer
from tests.provisioning.esim_double import ESimDouble, esim_order
from tests.provisioning.ordered import request

pytestmark = pytest.mark.django_db(transaction=True)
CAROL = staff.Decision("carol@example.jp", "looked in WHMCS")


def dies(double: WhmcsDouble | ESimDouble, operation: str) -> None:
    """A worker dies after its call was carried out; the sweep finds the attempt."""
    double.trouble(operation, KeyboardInterrupt(), after=True)
    arrives(key(1))
    with pytest.raises(KeyboardInterrupt):
        worker.work_off()
    Attempt.objects.update(lease_until="2026-01-01T00:00Z")
    sweepers.end_interrupted()
    assert Attempt.objects.get().state == "UNKNOWN"


def test_an_order_of_which_a_service_is_missing_is_not_provisioned_by_looking(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    dies(whmcs, "accept_order")
    whmcs.service_rows.pop(1002)
    sweepers.resolve_unknown()
    attempt = Attempt.objects.get()
    assert attempt.error_text == "service_not_active: WHMCS order 501: services are missing"
    assert salesforce.orders[ORDER].activation_status == "Failed"


def test_a_look_that_fails_after_a_lost_answer_leaves_the_outcome_unknown(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    def paid_twice(operation: str) -> None:
        if operation == "add_order":
            whmcs.put(request())
            whmcs.pay(502)

    whmcs.watch_after = paid_twice
    whmcs.trouble("add_order", no_answer(), after=True)
    attempt = arrive_and_run()
    assert (attempt.state, RemoteCall.objects.get().state) == ("UNKNOWN", "UNKNOWN")
    assert salesforce.errors[ORDER].startswith("outcome_unknown: duplicate_active: invoice 902 is Paid")


@pytest.mark.parametrize("change", [{"whmcs_client": ""}, {"items": ()}])
def test_an_outcome_that_cannot_be_looked_up_any_more_is_not_called_definite(
    salesforce: SalesforceDouble,
    whmcs: WhmcsDouble,
    pass_quarantine: Callable[[], None],
    change: dict[str, Any],
) -> None:
    whmcs.trouble("add_order", no_answer())
    arrive_and_run()
    before = salesforce.orders[ORDER]
    salesforce.orders[ORDER] = replace(before, **change)
    pass_quarantine()
    sweepers.resolve_unknown()
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.error_code) == ("FAILED", "outcome_unknown")
    assert "could not look" in salesforce.errors[ORDER]
    assert "look in WHMCS for the mark" in salesforce.errors[ORDER]
    salesforce.orders[ORDER] = replace(before, activation_status="Failed")
    assert ask_again(salesforce).state == "PROVISIONED"


def test_an_esim_whose_ticket_failed_is_not_said_to_be_kept(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble, pass_quarantine: Callable[[], None]
) -> None:
    salesforce.orders[ORDER] = esim_order()
    provider.pace = "accepted"
    dies(provider, "activate")
    provider.fail("T1", "EID_ALREADY_USED")
    pass_quarantine()
    sweepers.resolve_unknown()
    attempt = Attempt.objects.get()
    assert (attempt.state, "kept" in attempt.error_text) == ("FAILED", False)
    provider.pace = "done"
    assert ask_again(salesforce).state == "PROVISIONED"


def test_an_order_that_was_put_back_in_whmcs_is_not_given_up(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    attempt = arrive_and_run()
    for service in whmcs.of_order(501):
        whmcs.set_status(service.id, "Terminated")
    again = ask_again(salesforce)
    assert (attempt.state, again.error_code) == ("PROVISIONED", "cancelled_in_whmcs")
    for service in whmcs.of_order(501):
        whmcs.set_status(service.id, "Active")
    with pytest.raises(staff.NotPossible):
        staff.create_anew(again, CAROL)
    assert whmcs.open_invoices() == [501]


def test_a_service_that_works_is_not_called_failed_because_the_card_is_gone_now(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrive_and_run()
    whmcs.methods = []
    assert ask_again(salesforce).state == "UNKNOWN"
    sweepers.resolve_unknown()
    assert list(Attempt.objects.values_list("state", flat=True)) == ["PROVISIONED", "PROVISIONED"]
    assert (salesforce.orders[ORDER].activation_status, whmcs.statuses()) == ("Provisioned", {501: "Active"})


def test_a_module_that_refuses_the_rest_of_a_half_accepted_order_is_told_in_its_own_words(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.failing_pids = {SERVICE_PID}
    arrive_and_run()
    whmcs.order_rows[501] = replace(whmcs.order_rows[501], status="Active")
    attempt = ask_again(salesforce)
    assert (attempt.state, attempt.error_text) == (
        "FAILED",
        "whmcs_error: WHMCS order 501: ModuleCreate: the module said no",
    )
