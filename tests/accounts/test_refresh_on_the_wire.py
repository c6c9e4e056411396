"""What support changes on Accounts reaches every link by one query, whether or not anybody looks (decisions.md 14)."""

import pytest

from accounts import refresh
from accounts.models import CustomerLink, User
from tests.accounts.identity.sent_in import customer_in_salesforce
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def desk(sandbox: Sandbox, user: User, what: str, **said: str) -> None:
    sandbox.control(f"/control/desk/accounts/{user.link.sf_account_id}/{what}", said)


def held(user: User) -> tuple[str, str]:
    link = CustomerLink.objects.get(user=user)
    return link.internet_eligibility, link.identity_status


def test_eligibility_and_identity_of_all_customers_come_by_one_query(sandbox: Sandbox) -> None:
    aiko, ben, chika = (customer_in_salesforce() for _ in range(3))
    refresh.refresh_accounts()
    assert [held(user) for user in (aiko, ben, chika)] == [("", "")] * 3
    desk(sandbox, aiko, "eligibility", value="House 1G")
    desk(sandbox, ben, "identity", status="Verified")
    desk(sandbox, chika, "eligibility", value="Apartment 1G")
    desk(sandbox, chika, "identity", status="Rejected", message="The photo is too dark.")
    before = sandbox.last_ledger_id()

    refresh.refresh_accounts()

    asked = [row["operation"] for row in sandbox.ledger(system="salesforce", after=before)]
    assert asked == ["query"]
    assert held(aiko) == ("House 1G", "")
    assert held(ben) == ("", "Verified")
    assert held(chika) == ("Apartment 1G", "Rejected")
