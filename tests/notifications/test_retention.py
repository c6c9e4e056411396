"""Mails to people who are nobody here go after a while; those of users stay."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from notifications import outgoing, retention
from notifications.models import Email
from portal.cron import EVERY

pytestmark = pytest.mark.django_db


def mail(cause: str, *, user_id: int | None, days_old: int) -> None:
    email = outgoing.queue(
        cause=cause, template="unknown_account", to=f"{cause}@example.jp", user_id=user_id, language="en", context={}
    )
    Email.objects.filter(pk=email.pk).update(created_at=timezone.now() - timedelta(days=days_old))


def test_mails_of_nobody_go_when_the_setting_says_and_those_of_users_stay(aiko: User, settings: Any) -> None:
    settings.MAILS_KEEP_DAYS = 10
    gone = User.objects.create(email="gone@example.jp")
    for days_old in (9, 11):
        mail(f"asked-{days_old}", user_id=None, days_old=days_old)
        mail(f"left-{days_old}", user_id=gone.pk, days_old=days_old)
        mail(f"aiko-{days_old}", user_id=aiko.pk, days_old=days_old)
    gone.delete()

    assert retention.delete_left() == {"deleted": 2}

    assert set(Email.objects.values_list("cause", flat=True)) == {"asked-9", "left-9", "aiko-9", "aiko-11"}
    assert retention.delete_left() == {"deleted": 0}
    assert EVERY["notifications.jobs.delete_left"] == 24 * 3600
