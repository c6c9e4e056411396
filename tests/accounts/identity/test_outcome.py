"""What support decides on the Account, and which papers it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import refresh
from accounts.identity import outcome
from accounts.models import CustomerLink, IdentityCheck, User
from integrations import gateway
from integrations.salesforce.schemas import AccountRecord
from notifications.models import Email
from notifications.rendering import render
from tests.accounts.doubles import account
from tests.accounts.identity.sent_in import State, fresh, papers
from tests.people import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def check(aiko: User) -> IdentityCheck:
    return papers(aiko, state=State.PENDING)


def told(check: IdentityCheck, status: str, *, message: str = "", at: datetime | None = None) -> AccountRecord:
    """The Account as Salesforce has it, about these papers unless `at` says otherwise."""
    link = CustomerLink.objects.get(user_id=check.user_id)
    assert check.submitted_at
    return replace(
        account(link.sf_account_no),
        id=link.sf_account_id,
        portal_status="Active",
        identity_status=status,
        identity_message=message,
        identity_submitted_at=at or check.submitted_at.replace(microsecond=0),
    )


def mails() -> list[str]:
    return list(Email.objects.order_by("pk").values_list("template", flat=True))


@pytest.mark.parametrize(("status", "state"), [("Verified", State.VERIFIED), ("Rejected", State.REJECTED)])
def test_a_decision_is_followed_and_told_once(check: IdentityCheck, status: str, state: str) -> None:
    assert [outcome.follow(told(check, status, message="Too dark.")) for _ in range(2)] == [True, False]
    check = fresh(check)
    assert check.state == state
    assert check.decided_at is not None
    assert mails() == [f"identity_{state}"]


@pytest.mark.parametrize("status", ["", "Pending"])
def test_what_is_no_decision_changes_nothing(check: IdentityCheck, status: str) -> None:
    assert outcome.follow(told(check, status)) is False
    assert (fresh(check).state, mails()) == (State.PENDING, [])


def test_a_rejection_of_earlier_papers_is_not_about_these(check: IdentityCheck) -> None:
    """The refresh may have read the Account just before these papers made it Pending."""
    assert check.submitted_at
    earlier = told(check, "Rejected", message="Old.", at=check.submitted_at - timedelta(days=1))
    never = replace(earlier, identity_submitted_at=None)
    assert (outcome.follow(earlier), outcome.follow(never)) == (False, False)
    assert (fresh(check).state, mails()) == (State.PENDING, [])


def test_papers_on_their_way_decide_for_themselves(aiko: User) -> None:
    check = papers(aiko)
    assert [outcome.follow(told(check, status)) for status in ("Verified", "Rejected")] == [False, False]
    assert fresh(check).state == State.SUBMITTED


def test_support_may_think_again(check: IdentityCheck) -> None:
    for status, state in (("Rejected", State.REJECTED), ("Verified", State.VERIFIED), ("Rejected", State.REJECTED)):
        assert outcome.follow(told(check, status, message="Too dark.")) is True
        assert fresh(check).state == state
    assert mails() == ["identity_rejected", "identity_verified"]  # each once


def test_a_message_that_was_typed_later_is_shown(check: IdentityCheck) -> None:
    outcome.follow(told(check, "Rejected"))
    outcome.follow(told(check, "Rejected", message=" The name differs. "))
    assert fresh(check).rejection_message == "The name differs."
    assert mails() == ["identity_rejected"]


def test_a_very_long_message_is_cut(check: IdentityCheck) -> None:
    outcome.follow(told(check, "Rejected", message="x" * 4000))
    assert fresh(check).rejection_message == "x" * 1000


def test_an_account_of_nobody_or_of_somebody_without_papers_is_passed_over(check: IdentityCheck) -> None:
    stranger = make_customer()
    strangers = replace(told(check, "Verified"), id=stranger.link.sf_account_id)
    assert outcome.follow(strangers) is False
    assert outcome.follow(replace(strangers, id="001TEST99999999AAA")) is False
    assert fresh(check).state == State.PENDING


def test_a_provisional_link_decides_nothing(check: IdentityCheck) -> None:
    answer = told(check, "Verified")
    CustomerLink.objects.update(state="provisional", whmcs_client_id=None)
    assert outcome.follow(answer) is False


@pytest.mark.parametrize(
    ("language", "subject"), [("en", "Your identity is confirmed"), ("ja", "本人確認が完了しました")]
)
def test_the_mail_of_a_verification_says_what_happens_next(language: str, subject: str) -> None:
    check = papers(make_customer(language=language), state=State.PENDING)
    outcome.follow(told(check, "Verified"))
    mail = render(Email.objects.get())
    assert mail.subject == subject
    assert "http://portal.test/overview/" in mail.text


class Told:
    """Answers of `account_changes`; since when each was asked."""

    def __init__(self, *accounts: AccountRecord) -> None:
        self.accounts, self.asked = list(accounts), list[Any]()

    def account_changes(self, since: datetime | None) -> list[AccountRecord]:
        self.asked.append(since)
        return self.accounts


def test_one_question_for_all_customers_and_a_run_that_died_asks_for_the_same_again(
    check: IdentityCheck, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    CustomerLink.objects.update(account_refreshed_at=long_ago)
    other = papers(ben, state=State.PENDING)
    salesforce = Told(told(check, "Verified"), told(other, "Rejected"))
    monkeypatch.setattr(gateway, "salesforce", lambda: salesforce)
    real, answers = outcome.follow, iter([True])

    def dies_at_the_second(record: AccountRecord) -> bool:
        if next(answers, False):
            return real(record)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(outcome, "follow", dies_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            refresh.refresh_accounts()
    assert (fresh(check).state, fresh(other).state) == (State.VERIFIED, State.PENDING)

    assert refresh.refresh_accounts() == {"changed": 2, "decided": 1}

    assert fresh(other).state == State.REJECTED
    assert salesforce.asked == [long_ago - refresh.OVERLAP] * 2
    newest = CustomerLink.objects.get(user=ben).account_refreshed_at
    assert newest is not None
    assert newest > timezone.now() - timedelta(minutes=5)
