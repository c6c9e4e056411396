"""Which orders are not provisioned, or not yet."""

import pytest

from accounts.models import CustomerLink
from journal.models import RemoteCall
from provisioning.models import Outbox
from tests.people import make_customer
from tests.provisioning.conftest import arrive_and_run, shown_error
from tests.provisioning.doubles import (
    CLIENT,
    ORDER,
    SalesforceDouble,
    WhmcsDouble,
    item,
    order,
)

pytestmark = pytest.mark.django_db(transaction=True)


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
