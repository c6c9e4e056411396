"""What the inbox forgets, and when (decisions.md 28).

The rows stay for good: without an event's id, key and order one that comes again, by a replay or from a restored org,
could not be told from a new request. A row without its payload takes about 300 bytes.
"""

from datetime import timedelta

from django.db.models.functions import Now

from journal.commits import commit
from provisioning.models import InboxEvent

KEPT = timedelta(days=90)
AT_A_TIME = 5_000  # rows of one transaction: it locks none for long


def forget_payloads() -> dict[str, int]:
    """Empties the payloads older than KEPT, oldest first; returns how many. Repeatable, safe beside the intake."""
    forgotten = 0
    while rows := _oldest():
        with commit("retention.payloads"):
            forgotten += InboxEvent.objects.filter(pk__in=rows).update(payload=b"")
    return {"payloads": forgotten}


def _oldest() -> list[int]:
    old = InboxEvent.objects.filter(received_at__lt=Now() - KEPT).exclude(payload=b"")
    return list(old.order_by("pk").values_list("pk", flat=True)[:AT_A_TIME])
