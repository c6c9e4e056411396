"""Who asks for closing gets an e-mail then, and another when it is done."""

from dataclasses import replace

import pytest

from accounts import closing, refresh
from accounts.models import CustomerLink, User
from integrations import gateway
from integrations.salesforce.schemas import AccountRecord
from notifications.models import Email
from tests.accounts.doubles import Salesforce, account

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


def closed_account(link: CustomerLink) -> AccountRecord:
    return replace(account(link.sf_account_no), id=link.sf_account_id, portal_status="Inactive")
