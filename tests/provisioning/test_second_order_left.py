"""A second WHMCS order that cannot be cancelled now keeps nobody from the one that works, and is not forgotten."""

from collections.abc import Callable

import pytest

from integrations import failpoints
from integrations.errors import OutsideError, Rejected, Unavailable, UnknownOutcome
from provisioning import inspections, sweepers, worker
from provisioning.models import Attempt, Inspection
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key, no_answer
from tests.provisioning.ordered import an_order_in_whmcs
from tests.provisioning.test_cleaning import a_round_later, open_tasks

pytestmark = pytest.mark.django_db(transaction=True)
ERRORS = [
    Rejected("whmcs", "UpdateInvoice", "locked", "no"),
    Unavailable("whmcs", "UpdateInvoice", "refused"),
    UnknownOutcome("whmcs", "UpdateInvoice", "timeout"),
]


def one_that_works_and_one_that_does_not(whmcs: WhmcsDouble) -> None:
    an_order_in_whmcs(whmcs)
    an_order_in_whmcs(whmcs)
    whmcs.accept_order(501)


@pytest.mark.parametrize("operation", ["cancel_invoice", "cancel_order", "set_service_status"])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_works_is_provisioned_and_the_clean_up_cancels_the_other(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operation: str, error: OutsideError
) -> None:
    one_that_works_and_one_that_does_not(whmcs)
    whmcs.trouble(operation, error, times=2)  # at the look-up, and when the services are read back
    attempt = arrive_and_run()
    assert (attempt.state, attempt.whmcs_order_id) == ("PROVISIONED", 501)
    assert any(service.status == "Pending" for service in whmcs.of_order(502))
    assert a_round_later()["looked"] == 1
    assert {service.status for service in whmcs.of_order(502)} == {"Cancelled"}
    assert (whmcs.statuses(), whmcs.open_invoices()) == ({501: "Active", 502: "Cancelled"}, [501])
    assert (open_tasks(), Inspection.objects.get().due_at) == ([], None)


def test_what_stays_is_told_to_a_person(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    one_that_works_and_one_that_does_not(whmcs)
    whmcs.trouble("cancel_invoice", ERRORS[0], times=9)
    assert arrive_and_run().state == "PROVISIONED"
    for _each in range(inspections.ASKED_AFTER):
        assert a_round_later() == {"undecided": 1}
    assert open_tasks() == ["cannot_look"]


def test_an_unknown_attempt_ends_by_the_order_that_works(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    whmcs.trouble("add_order", no_answer())
    attempt = arrive_and_run()
    one_that_works_and_one_that_does_not(whmcs)
    whmcs.trouble("cancel_order", ERRORS[1])
    pass_quarantine()
    assert sweepers.resolve_unknown() == 1
    attempt.refresh_from_db()
    assert (attempt.state, Inspection.objects.get(reason="duplicate").due_at is not None) == ("PROVISIONED", True)


def test_while_none_works_nothing_is_accepted_beside_one_that_could_not_be_cancelled(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    an_order_in_whmcs(whmcs)
    an_order_in_whmcs(whmcs)
    whmcs.trouble("cancel_invoice", ERRORS[0])
    assert arrive_and_run().error_code == "whmcs_error"
    assert whmcs.count("accept_order") == 0


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_death_while_it_is_noted_forgets_neither_the_order_that_works_nor_the_other(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, side: str
) -> None:
    one_that_works_and_one_that_does_not(whmcs)
    whmcs.trouble("cancel_invoice", ERRORS[0], times=2)
    arrives(key(1))
    with failpoints.arm(f"inspection.left:{side}=raise"), pytest.raises(failpoints.Died):
        worker.work_off()
    Attempt.objects.update(lease_until="2026-01-01T00:00Z")
    sweepers.sweep()
    if Attempt.objects.get().state == "FAILED":
        salesforce.request_provisioning(ORDER)
        arrive_and_run(2)
    assert Attempt.objects.latest("created_at").state == "PROVISIONED"
    a_round_later()
    assert (whmcs.statuses(), whmcs.open_invoices()) == ({501: "Active", 502: "Cancelled"}, [501])
