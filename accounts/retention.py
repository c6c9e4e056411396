"""What the portal forgets about people."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import SignupJourney, User

UNVERIFIED_KEPT = timedelta(days=7)  # decisions.md 1


def delete_unverified() -> dict[str, int]:
    """Deletes sign-ups whose e-mail was never verified; says how many. Nothing of theirs exists outside. Repeatable."""
    stale = User.objects.filter(
        is_staff=False,
        date_joined__lt=timezone.now() - UNVERIFIED_KEPT,
        journey__state=SignupJourney.State.WAITING_EMAIL,
        link=None,
    ).exclude(emailaddress__verified=True)
    gone = 0
    for user in stale:
        user.delete()
        gone += 1
    return {"deleted": gone}
