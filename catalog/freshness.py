"""How old the mirror is. The shop stays open on an old one; staff are told."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from catalog.models import CatalogSync

STALE_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Freshness:
    """When Salesforce was last mirrored with success (None: never), and what became of the newest run."""

    succeeded_at: datetime | None
    error: str  # why the newest run failed; empty when it did not

    @property
    def is_stale(self) -> bool:
        return self.succeeded_at is None or timezone.now() - self.succeeded_at > STALE_AFTER


def freshness() -> Freshness:
    """One query, a second one after a run that failed; no remote call."""
    runs = CatalogSync.objects.exclude(kind=CatalogSync.Kind.BILLING)
    newest = runs.first()
    if newest is None or newest.ok:
        return Freshness(newest.finished_at if newest else None, "")
    good = runs.filter(ok=True).first()
    return Freshness(good.finished_at if good else None, newest.error)
