"""Sign-ups that are not finished, and what has not gone out to customers and systems, as the database has them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from prometheus_client import Metric

from portal import waiting
from portal.metrics.families import Pair, gauge


def families(now: datetime) -> Iterable[Metric]:
    """Everything about what customers wait for at this moment. Raises DatabaseError."""
    yield from _family(now, "portal_signups", "Sign-ups under way or with support", "state", waiting.sign_ups())
    yield from _family(now, "portal_unsent", "Details, e-mails and Cases not sent", "kind", waiting.unsent())


def _family(now: datetime, name: str, text: str, label: str, found: Mapping[str, waiting.Waiting]) -> Iterable[Metric]:
    labels = {label: list(found)}
    counts: dict[Pair, float] = {(value,): each.count for value, each in found.items()}
    ages: dict[Pair, float] = {(value,): (now - (each.since or now)).total_seconds() for value, each in found.items()}
    yield gauge(name, f"{text}.", labels, counts)
    yield gauge(f"{name}_oldest_seconds", f"{text}: how long the oldest waits.", labels, ages)
