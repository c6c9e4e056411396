"""Attempts, their steps, what is reported and what people have to do, as the database has it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Case, CharField, Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Lower
from prometheus_client import Metric

from catalog.models import Product
from journal.models import Round
from orders.models import Order
from portal.metrics.families import OTHER, Pair, counter, durations, gauge, histogram
from portal.periods import PERIODS
from provisioning import pause
from provisioning.failures import Code
from provisioning.models import Attempt, Outbox, Pause, Step, Task

State = Attempt.State
OUTCOMES = ("provisioned", "failed", "skipped", "unknown")
PRODUCTS = (*(value.lower() for value in Product.Category.values), OTHER)
STEPS = (
    "guard",
    "guard_again",
    "validate",
    "payment",
    "esim",
    "whmcs_add",
    "whmcs_accept",
    "module_create",
    "read_back",
    OTHER,
)
REASONS = tuple(Code.values)
KINDS = tuple(Outbox.Kind.values)
DURATION_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 14400)
STEP_DURATION_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


def families(now: datetime) -> Iterable[Metric]:
    """Everything about attempts at this moment. Raises DatabaseError."""
    yield from _ended()
    yield from _live(now)
    yield from _lengths()
    yield from _reports(now)
    yield from _tasks(now)
    yield from _rounds()
    yield from _paused()


def with_outcome(attempts: "QuerySet[Attempt]") -> "QuerySet[Any]":
    """Attempts with the first thing that became of each (`outcome`): one that was once unknown stays counted as that,
    so that each is counted once and no count ever falls. Empty while it is under way."""
    step = Exists(Step.objects.filter(attempt=OuterRef("pk"), state=Step.State.UNKNOWN))
    report = Exists(Outbox.objects.filter(attempt=OuterRef("pk"), dedupe_key__endswith=":UNKNOWN"))
    unknown = Q(state=State.UNKNOWN) | Q(step) | Q(report)
    ended = [When(state=state, then=Value(state.lower())) for state in ("PROVISIONED", "FAILED", "SKIPPED")]
    whens = [When(unknown, then=Value("unknown")), *ended]
    return attempts.annotate(outcome=Case(*whens, default=Value(""), output_field=CharField()))


def _ended() -> Iterable[Metric]:
    category = Order.objects.filter(sf_order_id=OuterRef("order_id")).values(name=Lower("category"))[:1]
    sold = Attempt.objects.order_by().annotate(sold=Coalesce(Subquery(category), Value(OTHER)))
    ended = with_outcome(sold)
    rows = ended.exclude(outcome="").values_list("outcome", "sold").annotate(count=Count("pk"))
    labels = {"outcome": OUTCOMES, "product": PRODUCTS}
    text = "Attempts by the first thing that became of each."
    yield counter("portal_provisioning_attempts", text, labels, (((a, b), n) for a, b, n in rows))
    failed = Attempt.objects.filter(state=State.FAILED).order_by()
    reasons = failed.values_list("error_code", "step").annotate(count=Count("pk"))
    labels = {"reason": REASONS, "step": STEPS}
    counts = (((code, _step(step)), n) for code, step, n in reasons)
    yield counter("portal_provisioning_failures", "Attempts that failed, by code and last step.", labels, counts)
    skipped = Attempt.objects.filter(state=State.SKIPPED).order_by().values_list("error_code")
    labels = {"reason": (Code.UNKNOWN_ORDER.value, Code.NOT_ACTIVATING.value)}
    nothing_to_do = (((code,), n) for code, n in skipped.annotate(count=Count("pk")))
    yield counter("portal_provisioning_skipped", "Attempts for which there was nothing to do.", labels, nothing_to_do)


def _step(name: str) -> str:
    """A step's name without the id it may end with (`module_create:1001`)."""
    return name.partition(":")[0] or OTHER


def _live(now: datetime) -> Iterable[Metric]:
    live = Attempt.objects.filter(state__in=Attempt.LIVE).order_by().values_list("state")
    rows = list(live.annotate(count=Count("pk"), oldest=Min("created_at")))
    labels = {"state": [str(state) for state in Attempt.LIVE]}
    counts: dict[Pair, float] = {(state,): count for state, count, _oldest in rows}
    ages: dict[Pair, float] = {(state,): (now - oldest).total_seconds() for state, _count, oldest in rows}
    yield gauge("portal_provisioning_attempts_live", "Attempts that have not ended.", labels, counts)
    yield gauge("portal_provisioning_oldest_live_seconds", "Age of the oldest of them, 0 if none.", labels, ages)


