"""Mails to people who are nobody here: who never became a customer, or asked about an account there is none of."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from notifications.models import Email


def of_nobody() -> QuerySet[Email]:
    """Mails without a user, and those whose user is gone."""
    return Email.objects.exclude(Exists(get_user_model()._base_manager.filter(pk=OuterRef("user_id"))))


def delete_left() -> dict[str, int]:
    """Deletes such mails MAILS_KEEP_DAYS after they were written; says how many. Repeatable.

    Until then they answer who asks why a mail came. None is on its way any more: the last try is hours after the first.
    """
    limit = timedelta(days=settings.MAILS_KEEP_DAYS)
    return {"deleted": of_nobody().filter(created_at__lt=Now() - limit).delete()[0]}


def delete_settled(user_id: int) -> int:
    """Deletes the user's mails that will not be sent (again), with the user; says how many. Repeatable.

    One that is being sent at this moment is left for `delete_left`, which finds it without its user.
    """
    return Email.objects.filter(user_id=user_id).exclude(state=Email.State.PENDING).delete()[0]
