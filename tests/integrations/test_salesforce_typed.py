"""What customers typed goes into a Composite as text: `@{…}` is how its parts refer to each other."""

from dataclasses import replace

import pytest

from integrations import gateway
from integrations.salesforce.client import SalesforceClient
from integrations.salesforce.schemas import AccountRecord, ContactDetails
from tests.integrations.test_salesforce_client import new_account, new_order, outcome_of
from tests.org import rows
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
TYPED = "@{account.id} @{no.such.part}"
KEPT = "@ {account.id} @ {no.such.part}"


@pytest.fixture
def salesforce(sandbox: Sandbox) -> SalesforceClient:
    return gateway.salesforce()


@pytest.fixture
def account(salesforce: SalesforceClient) -> AccountRecord:
    return salesforce.create_account(new_account(given_name=TYPED, family_name=TYPED))


def test_a_name_at_sign_up(sandbox: Sandbox, account: AccountRecord) -> None:
    assert account.name == f"{KEPT} {KEPT}"
    (contact,) = rows(sandbox, f"SELECT FirstName, LastName FROM Contact WHERE Id = '{account.contacts[0].id}'")
    assert (contact["FirstName"], contact["LastName"]) == (KEPT, KEPT)


def test_name_and_address_in_the_profile(
    sandbox: Sandbox, salesforce: SalesforceClient, account: AccountRecord
) -> None:
    details = ContactDetails(TYPED, TYPED, "", street=TYPED, city=TYPED, state="東京都", postal_code="108-0023")
    salesforce.write_details(account_id=account.id, contact_id=account.contacts[0].id, details=details)
    (stored,) = rows(sandbox, f"SELECT BillingStreet, BillingCity FROM Account WHERE Id = '{account.id}'")
    assert (stored["BillingStreet"], stored["BillingCity"]) == (KEPT, KEPT)
    fields = "FirstName, LastName, MailingStreet, MailingCity"
    (contact,) = rows(sandbox, f"SELECT {fields} FROM Contact WHERE Id = '{account.contacts[0].id}'")
    assert {contact[name] for name in fields.split(", ")} == {KEPT}


def test_the_options_of_an_order_arrive_as_they_were_chosen(
    sandbox: Sandbox, salesforce: SalesforceClient, account: AccountRecord
) -> None:
    new = new_order(salesforce, account, account_name=TYPED)
    chosen = {"name": TYPED, "名": 'a"b\\'}
    new = replace(new, items=[replace(new.items[0], options=chosen), *new.items[1:]])
    placed = salesforce.place_order(new)
    order = salesforce.order_for_provisioning(placed.id)
    assert order is not None
    assert order.items[0].options == chosen
    (opportunity,) = rows(sandbox, f"SELECT Name FROM Opportunity WHERE Id = '{placed.opportunity_id}'")
    assert opportunity["Name"] == f"{new.commodity} – {KEPT}"


def test_what_whmcs_said_about_a_failure(
    sandbox: Sandbox, salesforce: SalesforceClient, account: AccountRecord
) -> None:
    placed = salesforce.place_order(new_order(salesforce, account))
    sandbox.control(f"/control/desk/orders/{placed.id}/approve")
    salesforce.report_outcome(outcome_of(salesforce, placed, provisioned=False, error=TYPED))
    change = salesforce.order_change(placed.id)
    assert change is not None
    assert change.activation_error == KEPT
