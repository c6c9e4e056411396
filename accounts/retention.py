"""What the portal forgets about people."""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import SignupJourney, User
from notifications.retention import delete_settled

UNVERIFIED_KEPT = timedelta(days=7)  # decisions.md 1


def delete_unverified() -> dict[str, int]:
    """Deletes sign-ups whose e-mail was never verified; says how many. Nothing of theirs exists outside. Repeatable."""
    return {"deleted": sum(_delete(pk) for pk in list(_stale().values_list("pk", flat=True)))}


def _stale() -> QuerySet[User]:
    waiting = User.objects.filter(
        is_staff=False,
        date_joined__lt=timezone.now() - UNVERIFIED_KEPT,
        journey__state=SignupJourney.State.WAITING_EMAIL,
        link=None,
    )
    return waiting.exclude(emailaddress__verified=True)


@transaction.atomic
def _delete(pk: int) -> bool:
    """Whether this one was deleted: who has confirmed the address since it was listed is a customer now."""
    list(User.objects.select_for_update().filter(pk=pk))
    list(SignupJourney.objects.select_for_update().filter(user_id=pk))
    stale = _stale().filter(pk=pk).first()
    if stale is not None:
        delete_settled(pk)
        stale.delete()
    return stale is not None
