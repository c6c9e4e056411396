"""What an attempt makes of the orders that WHMCS holds already."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from integrations.errors import Rejected
from journal.models import RemoteFact
from provisioning import sweepers, worker
from provisioning.models import Attempt
from tests.provisioning.conftest import arrive_and_run, arrives, ask_again, shown_error
from tests.provisioning.doubles import (
    MARK,
    ORDER,
    SERVICE_PID,
    SalesforceDouble,
    WhmcsDouble,
    activation,
    item,
    key,
    no_answer,
    order,
)
from tests.provisioning.ordered import request

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "801000000000002AAA"


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


@pytest.mark.parametrize("status", ["Cancelled", "Fraud", "Terminated"])
def test_an_order_cancelled_in_whmcs_is_not_made_anew_without_staff(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, status: str
) -> None:
    whmcs.failing_pids = {SERVICE_PID}
    arrive_and_run()
    for service in whmcs.of_order(501):
        whmcs.set_status(service.id, status)
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


def copy_the_mark(whmcs: WhmcsDouble) -> None:
    """Somebody wrote the id of another Salesforce order into what was made for the first."""
    whmcs.service_rows = {
        number: replace(row, custom_fields={MARK: OTHER}) for number, row in whmcs.service_rows.items()
    }


def test_a_mark_on_what_belongs_to_another_order_is_for_a_person(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrive_and_run()
    copy_the_mark(whmcs)
    salesforce.orders[OTHER] = order(id=OTHER, last_idem_key=key(1, OTHER))
    arrives(key(1, OTHER), order_id=OTHER)
    worker.work_off()
    attempt = Attempt.objects.get(order_id=OTHER)
    assert (attempt.state, attempt.error_code) == ("FAILED", "mark_conflict")
    assert "whmcs_order 501 is order:" + ORDER in salesforce.errors[OTHER]
    assert "Next: compare both orders" in salesforce.errors[OTHER]
    assert (whmcs.count("add_order"), whmcs.count("accept_order")) == (1, 1)


def test_a_mark_that_was_copied_meanwhile_ends_an_unknown_attempt_for_a_person(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    arrive_and_run()
    salesforce.orders[OTHER] = order(id=OTHER, last_idem_key=key(1, OTHER))
    whmcs.trouble("add_order", no_answer())
    arrives(key(1, OTHER), order_id=OTHER)
    worker.work_off()
    copy_the_mark(whmcs)
    pass_quarantine()
    assert sweepers.resolve_unknown() == 1
    assert Attempt.objects.get(order_id=OTHER).error_code == "mark_conflict"
