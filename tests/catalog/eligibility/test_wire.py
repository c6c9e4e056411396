"""An address check on the wire: what Salesforce holds afterwards, what it cost by the ledger, and dying on the way."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from accounts import refresh
from accounts.models import CustomerLink, User
from catalog.eligibility import answering, asking, sending
from catalog.models import EligibilityRequest
from catalog.sync import sync
from integrations import correlation, failpoints, gateway
from integrations.failpoints import Died, arm
from integrations.salesforce.schemas import NewAccount
from notifications.models import Email
from tests.catalog.eligibility.conftest import MITA, POINTS, SHIBAURA, asked, fresh, send_now
from tests.faults import Faults
from tests.org import rows, save
from tests.people import make_customer
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
State = EligibilityRequest.State
HOME_INTERNET = "Personal SonixNet Home Internet"
SENT = "salesforce.ask_for_check"


@pytest.fixture
def customer(sandbox: Sandbox) -> Iterator[User]:
    """Known in Salesforce, of whom nobody has asked anything."""
    ref = str(uuid.uuid4())
    account = gateway.salesforce().create_account(
        NewAccount(
            ref=ref,
            given_name="Aiko",
            family_name="Sato",
            email=f"{ref[:8]}@example.jp",
            registration_source="Portal Signup",
        )
    )
    save(sandbox, "Account", {"Portal_Status__c": "Active"}, account.id)
    with correlation.bound(""):
        yield make_customer(f"{ref[:8]}@example.jp", sf_account_id=account.id, sf_account_no=account.number)


def calls(sandbox: Sandbox, after: int) -> list[tuple[str, str]]:
    """What the outside systems were asked; the parts of a Composite are one call."""
    found = [(row["system"], row["operation"]) for row in sandbox.ledger(after=after)]
    return [each for each in found if each[0] not in {"pubsub", "desk"} and each[1] != "composite/subrequest"]


def cases_of(sandbox: Sandbox, user: User) -> list[dict[str, Any]]:
    fields = "Id, CaseNumber, Type, Origin, Status, Description, Portal_Ref__c"
    return rows(sandbox, f"SELECT {fields} FROM Case WHERE AccountId = '{user.link.sf_account_id}' ORDER BY CaseNumber")


def opportunities_of(sandbox: Sandbox, user: User) -> list[dict[str, Any]]:
    fields = "Id, Name, StageName, CloseDate, CommodityType__c, Portal_Source__c, Portal_Ref__c"
    return rows(sandbox, f"SELECT {fields} FROM Opportunity WHERE AccountId = '{user.link.sf_account_id}'")


def account_of(sandbox: Sandbox, user: User) -> dict[str, Any]:
    fields = "Internet_Eligibility_Status__c, Internet_Eligibility_Request_Date_Time__c"
    (found,) = rows(sandbox, f"SELECT {fields} FROM Account WHERE Id = '{user.link.sf_account_id}'")
    return found


def press(sandbox: Sandbox, user: User, value: str) -> None:
    """Support answers at the desk, and the portal looks."""
    sandbox.control(f"/control/desk/accounts/{user.link.sf_account_id}/eligibility", {"value": value})
    refresh.refresh_accounts()


def test_a_request_is_one_query_and_one_composite(customer: User, sandbox: Sandbox) -> None:
    before = sandbox.last_ledger_id()
    request = asked(customer)
    with failpoints.traced() as passed:
        assert sending.send(request.pk)
    assert calls(sandbox, before) == [("salesforce", "query"), ("salesforce", "composite")]
    assert passed == POINTS

    request = fresh(request)
    (opportunity,), (case,) = opportunities_of(sandbox, customer), cases_of(sandbox, customer)
    assert opportunity["Name"] == f"{HOME_INTERNET} – Sato Aiko"
    assert (opportunity["StageName"], opportunity["CommodityType__c"]) == ("Introduction", HOME_INTERNET)
    assert opportunity["Portal_Source__c"] == "Portal - Internet Eligibility Request"
    assert opportunity["Portal_Ref__c"] == case["Portal_Ref__c"] == str(request.ref)
    assert (case["Type"], case["Origin"]) == ("Eligibility Check", "Portal")
    assert "芝浦3-12-8" in case["Description"]
    assert case["Description"].endswith(f"\n\nOpportunity: {opportunity['Id']}")
    assert (request.sf_case_id, request.sf_opportunity_id) == (case["Id"], opportunity["Id"])
    account = account_of(sandbox, customer)
    assert account["Internet_Eligibility_Status__c"] == "Pending"
    assert request.requested_at is not None
    assert account["Internet_Eligibility_Request_Date_Time__c"].startswith(f"{request.requested_at:%Y-%m-%dT%H:%M:%S}")


@pytest.mark.parametrize(
    ("value", "template", "stage"),
    [
        ("Apartment 1G", "eligibility_offered", "Ready"),
        ("Not available", "eligibility_not_offered", "Void"),
    ],
)
def test_what_support_answers_at_the_desk_reaches_the_customer(
    customer: User, sandbox: Sandbox, value: str, template: str, stage: str
) -> None:
    sync()
    request = asked(customer)
    sending.send(request.pk)
    refresh.refresh_accounts()
    assert answering.notice() == {"answered": 0}

    press(sandbox, customer, value)
    before = sandbox.last_ledger_id()
    assert answering.notice() == {"answered": 1}
    assert calls(sandbox, before) == [], "noticing asks nobody outside"
    assert Email.objects.get().template == template
    assert fresh(request).offered is (stage == "Ready")
    assert [each["StageName"] for each in opportunities_of(sandbox, customer)] == [stage]


def test_an_answer_from_before_is_not_taken_for_the_answer_to_another_address(customer: User, sandbox: Sandbox) -> None:
    sync()
    sending.send(asked(customer).pk)
    press(sandbox, customer, "Apartment 1G")
    answering.notice()
    # The first check is of another second, as Salesforce counts them.
    CustomerLink.objects.update(internet_eligibility_requested_at="2026-01-01T00:00Z")

    second = asked(customer, MITA)
    sending.send(second.pk)
    assert answering.notice() == {"answered": 0}, "the link still says Checked about the first"
    refresh.refresh_accounts()
    assert answering.notice() == {"answered": 0}, "and now Pending"
    press(sandbox, customer, "House 1G")
    assert answering.notice() == {"answered": 1}
    assert fresh(second).answer == "House 1G"


def an_opportunity(sandbox: Sandbox, user: User, **values: str) -> str:
    """Somebody in sales made it by hand."""
    made = {"AccountId": user.link.sf_account_id, "Name": "By hand", "CloseDate": "2026-12-31"}
    fits = {"StageName": "Introduction", "CommodityType__c": HOME_INTERNET}
    return save(sandbox, "Opportunity", {**made, **fits, **values})


@pytest.mark.parametrize("commodity", [HOME_INTERNET, "Corporate SonixNet Home Internet"])
def test_an_opportunity_that_fits_is_used_and_left_as_it_is(customer: User, sandbox: Sandbox, commodity: str) -> None:
    known = an_opportunity(sandbox, customer, CommodityType__c=commodity)
    before = opportunities_of(sandbox, customer)
    request = asked(customer)
    sending.send(request.pk)
    assert fresh(request).sf_opportunity_id == known
    assert opportunities_of(sandbox, customer) == before


def test_opportunities_that_do_not_fit_are_left_alone_and_a_new_one_is_made(customer: User, sandbox: Sandbox) -> None:
    for other in ({"StageName": "Void"}, {"StageName": "Ready"}, {"CommodityType__c": "SIM"}):
        an_opportunity(sandbox, customer, **other)
    before = opportunities_of(sandbox, customer)
    request = asked(customer)
    sending.send(request.pk)
    (new,) = [each for each in opportunities_of(sandbox, customer) if each not in before]
    assert len(opportunities_of(sandbox, customer)) == 4
    assert new["Id"] == fresh(request).sf_opportunity_id


def test_another_address_is_another_case_about_the_same_opportunity(customer: User, sandbox: Sandbox) -> None:
    """What was typed is never taken for a reference to another part of the Composite."""
    sending.send(asked(customer).pk)
    sending.send(asked(customer, {**MITA, "building": "@{account.Id} @{opportunity.id}"}).pk)
    first, second = cases_of(sandbox, customer)
    assert len(opportunities_of(sandbox, customer)) == 1
    assert f"Case {first['CaseNumber']}" in second["Description"]
    assert "三田2-1-1" in second["Description"]
    assert "@ {account.Id} @ {opportunity.id}" in second["Description"]


# --- losses


def nothing_twice(sandbox: Sandbox, user: User, request: EligibilityRequest) -> None:
    request = fresh(request)
    assert request.state == State.ASKED
    assert [each["Id"] for each in cases_of(sandbox, user)] == [request.sf_case_id]
    assert [each["Id"] for each in opportunities_of(sandbox, user)] == [request.sf_opportunity_id]


@pytest.mark.parametrize("when", ["after", "before"])
def test_a_composite_without_an_answer_makes_one_of_each(
    customer: User, sandbox: Sandbox, faults: Faults, when: str
) -> None:
    request = asked(customer)
    lose = faults.lose_answer if when == "after" else faults.lose_request
    lost = lose("salesforce", "composite")
    sending.send(request.pk)
    send_now()
    assert lost.acted == 1
    nothing_twice(sandbox, customer, request)


def test_salesforce_away_keeps_the_request(customer: User, sandbox: Sandbox, faults: Faults) -> None:
    away = faults.refuse("salesforce", always=True)
    request = asked(customer)
    assert not sending.send(request.pk)
    assert fresh(request).state == State.SUBMITTED
    assert fresh(request).error_code
    away.remove()
    assert send_now()["sent"] == 1
    nothing_twice(sandbox, customer, request)


@pytest.mark.parametrize("point", [f"{SENT}:before", f"{SENT}:after", "eligibility.record:before"])
def test_a_check_that_died_is_asked_once(customer: User, sandbox: Sandbox, point: str) -> None:
    """At every point: test_sending.py."""
    request = asked(customer)
    with arm(f"{point}=raise"), pytest.raises(Died):
        sending.send(request.pk)
    send_now()
    nothing_twice(sandbox, customer, request)


def test_a_check_that_died_and_was_replaced_leaves_one_opportunity(customer: User, sandbox: Sandbox) -> None:
    with arm(f"{SENT}:after=raise"), pytest.raises(Died):
        sending.send(asked(customer).pk)
    second = asked(customer, MITA)
    assert not sending.send(second.pk), "the first may still be carried out"
    send_now()
    assert fresh(second).state == State.ASKED
    assert len(opportunities_of(sandbox, customer)) == 1
    assert str(second.ref) in {each["Portal_Ref__c"] for each in cases_of(sandbox, customer)}


def test_a_request_of_the_sweep_alone_is_sent(customer: User, sandbox: Sandbox) -> None:
    """Redis lost the job."""
    CustomerLink.objects.update(state=CustomerLink.State.PROVISIONAL, whmcs_client_id=None)
    request = asking.ask(user=customer, said=SHIBAURA).request
    assert sending.send_due() == {"submitted": 0, "sent": 0}
    CustomerLink.objects.update(state=CustomerLink.State.LINKED, whmcs_client_id=4711)
    assert sending.send_due() == {"submitted": 1, "sent": 1}
    nothing_twice(sandbox, customer, request)
