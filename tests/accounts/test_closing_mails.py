"""Who asks for closing gets an e-mail then, and another when it is done."""

from dataclasses import replace

import pytest

from accounts import closing, refresh
from accounts.models import CustomerLink, User
from accounts.security import support
from integrations import gateway
from integrations.salesforce.schemas import AccountRecord
from notifications.models import Email
from support.models import Case
from tests.accounts.doubles import Salesforce, account
from tests.people import make_user

pytestmark = pytest.mark.django_db


def mails(user: User) -> list[str]:
    return list(Email.objects.filter(user_id=user.pk).order_by("pk").values_list("template", flat=True))


def test_the_wish_is_confirmed_once(aiko: User) -> None:
    closing.ask(aiko)
    closing.ask(aiko)

    assert mails(aiko) == ["closing_asked"]


def test_a_second_wish_after_the_first_was_taken_back_is_confirmed_too(aiko: User) -> None:
    closing.ask(aiko)
    closing.take_back(aiko)
    closing.ask(aiko)

    assert mails(aiko) == ["closing_asked", "closing_asked"]


def test_the_end_is_told_once_to_who_asked_for_it(aiko: User, ben: User, monkeypatch: pytest.MonkeyPatch) -> None:
    closing.ask(aiko)
    closed = [closed_account(CustomerLink.objects.get(user=user)) for user in (aiko, ben)]
    monkeypatch.setattr(gateway, "salesforce", lambda: Salesforce(accounts=closed))

    refresh.refresh_accounts()
    refresh.refresh_accounts()

    assert mails(aiko) == ["closing_asked", "closing_done"]
    assert mails(ben) == [], "support closed that account for reasons of its own"


def test_who_has_no_account_to_close_is_closed_by_being_disabled() -> None:
    user = make_user("wei@example.jp")
    CustomerLink.objects.create(user=user, state="provisional", sf_account_id="001A", sf_account_no="104882")
    closing.ask(user)

    case = Case.objects.get(cause__startswith="closing:")
    assert (case.sf_account_id, "Portal_Status__c" in case.description) == ("", False)
    assert f"portal user {user.pk}" in case.description

    support.disable(user)
    support.disable(user)

    assert closing.open_request(user) is None
    assert mails(user) == ["closing_asked", "closing_done"]


def test_disabling_a_customer_closes_no_account(aiko: User) -> None:
    closing.ask(aiko)
    support.disable(aiko)
    assert closing.open_request(aiko) is not None


def closed_account(link: CustomerLink) -> AccountRecord:
    return replace(account(link.sf_account_no), id=link.sf_account_id, portal_status="Inactive")
