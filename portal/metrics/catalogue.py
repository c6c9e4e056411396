"""The mirror of the catalogue: how old it is, what is hidden, and where WHMCS has another price."""

from collections.abc import Iterable

from django.db.models import Count, Q
from prometheus_client import Metric

from catalog.billing import priced_differently
from catalog.freshness import freshness
from catalog.models import Product
from portal.metrics.families import Pair, gauge


def families() -> Iterable[Metric]:
    """Everything about the mirror at this moment. Raises DatabaseError."""
    succeeded = freshness().succeeded_at
    name, text = "portal_catalog_synced_timestamp_seconds", "When Salesforce was last mirrored, 0 if never."
    yield gauge(name, text, {}, {(): succeeded.timestamp() if succeeded else 0.0})
    counts = Product.objects.filter(withdrawn_at=None).aggregate(
        offered=Count("pk", filter=Q(broken=[])), broken=Count("pk", filter=~Q(broken=[]))
    )
    states: dict[Pair, float] = {(state,): count for state, count in counts.items()}
    yield gauge("portal_catalog_products", "Products of the mirror.", {"state": ("offered", "broken")}, states)
    name, text = "portal_catalog_price_differences", "Products that WHMCS sells for another price."
    yield gauge(name, text, {}, {(): priced_differently(Product.objects.all()).count()})
