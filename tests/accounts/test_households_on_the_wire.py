"""Several people on one Account, and Accounts that were closed: whom the portal writes to, by what Salesforce holds."""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from accounts import signup
from accounts.links import linked
from accounts.models import SignupJourney
from accounts.profile.saving import save_profile
from accounts.profile.syncing import sync
from integrations import gateway
from integrations.errors import Rejected
from integrations.salesforce.schemas import NewAccount
from support.models import Case
from tests.accounts.conftest import new_journey, person, run
from tests.org import rows, save
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sandbox")]
State = SignupJourney.State
MARIA_SAYS = {
    "given_name": "Maria",
    "family_name": "Santos",
    "postal_code": "1080023",
    "prefecture": 13,
    "city": "港区",
    "street": "芝浦3-12-8",
    "building": "",
    "room": "",
    "phone": "+818055210147",
}


@dataclass(frozen=True)
class Household:
    """Kenji is the older Contact, Maria the younger."""

    account_id: str
    number: str
    kenji: str
    maria: str
    email: str  # Maria's

    def contact(self, sandbox: Sandbox, contact_id: str) -> dict[str, Any]:
        fields = "FirstName, Phone, MailingCity, Email"
        (found,) = rows(sandbox, f"SELECT {fields} FROM Contact WHERE Id = '{contact_id}'")
        return {name: found[name] for name in fields.split(", ")}

    def account(self, sandbox: Sandbox) -> dict[str, Any]:
        fields = "WH_Account__c, Portal_Status__c"
        (found,) = rows(sandbox, f"SELECT {fields} FROM Account WHERE Id = '{self.account_id}'")
        return {name: found[name] for name in fields.split(", ")}


@pytest.fixture
def household(sandbox: Sandbox) -> Household:
    some = uuid.uuid4().hex[:8]
    new = NewAccount(str(uuid.uuid4()), "Kenji", "Santos", f"kenji.{some}@example.jp", "Legacy")
    made = gateway.salesforce().create_account(new)
    email = f"maria.{some}@example.jp"
    maria = save(sandbox, "Contact", {"AccountId": made.id, "FirstName": "Maria", "LastName": "S.", "Email": email})
    return Household(made.id, made.number, made.contacts[0].id, maria, email)


def tells(journey: SignupJourney) -> None:
    """The customer saves name and address, and they are sent."""
    user = person(journey)
    save_profile(user, MARIA_SAYS)
    assert sync(user.pk)


def test_what_the_second_person_of_an_account_says_reaches_her_own_contact(
    sandbox: Sandbox, household: Household
) -> None:
    before = household.contact(sandbox, household.kenji)
    journey = run(new_journey(household.email.title(), number=household.number))
    assert journey.state == State.DONE, journey.error_code

    tells(journey)

    assert household.contact(sandbox, household.kenji) == before
    assert household.contact(sandbox, household.maria)["MailingCity"] == "港区"


@pytest.mark.parametrize("support", ["only accepts", "puts the address on her Contact first"])
def test_an_accepted_claim_writes_to_nobody_elses_contact(sandbox: Sandbox, household: Household, support: str) -> None:
    email = f"new.{household.email}"
    journey = run(new_journey(email, number=household.number))
    assert (journey.state, journey.sf_contact_id) == (State.WAITING_CS, "")
    assert "put this e-mail address on their own Contact" in Case.objects.get().description
    if support == "puts the address on her Contact first":
        save(sandbox, "Contact", {"Email": email}, household.maria)
    before = {each: household.contact(sandbox, each) for each in (household.kenji, household.maria)}
    signup.accept_claim(journey.pk)
    journey = run(journey)
    assert journey.state == State.DONE, journey.error_code

    tells(journey)

    assert household.contact(sandbox, household.kenji) == before[household.kenji]
    hers = household.contact(sandbox, household.maria)
    assert (hers == before[household.maria]) == (support == "only accepts")
    link = linked(person(journey))
    assert link is not None
    assert link.sf_contact_id == ("" if support == "only accepts" else household.maria)


@pytest.mark.parametrize("claimed_from", ["her own address", "another address"])
def test_a_closed_account_is_not_opened_by_signing_up(
    sandbox: Sandbox, household: Household, claimed_from: str
) -> None:
    save(sandbox, "Account", {"Portal_Status__c": "Inactive"}, household.account_id)
    before, started = household.account(sandbox), sandbox.last_ledger_id()
    email = household.email if claimed_from == "her own address" else f"other.{household.email}"
    journey = run(new_journey(email, number=household.number))
    if claimed_from == "another address":
        assert journey.error_code == "email_differs"  # a stranger learns nothing of the closing
        signup.accept_claim(journey.pk)
        journey = run(journey)

    assert (journey.state, journey.error_code) == (State.WAITING_CS, "account_closed")
    assert household.account(sandbox) == before
    assert sandbox.ledger(after=started, system="whmcs") == []
    assert linked(person(journey)) is None
    assert "account was closed" in Case.objects.latest("pk").description

    save(sandbox, "Account", {"Portal_Status__c": None}, household.account_id)  # support opens it again
    signup.resume(journey.pk)
    assert run(journey).state == State.DONE
    assert household.account(sandbox)["Portal_Status__c"] == "Active"


def test_one_that_is_closed_at_the_last_moment_stays_closed(sandbox: Sandbox, household: Household) -> None:
    save(sandbox, "Account", {"Portal_Status__c": "Inactive"}, household.account_id)

    with pytest.raises(Rejected, match="account_closed"):
        gateway.salesforce().register_account(account_id=household.account_id, whmcs_client=1, source="Legacy")

    assert household.account(sandbox) == {"WH_Account__c": None, "Portal_Status__c": "Inactive"}
