"""Orders that customers submitted and Salesforce does not have yet, as the database has them."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Min
from django.db.models.functions import Coalesce
from prometheus_client import Metric

from orders.models import Order
from portal.metrics.families import gauge


def families(now: datetime) -> Iterable[Metric]:
    """Everything about orders at this moment. Raises DatabaseError."""
    since = Coalesce("cleared_at", "created_at")
    found = Order.objects.on_their_way().order_by().aggregate(count=Count("pk"), oldest=Min(since))
    age = (now - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    text = "Submitted orders that wait for nothing but Salesforce."
    yield gauge("portal_orders_not_placed", text, {}, {(): found["count"]})
    yield gauge("portal_orders_not_placed_oldest_seconds", "How long the oldest of them waits.", {}, {(): age})
