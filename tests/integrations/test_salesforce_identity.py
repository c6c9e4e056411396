"""Identity papers against the sandbox: files on a Case, and what may be written to the Account."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations import gateway
from integrations.errors import Rejected
from integrations.salesforce.client import SalesforceClient
from integrations.salesforce.schemas import AccountRecord, NewAccount
from tests.org import rows
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 21, 3, 4, 5, 678000, tzinfo=UTC)
WHOLE = AT.replace(microsecond=0)


@pytest.fixture
def salesforce(sandbox: Sandbox) -> SalesforceClient:
    return gateway.salesforce()


@pytest.fixture
def account(salesforce: SalesforceClient) -> AccountRecord:
    ref = str(uuid.uuid4())
    names = {"given_name": "Aiko", "family_name": "Sato", "email": f"{ref[:8]}@example.jp"}
    return salesforce.create_account(NewAccount(ref=ref, registration_source="Portal Signup", **names))


def now(salesforce: SalesforceClient, account: AccountRecord) -> tuple[Any, ...]:
    (found,) = salesforce.accounts([account.id])
    return found.identity_status, found.identity_submitted_at, found.identity_message


def judge(sandbox: Sandbox, account: AccountRecord, verdict: str, message: str = "") -> None:
    sandbox.control(f"/control/desk/accounts/{account.id}/identity", {"status": verdict, "message": message})


def test_a_file_is_found_by_its_place_and_title(salesforce: SalesforceClient, sandbox: Sandbox) -> None:
    cases = [salesforce.create_case(ref=str(uuid.uuid4()), kind="ID Verification", subject="S", description="D")]
    cases.append(salesforce.create_case(ref=str(uuid.uuid4()), kind="ID Verification", subject="S", description="D"))
    title = str(uuid.uuid4())
    assert salesforce.file_of_case(case_id=cases[0], title=title) is None

    made = salesforce.upload_file(case_id=cases[0], title=title, file_name="front.jpg", content=b"\xff\xd8 bytes \x00")

    assert salesforce.file_of_case(case_id=cases[0], title=title) == made
    assert salesforce.file_of_case(case_id=cases[1], title=title) is None
    assert salesforce.file_of_case(case_id=cases[0], title="front.jpg") is None
    (stored,) = rows(sandbox, f"SELECT ContentSize, FileExtension FROM ContentVersion WHERE Id = '{made}'")
    assert (stored["ContentSize"], stored["FileExtension"]) == (10, "jpg")


def test_papers_make_the_account_pending(salesforce: SalesforceClient, account: AccountRecord) -> None:
    assert salesforce.begin_identity_check(account_id=account.id, submitted_at=AT) is None
    assert now(salesforce, account) == ("Pending", WHOLE, "")


@pytest.mark.parametrize("verdict", ["Verified", "Rejected"])
def test_repeating_undoes_no_decision(
    salesforce: SalesforceClient, account: AccountRecord, sandbox: Sandbox, verdict: str
) -> None:
    salesforce.begin_identity_check(account_id=account.id, submitted_at=AT)
    judge(sandbox, account, verdict, "Too dark.")

    left = salesforce.begin_identity_check(account_id=account.id, submitted_at=AT)

    assert left is not None
    assert (left.identity_status, left.identity_submitted_at) == (verdict, WHOLE)
    assert now(salesforce, account)[0] == verdict


def test_new_papers_after_a_rejection_make_it_pending_again(
    salesforce: SalesforceClient, account: AccountRecord, sandbox: Sandbox
) -> None:
    salesforce.begin_identity_check(account_id=account.id, submitted_at=AT)
    judge(sandbox, account, "Rejected", "Too dark.")
    assert now(salesforce, account) == ("Rejected", WHOLE, "Too dark.")

    later = AT + timedelta(days=1)
    assert salesforce.begin_identity_check(account_id=account.id, submitted_at=later) is None

    assert now(salesforce, account) == ("Pending", WHOLE + timedelta(days=1), "")


def test_who_is_verified_stays_verified(salesforce: SalesforceClient, account: AccountRecord, sandbox: Sandbox) -> None:
    judge(sandbox, account, "Verified")

    left = salesforce.begin_identity_check(account_id=account.id, submitted_at=AT)

    assert left is not None
    assert now(salesforce, account) == ("Verified", None, "")


def test_an_account_that_is_not_there_is_said_so(salesforce: SalesforceClient) -> None:
    with pytest.raises(Rejected) as refused:
        salesforce.begin_identity_check(account_id="001000000000001AAA", submitted_at=AT)
    assert refused.value.code == "account_missing"
