"""The portal's own alert: one mail when too many recent attempts failed, and no second one for it."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core import mail
from django.utils import timezone

from journal.models import Round
from portal import alerts
from portal.models import AlertEpisode
from provisioning.models import Attempt

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _somebody_on_call(settings: Any) -> None:
    settings.ALERT_EMAILS = ["oncall@example.jp"]


def attempts(count: int, state: str, code: str = "", *, age: timedelta = timedelta(0)) -> None:
    for _each in range(count):
        number = Attempt.objects.count()
        made = Attempt.objects.create(
            order_id=f"8010000000{number:05}AAA", idem_key=f"k{number}", state=state, error_code=code
        )
        Attempt.objects.filter(pk=made.pk).update(created_at=timezone.now() - age)


def check() -> int:
    """One round, due at once; how many mails went out."""
    Round.objects.all().delete()
    before = len(mail.outbox)
    alerts.check()
    return len(mail.outbox) - before


@pytest.mark.parametrize(
    ("good", "bad", "mails"),
    [(0, 4, 0), (9, 1, 0), (8, 2, 1), (0, 5, 1), (4, 1, 1), (5, 0, 0)],
    ids=["too few", "a tenth is not more than a tenth", "two of ten", "all", "one of five", "none"],
)
def test_it_begins_above_a_tenth_of_at_least_five(good: int, bad: int, mails: int) -> None:
    attempts(good, "PROVISIONED")
    attempts(bad, "FAILED", "whmcs_error")
    assert check() == mails


def test_an_unknown_outcome_counts_and_what_is_under_way_or_skipped_does_not() -> None:
    attempts(8, "QUEUED")
    attempts(8, "SKIPPED", "not_activating")
    attempts(4, "PROVISIONED")
    assert check() == 0
    attempts(1, "UNKNOWN", "outcome_unknown")
    assert check() == 1
    assert "outcome_unknown: 1" in mail.outbox[-1].body


def test_only_the_last_fifty_of_a_day_count() -> None:
    attempts(20, "FAILED", "whmcs_error", age=timedelta(hours=25))
    attempts(6, "FAILED", "whmcs_error", age=timedelta(hours=2))
    attempts(50, "PROVISIONED")
    assert check() == 0


def test_the_mail_says_how_many_were_customers_causes_in_both_languages() -> None:
    attempts(5, "PROVISIONED")
    attempts(3, "FAILED", "payment_method_missing")
    attempts(2, "FAILED", "whmcs_error")
    assert check() == 1
    message = mail.outbox[-1]
    assert message.to == ["oncall@example.jp"]
    assert message.subject.endswith("5 of 10 provisionings failed")
    assert "3 of them wait for a customer" in message.body
    assert "うち 3 件はお客様の対応待ち" in message.body
    assert "/admin/provisioning/now/" in message.body


def test_one_mail_per_episode_and_a_new_one_after_it_was_over() -> None:
    attempts(4, "PROVISIONED")
    attempts(1, "FAILED", "whmcs_error")
    assert [check(), check()] == [1, 0]
    attempts(9, "PROVISIONED")  # 1 of 14, 7 %: below the beginning, above the end
    assert check() == 0
    assert AlertEpisode.objects.get().active
    attempts(7, "PROVISIONED")  # 1 of 21
    assert check() == 0
    assert not AlertEpisode.objects.get().active
    attempts(3, "FAILED", "whmcs_error")
    assert check() == 1


def test_a_mail_server_that_is_away_is_asked_again_by_the_next_round() -> None:
    attempts(5, "FAILED", "whmcs_error")
    with (
        mock.patch("portal.alerts.send_mail", side_effect=ConnectionRefusedError),
        pytest.raises(ConnectionRefusedError),
    ):
        check()
    assert [check(), check()] == [1, 0]


def test_without_recipients_the_episode_is_kept_and_told_when_there_is_one(settings: Any) -> None:
    settings.ALERT_EMAILS = []
    attempts(5, "FAILED", "whmcs_error")
    assert check() == 0
    settings.ALERT_EMAILS = ["oncall@example.jp"]
    assert check() == 1
