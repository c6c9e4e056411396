"""Several WHMCS orders of one Salesforce order: noted, so that they are looked at until one is left (S12, L5)."""

from django.db.models.functions import Now

from journal.commits import commit
from provisioning import tasks
from provisioning.models import Inspection, Task

UNSEEN = {"looks": 0, "undecided": 0}  # of an inspection that begins anew


def note_duplicates(order_id: str, cause: str) -> None:
    """Several WHMCS orders of one order count, and the portal may cancel none: a task, and looks until one is left.

    In the caller's transaction. Repeatable: an open task stays, a closed one is raised again.
    """
    about = _about(order_id)
    tasks.raise_task(Task.Kind.DUPLICATE_ACTIVE, cause=about, order_id=order_id, facts={"cause": cause}, again=True)
    Inspection.objects.update_or_create(cause=about, defaults={**_beginning(order_id), **UNSEEN})


def note_left(order_id: str) -> None:
    """A second WHMCS order could not be cancelled now: the clean-up does it. Repeatable; looks under way go on."""
    with commit("inspection.left"):
        row, made = Inspection.objects.get_or_create(cause=_about(order_id), defaults=_beginning(order_id))
        if not made:
            ended = Inspection.objects.filter(pk=row.pk, due_at=None)
            ended.update(since=Now(), due_at=Now(), **UNSEEN)


def _about(order_id: str) -> str:
    return f"duplicate:{order_id}"


def _beginning(order_id: str) -> dict[str, object]:
    return {"reason": Inspection.Reason.DUPLICATE, "order_id": order_id, "since": Now(), "due_at": Now()}
