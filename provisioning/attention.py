"""What becomes a task by time or by somebody else's doing: an outcome that stays unknown, an identity that is verified.

Both tasks close by themselves when the attempt has ended or a new one was asked for.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from accounts.models import CustomerLink
from journal.commits import commit
from orders.models import Order
from provisioning import tasks
from provisioning.failures import Code
from provisioning.models import Attempt, Task

Kind, State = Task.Kind, Attempt.State
STAYS_UNKNOWN = 4  # quarantines: by then looking has had its chances
MOST = 100  # of a kind in one round


def ask_people() -> int:
    """Raises and closes these tasks; returns how many were raised. Repeatable, needs no outside system."""
    _close_answered()
    return _ask_about_unknown() + _ask_about_verified()


def _ask_about_unknown() -> int:
    since = Now() - timedelta(seconds=STAYS_UNKNOWN * settings.QUARANTINE_S)
    unknown = Attempt.objects.filter(state=State.UNKNOWN, started_at__lt=since)
    asked = Task.objects.filter(attempt=OuterRef("pk"), kind=Kind.STILL_UNKNOWN)
    return sum(_ask(Kind.STILL_UNKNOWN, attempt) for attempt in unknown.filter(~Exists(asked))[:MOST])


def _ask_about_verified() -> int:
    """Orders of ours whose last attempt stopped for the identity of a customer who is verified now."""
    later = Attempt.objects.filter(order_id=OuterRef("order_id"), created_at__gt=OuterRef("created_at"))
    asked = Task.objects.filter(attempt=OuterRef("pk"), kind=Kind.READY_TO_RETRY)
    verified = CustomerLink.objects.filter(state=CustomerLink.State.LINKED, identity_status="Verified")
    theirs = Order.objects.filter(sf_order_id=OuterRef("order_id"), user__in=verified.values("user"))
    stopped = Attempt.objects.filter(state=State.FAILED, error_code=Code.IDENTITY_PENDING)
    ready = stopped.filter(~Exists(later), ~Exists(asked), Exists(theirs.exclude(sf_status="Cancelled")))
    return sum(_ask(Kind.READY_TO_RETRY, attempt) for attempt in ready[:MOST])


def _ask(kind: Task.Kind, attempt: Attempt) -> bool:
    cause = f"{kind}:{attempt.pk}"
    with commit("attention.ask"):
        facts = {"error": attempt.error_text}
        task = tasks.raise_task(kind, cause=cause, order_id=attempt.order_id, attempt_id=attempt.pk, facts=facts)
    return task is not None


def _close_answered() -> None:
    waiting = Task.objects.filter(state=Task.State.OPEN).select_related("attempt")
    for task in waiting.filter(kind=Kind.STILL_UNKNOWN).exclude(attempt__state=State.UNKNOWN):
        tasks.settle(about=task.cause, reason="the outcome is known")
    later = Attempt.objects.filter(order_id=OuterRef("order_id"), created_at__gt=OuterRef("attempt__created_at"))
    for task in waiting.filter(Exists(later), kind=Kind.READY_TO_RETRY):
        tasks.settle(about=task.cause, reason="it was requested again")
