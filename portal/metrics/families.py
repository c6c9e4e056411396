"""Families of samples from rows: every label pair that can exist is there from the first scrape, at 0."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import product
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, Q, QuerySet, Sum, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Greatest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

Pair = tuple[str, ...]
Labels = Mapping[str, Sequence[str]]  # name of the label -> every value it can have
OTHER = "other"


def gauge(name: str, text: str, labels: Labels, values: Mapping[Pair, float]) -> GaugeMetricFamily:
    """One sample per pair; what `values` lacks is 0."""
    family = GaugeMetricFamily(name, text, labels=list(labels))
    for pair in product(*labels.values()):
        family.add_metric(list(pair), values.get(pair, 0))
    return family


def counter(name: str, text: str, labels: Labels, counts: Iterable[tuple[Pair, int]]) -> CounterMetricFamily:
    """As `gauge`; a value that no label knows counts as `other` where there is one, so that nothing goes uncounted."""
    totals = dict.fromkeys(product(*labels.values()), 0)
    for pair, count in counts:
        known = tuple(
            value if value in allowed else OTHER for value, allowed in zip(pair, labels.values(), strict=True)
        )
        if known in totals:
            totals[known] += count
    family = CounterMetricFamily(name, text, labels=list(labels))
    for pair, total in totals.items():
        family.add_metric(list(pair), total)
    return family


def histogram(
    name: str, text: str, label: str, values: Sequence[str], bounds: Sequence[float], rows: Iterable[Mapping[str, Any]]
) -> HistogramMetricFamily:
    """From rows of `durations`; labels that have none are there with empty buckets."""
    found = {str(row[label]): row for row in rows}
    family = HistogramMetricFamily(name, text, labels=[label])
    for value in values:
        row = found.get(value, {})
        buckets = [(str(float(bound)), _number(row.get(f"le_{index}"))) for index, bound in enumerate(bounds)]
        buckets.append(("+Inf", _number(row.get("count"))))
        family.add_metric([value], buckets, sum_value=_number(row.get("sum")))
    return family


def durations(
    rows: "QuerySet[Any]", label: str, took: CombinedExpression, bounds: Sequence[float]
) -> Iterable[Mapping[str, Any]]:
    """Per value of `label`: how many there are, how many within each bound (`le_0`, …) and their sum.

    `took` is a difference of two moments; clocks that differ do not make it negative.
    """
    length = DurationField()
    measured = Greatest(ExpressionWrapper(took, length), Value(timedelta(0), length))
    within = {
        f"le_{index}": Count("pk", filter=Q(took__lte=timedelta(seconds=bound))) for index, bound in enumerate(bounds)
    }
    grouped = rows.annotate(took=measured).order_by().values(label)
    counted: Iterable[Mapping[str, Any]] = grouped.annotate(count=Count("pk"), sum=Sum("took"), **within)
    return counted


def _number(value: object) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value) if isinstance(value, int | float) else 0.0
