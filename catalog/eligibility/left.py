"""Visitors' requests that nobody can come back to."""

from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from catalog.eligibility.models import EligibilityRequest


def delete_left() -> dict[str, int]:
    """Deletes the addresses of visitors who did not sign up while their session lived; says how many. Repeatable."""
    limit = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    left = EligibilityRequest.objects.filter(user=None, created_at__lt=Now() - limit)
    return {"deleted": left.delete()[0]}