def _lengths() -> Iterable[Metric]:
    ended = with_outcome(Attempt.objects.filter(finished_at__isnull=False))
    took = F("finished_at") - Coalesce(F("event__published_at"), F("created_at"))
    name, text = "portal_provisioning_duration_seconds", "From the request in Salesforce to the end of its attempt."
    yield histogram(name, text, "outcome", OUTCOMES, DURATION_S, durations(ended, "outcome", took, DURATION_S))
    steps = Step.objects.filter(finished_at__isnull=False).exclude(name__startswith="staff:")
    named = [When(name__startswith=each, then=Value(each)) for each in sorted(STEPS, key=len, reverse=True)]
    steps = steps.annotate(step=Case(*named, default=Value(OTHER), output_field=CharField()))
    took = F("finished_at") - F("started_at")
    name, text = "portal_provisioning_step_duration_seconds", "How long the steps of attempts took."
    yield histogram(name, text, "step", STEPS, STEP_DURATION_S, durations(steps, "step", took, STEP_DURATION_S))


def _reports(now: datetime) -> Iterable[Metric]:
    pending = Outbox.objects.filter(state=Outbox.State.PENDING).order_by().values_list("kind")
    rows = list(pending.annotate(count=Count("pk"), oldest=Min("created_at")))
    labels = {"kind": KINDS}
    waiting: dict[Pair, float] = {(kind,): count for kind, count, _oldest in rows}
    ages: dict[Pair, float] = {(kind,): (now - oldest).total_seconds() for kind, _count, oldest in rows}
    yield gauge("portal_outbox_pending", "Reports to Salesforce not yet sent.", labels, waiting)
    yield gauge("portal_outbox_oldest_seconds", "Age of the oldest of them, 0 if none.", labels, ages)
    refused = Outbox.objects.filter(state=Outbox.State.REFUSED).order_by().values_list("kind")
    counts: dict[Pair, float] = {(kind,): count for kind, count in refused.annotate(count=Count("pk"))}
    yield gauge("portal_outbox_refused", "Reports that Salesforce refused for good.", labels, counts)


def _tasks(now: datetime) -> Iterable[Metric]:
    open_tasks = Task.objects.filter(state=Task.State.OPEN).order_by().values_list("kind")
    rows = list(open_tasks.annotate(count=Count("pk"), oldest=Min("created_at")))
    labels = {"kind": tuple(Task.Kind.values)}
    counts: dict[Pair, float] = {(kind,): count for kind, count, _oldest in rows}
    ages: dict[Pair, float] = {(kind,): (now - oldest).total_seconds() for kind, _count, oldest in rows}
    yield gauge("portal_tasks_open", "What waits for a decision of staff.", labels, counts)
    yield gauge("portal_tasks_oldest_seconds", "Age of the oldest of them, 0 if none.", labels, ages)
    text = "Salesforce orders with more than one WHMCS order that works or was paid; must be 0."
    duplicates: dict[Pair, float] = {(): counts.get((Task.Kind.DUPLICATE_ACTIVE,), 0)}
    yield gauge("portal_provisioning_duplicate_remote_orders", text, {}, duplicates)


def _rounds() -> Iterable[Metric]:
    rows = list(Round.objects.filter(name__in=PERIODS))
    labels = {"sweeper": tuple(PERIODS)}
    succeeded: dict[Pair, float] = {(row.name,): row.succeeded_at.timestamp() for row in rows if row.succeeded_at}
    name = "portal_sweeper_last_success_timestamp_seconds"
    yield gauge(name, "When each periodic round last succeeded, 0 if never.", labels, succeeded)
    periods: dict[Pair, float] = {(name,): period for name, period in PERIODS.items()}
    yield gauge("portal_sweeper_period_seconds", "How often each is meant to succeed.", labels, periods)
    family = counter("portal_sweeper_actions", "What the periodic rounds did.", {"sweeper": (), "action": ()}, ())
    for row in rows:
        for action, count in row.actions.items():
            family.add_metric([row.name, action], count)
    yield family


def _paused() -> Iterable[Metric]:
    row = Pause.objects.filter(pk=1).first()
    broken = row is not None and row.unreachable_in_a_row >= pause.BREAKS_AFTER
    yield gauge("portal_provisioning_paused", "1 while staff have stopped it.", {}, {(): float(pause.is_paused())})
    yield gauge("portal_provisioning_breaker_open", "1 while WHMCS is spared.", {}, {(): float(broken)})
    yield gauge(
        "portal_build_info", "1; the release that answers.", {"version": (settings.RELEASE,)}, {(settings.RELEASE,): 1}
    )
