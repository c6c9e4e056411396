"""Identity papers on their way, as the database has them."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Min
from prometheus_client import Metric

from accounts.models import IdentityCheck, IdentityDocument
from portal.metrics.families import Pair, gauge

State, Scan = IdentityCheck.State, IdentityDocument.Scan
UNDECIDED = (State.SUBMITTED, State.PENDING)  # on their way to Salesforce; waiting for support


def families(now: datetime) -> Iterable[Metric]:
    """Everything about identity papers at this moment. Raises DatabaseError."""
    rows = IdentityCheck.objects.filter(state__in=UNDECIDED).order_by().values_list("state")
    found = {state: (count, oldest) for state, count, oldest in rows.annotate(n=Count("pk"), old=Min("submitted_at"))}
    labels = {"state": [str(state.value) for state in UNDECIDED]}
    counts: dict[Pair, float] = {(state,): count for state, (count, _oldest) in found.items()}
    ages: dict[Pair, float] = {(state,): (now - oldest).total_seconds() for state, (_count, oldest) in found.items()}
    yield gauge("portal_identity_checks", "Identity checks that are not decided.", labels, counts)
    yield gauge("portal_identity_checks_oldest_seconds", "Age of the oldest of them.", labels, ages)
    waiting = IdentityDocument.objects.filter(scan=Scan.WAITING, deleted_at=None).count()
    yield gauge("portal_identity_unscanned", "Papers that wait for the virus scanner.", {}, {(): waiting})
