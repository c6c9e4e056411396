"""What workers and the clock call. Jobs carry no argument: what is to be done is in the database (decisions.md 27)."""

from django.conf import settings

from journal import rounds
from provisioning import outbox, sweepers, worker
from provisioning import reconcile as reconciler
from provisioning.wakeups import wake

__all__ = ["drain_outbox", "provision", "reconcile", "sweep", "wake"]
RECONCILE_S = 600


def provision() -> None:
    """Works the queued attempts off, the oldest first, until none is left or it is another job's turn."""
    worker.work_off(for_s=settings.JOB_TIMEOUT_S / 4)


def sweep() -> None:
    """Finds what dead workers and lost wake-ups left behind."""
    rounds.run("provisioning.sweep", settings.SWEEP_S, sweepers.sweep)


def drain_outbox() -> None:
    """Sends the reports to Salesforce that are due."""
    rounds.run("provisioning.outbox", settings.SWEEP_S, outbox.drain)


def reconcile() -> None:
    """Compares what Salesforce waits for with what is worked on here."""
    rounds.run("provisioning.reconcile", RECONCILE_S, reconciler.reconcile)
