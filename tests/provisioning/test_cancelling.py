"""Orders in WHMCS that must not stay: one live order and one invoice per Salesforce order (S7, S12, L5)."""

from dataclasses import replace

import pytest

from integrations.errors import Rejected
from provisioning import staff
from provisioning.models import Attempt
from tests.provisioning.conftest import arrive_and_run
from tests.provisioning.doubles import ORDER, SERVICE_PID, SalesforceDouble, WhmcsDouble, activation, item
from tests.provisioning.ordered import an_order_in_whmcs

pytestmark = pytest.mark.django_db(transaction=True)
DECISION = staff.Decision("carol@example.jp", "agreed with the customer")


def ask_again(salesforce: SalesforceDouble, number: int = 2) -> Attempt:
    salesforce.request_provisioning(ORDER)
    return arrive_and_run(number)


def items_change(salesforce: SalesforceDouble) -> None:
    changed = (item(unit_price=5280), activation())
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], items=changed)


def test_the_second_order_goes_with_its_services_and_its_invoice(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    an_order_in_whmcs(whmcs)
    an_order_in_whmcs(whmcs)
    assert arrive_and_run().state == "PROVISIONED"
    assert whmcs.statuses() == {501: "Active", 502: "Cancelled"}
    assert {each.status for each in whmcs.of_order(502)} == {"Cancelled"}
    assert whmcs.open_invoices() == [501]


def test_a_second_order_that_was_paid_is_for_a_person(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    an_order_in_whmcs(whmcs)
    whmcs.pay(an_order_in_whmcs(whmcs))
    attempt = arrive_and_run()
    assert attempt.error_text == "duplicate_active: invoice 902 is Paid, 0 of 8030 open"
    assert whmcs.statuses() == {501: "Pending", 502: "Pending"}


def test_an_order_carried_out_late_is_seen_when_the_services_are_read_back(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    def comes_late(operation: str) -> None:
        if operation == "accept_order":
            an_order_in_whmcs(whmcs)

    whmcs.watch = comes_late
    assert arrive_and_run().state == "PROVISIONED"
    assert whmcs.statuses() == {501: "Active", 502: "Cancelled"}
    assert whmcs.open_invoices() == [501]


def test_items_changed_on_a_pending_order_leave_one_invoice(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    whmcs.trouble("accept_order", Rejected("whmcs", "AcceptOrder", "module", "no"))
    arrive_and_run()
    items_change(salesforce)
    assert ask_again(salesforce).state == "PROVISIONED"
    assert whmcs.statuses() == {501: "Cancelled", 502: "Active"}
    assert whmcs.open_invoices() == [502]


def test_items_changed_on_an_accepted_order_are_for_staff_though_nothing_works_yet(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.failing_pids = {SERVICE_PID}
    arrive_and_run()
    whmcs.order_rows[501] = replace(whmcs.order_rows[501], status="Active")
    items_change(salesforce)
    assert ask_again(salesforce).error_text == "items_changed: WHMCS order 501 is Active"
    assert {each.status for each in whmcs.of_order(501)} == {"Pending"}


def test_an_accepted_order_whose_module_failed_is_finished_by_the_next_request(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    """WHMCS may accept an order although a module failed; AcceptOrder does nothing for it any more."""
    whmcs.failing_pids = {SERVICE_PID}
    arrive_and_run()
    whmcs.order_rows[501] = replace(whmcs.order_rows[501], status="Active")
    whmcs.failing_pids = set()
    assert ask_again(salesforce).state == "PROVISIONED"
    assert (whmcs.count("module_create"), whmcs.count("accept_order"), whmcs.count("add_order")) == (1, 1, 1)


def test_an_order_that_was_set_up_before_it_was_accepted_is_accepted_without_setting_up(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    """A paid invoice may have set the services up; the order must not stay Pending for ever."""
    an_order_in_whmcs(whmcs)
    for service in whmcs.of_order(501):
        whmcs.set_status(service.id, "Active")
    assert arrive_and_run().state == "PROVISIONED"
    assert (whmcs.statuses(), whmcs.count("module_create")) == ({501: "Active"}, 0)


# --- an order that staff cancelled in WHMCS


def cancelled_by_hand(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> Attempt:
    whmcs.trouble("accept_order", Rejected("whmcs", "AcceptOrder", "module", "no"))
    arrive_and_run()
    whmcs.order_rows[501] = replace(whmcs.order_rows[501], status="Cancelled")
    for service in whmcs.of_order(501):
        whmcs.set_status(service.id, "Cancelled")
    attempt = ask_again(salesforce)
    assert attempt.error_code == "cancelled_in_whmcs"
    return attempt


def test_creating_anew_leaves_one_invoice(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    staff.create_anew(cancelled_by_hand(salesforce, whmcs), DECISION)
    assert whmcs.open_invoices() == []
    assert ask_again(salesforce, 3).state == "PROVISIONED"
    assert (whmcs.statuses(), whmcs.open_invoices()) == ({501: "Cancelled", 502: "Active"}, [502])


def test_an_order_that_was_paid_is_not_created_anew(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    attempt = cancelled_by_hand(salesforce, whmcs)
    whmcs.pay(501)
    with pytest.raises(staff.NotPossible, match="invoice 901 is Paid"):
        staff.create_anew(attempt, DECISION)
    assert ask_again(salesforce, 3).error_code == "cancelled_in_whmcs"


def test_an_order_given_up_that_works_again_counts_again(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    staff.create_anew(cancelled_by_hand(salesforce, whmcs), DECISION)
    whmcs.order_rows[501] = replace(whmcs.order_rows[501], status="Active")
    for service in whmcs.of_order(501):
        whmcs.set_status(service.id, "Active")
    assert ask_again(salesforce, 3).whmcs_order_id == 501
    assert whmcs.count("add_order") == 1
