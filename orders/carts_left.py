"""Carts that nobody can come back to."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Max
from django.db.models.functions import Greatest, Now

from orders.models import Cart

SPARED = timedelta(days=30)  # a session that was saved after its cart was last touched lives on that much longer


def delete_left() -> dict[str, int]:
    """Deletes visitors' carts that were last touched longer ago than a session lives; says how many. Repeatable.

    The cart's id stands only in the visitor's session, which is sealed; so its age decides, with time to spare.
    """
    touched = Greatest("updated_at", Max("lines__created_at"))  # PostgreSQL: no line counts for nothing
    limit = timedelta(seconds=settings.SESSION_COOKIE_AGE) + SPARED
    left = Cart.objects.filter(user=None, closed_at=None).annotate(touched=touched).filter(touched__lt=Now() - limit)
    keys = list(left.values_list("pk", flat=True))
    Cart.objects.filter(pk__in=keys, user=None).delete()
    return {"deleted": len(keys)}
