"""Which orders WHMCS is to be looked at for, and when: cancelled ones, and those that a late call may reach (L5, S12).

Noting is done here and in the transactions of others; looking is done by provisioning.cleaning.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import CharField, Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Concat, Now

from integrations.salesforce.schemas import CancelledOrder
from journal import calls
from journal.commits import commit
from provisioning import tasks
from provisioning.duplicates import UNSEEN
from provisioning.models import Attempt, Inspection, Task
from provisioning.ordering import ADD
from provisioning.remote_orders import subject_of

Reason = Inspection.Reason
LOOKS_AFTER = (0, 4, 96)  # quarantines after the end of a call's own: at once, in an hour, in a day
RAREST_LOOK_S = 24 * 3600
ASKED_AFTER = 3  # undecided looks in a row: by then what passes by itself has passed
MOST = 200  # noted in one round
ORDER_SUBJECT = subject_of("")


def note_cancelled(orders: Sequence[CancelledOrder]) -> int:
    """Has every one of these looked at that was ever tried here; a later cancellation of one anew. Repeatable."""
    ours = Attempt.objects.filter(order_id__in=[order.id for order in orders])
    tried = set(ours.values_list("order_id", flat=True))
    return sum(_note_cancelled(order) for order in orders if order.id in tried)


def note_late() -> int:
    """Has every order looked at whose AddOrder got no answer of its own. Repeatable; says how many are new."""
    noted = Inspection.objects.filter(cause=Concat(Value("call:"), OuterRef("pk"), output_field=CharField()))
    late = calls.answered_late(ADD).filter(~Exists(noted), subject__startswith=ORDER_SUBJECT).order_by("id")[:MOST]
    rows = [
        Inspection(
            cause=f"call:{call.pk}",
            reason=Reason.LATE,
            order_id=call.subject.removeprefix(ORDER_SUBJECT),
            since=call.quarantine_until,
            due_at=call.quarantine_until,
        )
        for call in late
    ]
    with commit("inspection.late"):
        Inspection.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def due(limit: int) -> QuerySet[Inspection]:
    """What is to be looked at now, the longest due first."""
    return Inspection.objects.filter(due_at__lte=Now()).order_by("due_at")[:limit]


def looked(inspection: Inspection, *, finding: str, again_at: datetime | None) -> None:
    """Writes down that it was looked at; `again_at` None: nothing more to look for. Closes the task of `undecided`."""
    if inspection.undecided:
        tasks.settle(about=_cannot_look(inspection), reason="a look has succeeded")
    _write(inspection, finding=finding, due_at=again_at, looks=F("looks") + 1, undecided=0, looked_at=Now())


def put_off(inspection: Inspection, *, finding: str, seconds: float) -> None:
    """It could not be looked at now, and that says nothing about the order."""
    _write(inspection, finding=finding, due_at=Now() + timedelta(seconds=seconds))


def undecided(inspection: Inspection, *, finding: str) -> None:
    """It was looked at and could not be decided: the next look is later each time, and a person is told once.

    Once until a look succeeds, with the ASKED_AFTER-th in a row.
    """
    with commit("inspection.write"):
        row = Inspection.objects.select_for_update().get(pk=inspection.pk)
        row.due_at = calls.database_clock() + timedelta(seconds=wait_s(row.undecided))
        row.undecided, row.finding = row.undecided + 1, finding[:255]
        row.save(update_fields=["due_at", "undecided", "finding"])
        if row.undecided == ASKED_AFTER:
            words = {"finding": finding.rstrip("."), "times": str(ASKED_AFTER)}
            tasks.raise_task(
                Task.Kind.CANNOT_LOOK, cause=_cannot_look(row), order_id=row.order_id, facts=words, again=True
            )


def next_look(inspection: Inspection) -> datetime | None:
    """When a call's order is looked at once more; None after the last time."""
    done = inspection.looks + 1
    if done >= len(LOOKS_AFTER):
        return None
    return inspection.since + timedelta(seconds=LOOKS_AFTER[done] * settings.QUARANTINE_S)


def wait_s(times: int) -> float:
    """Until what waits for a person, or could not be decided, is looked at again: longer each time, at most a day.

    `times` is how often it was looked at before.
    """
    return float(min(settings.QUARANTINE_S * 2 ** min(times, 12), RAREST_LOOK_S))


def _note_cancelled(order: CancelledOrder) -> bool:
    with commit("inspection.cancelled"):
        row, made = Inspection.objects.get_or_create(
            cause=f"cancelled:{order.id}",
            defaults={
                "reason": Reason.CANCELLED,
                "order_id": order.id,
                "since": order.modstamp,
                "due_at": Now(),
            },
        )
        if not made and order.modstamp > row.since:
            Inspection.objects.filter(pk=row.pk).update(since=order.modstamp, due_at=Now(), **UNSEEN)
            return True
    return made


def _cannot_look(inspection: Inspection) -> str:
    return f"{Task.Kind.CANNOT_LOOK}:{inspection.order_id}"


def _write(inspection: Inspection, *, finding: str, **values: object) -> None:
    with commit("inspection.write"):
        Inspection.objects.filter(pk=inspection.pk).update(finding=finding[:255], **values)
