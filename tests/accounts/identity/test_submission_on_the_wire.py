"""Papers on their way to Salesforce; its ledger and its records say what arrived, how often and at what cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import refresh
from accounts.identity import submission
from accounts.models import CustomerLink, IdentityCheck, IdentityDocument, User
from integrations import gateway
from integrations.failpoints import Died, arm
from notifications.models import Email
from support.models import Case
from tests.accounts.identity.sent_in import State, customer_in_salesforce, papers, pass_quarantine, photo, submit
from tests.faults import Faults
from tests.org import rows
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
# One for each kind of loss; test_crashes.py has them all.
DEATHS = [
    "salesforce.create_case:after=raise",
    "salesforce.upload_file:after=raise",
    "identity.file:before=raise@2",
    "salesforce.begin_identity_check:after=raise",
]


@pytest.fixture
def customer(sandbox: Sandbox) -> User:
    return customer_in_salesforce()


def cases(sandbox: Sandbox, check: IdentityCheck) -> list[dict[str, Any]]:
    fields = "Id, AccountId, Type, Origin, Description"
    return rows(sandbox, f"SELECT {fields} FROM Case WHERE Portal_Ref__c = '{check.ref}'")


def files(sandbox: Sandbox, case_id: str) -> list[dict[str, Any]]:
    fields = "Id, Title, PathOnClient, ContentSize"
    return rows(sandbox, f"SELECT {fields} FROM ContentVersion WHERE FirstPublishLocationId = '{case_id}'")


def account(sandbox: Sandbox, user: User) -> dict[str, Any]:
    fields = "Id_Verification_Status__c, Id_Verification_Submitted_Date_Time__c, Id_Verification_Rejection_Message__c"
    (found,) = rows(sandbox, f"SELECT {fields} FROM Account WHERE Id = '{user.link.sf_account_id}'")
    return found


def judge(sandbox: Sandbox, user: User, status: str, message: str = "") -> dict[str, int]:
    """Support decides, the portal looks."""
    path = f"/control/desk/accounts/{user.link.sf_account_id}/identity"
    sandbox.control(path, {"status": status, "message": message})
    return refresh.refresh_accounts()


def arrived_once(sandbox: Sandbox, check: IdentityCheck) -> None:
    (case,) = cases(sandbox, check)
    found = files(sandbox, case["Id"])
    documents = {str(each.pk): each for each in check.documents.all()}
    assert sorted(each["Title"] for each in found) == sorted(documents)
    assert {each["Id"] for each in found} == {each.sf_version_id for each in documents.values()}
    assert account(sandbox, check.user)["Id_Verification_Status__c"] == "Pending"
    assert (check.state, check.sf_case_id) == (State.PENDING, case["Id"])


def test_papers_become_a_case_with_its_files_and_the_account_is_pending(customer: User, sandbox: Sandbox) -> None:
    check = submit(papers(customer))

    arrived_once(sandbox, check)
    (case,) = cases(sandbox, check)
    assert (case["AccountId"], case["Type"], case["Origin"]) == (
        customer.link.sf_account_id,
        "ID Verification",
        "Portal",
    )
    assert {each["ContentSize"] for each in files(sandbox, case["Id"])} == {len(photo())}
    assert {each["PathOnClient"].split("-")[0] for each in files(sandbox, case["Id"])} == {"front", "back"}
    assert account(sandbox, customer)["Id_Verification_Submitted_Date_Time__c"] is not None
    assert CustomerLink.objects.get(user=customer).identity_status == "Pending"


def test_each_file_costs_two_calls_and_the_rest_two(customer: User, sandbox: Sandbox) -> None:
    check, started = papers(customer), sandbox.last_ledger_id()

    submit(check)

    ledger = sandbox.ledger(system="salesforce", after=started)
    calls = [row["operation"] for row in ledger if row["operation"] != "composite/subrequest"]
    assert calls == ["sobjects.create Case", *["query", "sobjects.create ContentVersion"] * 2, "composite"]


@pytest.mark.parametrize("death", DEATHS)
def test_a_submission_that_died_goes_on_without_a_second_record(customer: User, sandbox: Sandbox, death: str) -> None:
    check = papers(customer)
    with arm(death), pytest.raises(Died):
        submit(check)
    pass_quarantine()

    arrived_once(sandbox, submit(check))


def test_what_may_still_be_on_its_way_is_not_sent_again(customer: User, sandbox: Sandbox, faults: Faults) -> None:
    check = papers(customer, sides=("front",))
    faults.lose_request("salesforce", "sobjects.create ContentVersion")

    check = submit(submit(check))

    assert (check.state, check.error_code) == (State.SUBMITTED, "outcome_unknown")
    assert files(sandbox, check.sf_case_id) == []
    pass_quarantine()
    arrived_once(sandbox, submit(check))


@pytest.mark.parametrize("operation", ["sobjects.create Case", "sobjects.create ContentVersion", "composite"])
def test_a_lost_answer_makes_nothing_twice(customer: User, sandbox: Sandbox, faults: Faults, operation: str) -> None:
    check = papers(customer)
    lost = faults.lose_answer("salesforce", operation)

    for _run in range(2):
        if (check := submit(check)).state == State.PENDING:
            break

    assert lost.acted == 1
    arrived_once(sandbox, check)


def test_papers_outlast_an_outage(customer: User, sandbox: Sandbox, faults: Faults) -> None:
    check = papers(customer)
    closed = faults.close_port("salesforce")

    check = submit(check)

    assert (check.state, check.error_code) == (State.SUBMITTED, "no_connection")
    assert check.next_try_at is not None
    assert check.next_try_at > timezone.now()
    assert submission.submit_due() == {"submitted": 0}  # not before its time
    closed.remove()
    arrived_once(sandbox, submit(check))


def test_five_refusals_are_told_to_support_once(customer: User, sandbox: Sandbox, faults: Faults) -> None:
    check = papers(customer)
    faults.salesforce_error("sobjects.create Case", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", times=6)

    for _run in range(6):
        check = submit(check)

    assert check.error_code == "field_custom_validation_exception"
    assert Case.objects.get().cause == f"identity_refused:{check.ref}"
    arrived_once(sandbox, submit(check))


def test_support_verifies_and_the_customer_hears_of_it_once(customer: User, sandbox: Sandbox) -> None:
    check = submit(papers(customer))
    gateway.salesforce()
    started = sandbox.last_ledger_id()

    assert judge(sandbox, customer, "Verified")["decided"] == 1
    refresh.refresh_accounts()

    asked = [row["operation"] for row in sandbox.ledger(system="salesforce", after=started)]
    assert asked.count("query") == 2  # one a round, for all customers
    check.refresh_from_db()
    assert check.state == State.VERIFIED
    assert check.decided_at is not None
    assert CustomerLink.objects.get(user=customer).identity_status == "Verified"
    assert [mail.template for mail in Email.objects.filter(user_id=customer.pk)] == ["identity_verified"]


def test_after_a_rejection_new_papers_are_a_new_case(customer: User, sandbox: Sandbox) -> None:
    first = submit(papers(customer, age=timedelta(minutes=1)))
    judge(sandbox, customer, "Rejected", "The photo is too dark.")
    first.refresh_from_db()
    assert (first.state, first.rejection_message) == (State.REJECTED, "The photo is too dark.")
    (mail,) = Email.objects.filter(user_id=customer.pk)
    assert (mail.template, mail.context["message"]) == ("identity_rejected", "The photo is too dark.")

    second = submit(papers(customer))

    assert second.sf_case_id not in ("", first.sf_case_id)
    arrived_once(sandbox, second)
    assert account(sandbox, customer)["Id_Verification_Rejection_Message__c"] is None
    refresh.refresh_accounts()
    assert [each.state for each in IdentityCheck.objects.order_by("pk")] == [State.REJECTED, State.PENDING]


def test_who_was_verified_meanwhile_is_verified_and_stays_so(customer: User, sandbox: Sandbox) -> None:
    check = papers(customer)
    judge(sandbox, customer, "Verified")

    check = submit(check)

    assert check.state == State.VERIFIED
    assert account(sandbox, customer)["Id_Verification_Status__c"] == "Verified"
    assert IdentityDocument.objects.exclude(sf_version_id="").count() == 2
