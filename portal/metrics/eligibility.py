"""Address checks that customers wait for, as the database has them."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Min
from prometheus_client import Metric

from catalog.eligibility.status import BEGUN
from catalog.models import EligibilityRequest
from portal.metrics.families import Pair, gauge

WAITING = (EligibilityRequest.State.SUBMITTED, EligibilityRequest.State.ASKED)


def families(now: datetime) -> Iterable[Metric]:
    """Everything about address checks at this moment. Raises DatabaseError."""
    rows = EligibilityRequest.objects.filter(state__in=WAITING).order_by().values_list("state")
    found = {state: (count, oldest) for state, count, oldest in rows.annotate(n=Count("pk"), old=Min(BEGUN))}
    labels = {"state": [str(state.value) for state in WAITING]}
    counts: dict[Pair, float] = {(state,): count for state, (count, _oldest) in found.items()}
    ages: dict[Pair, float] = {(state,): (now - oldest).total_seconds() for state, (_count, oldest) in found.items()}
    yield gauge("portal_address_checks", "Address checks that are not answered.", labels, counts)
    yield gauge("portal_address_checks_oldest_seconds", "How long the oldest of them waits.", labels, ages)
