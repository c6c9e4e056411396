"""What workers and the clock call. Jobs carry no argument: what is to be done is in the database (decisions.md 27)."""

import structlog
from django.conf import settings

from journal import rounds
from provisioning import cleaning, cursor, outbox, retention, sweepers, worker
from provisioning import reconcile as reconciler
from provisioning.wakeups import wake

log = structlog.get_logger(__name__)
__all__ = ["clean_up", "drain_outbox", "forget_payloads", "provision", "reconcile", "reconcile_gap", "sweep", "wake"]
RECONCILE = "provisioning.reconcile"
RECONCILE_S = 600
ROUNDS_PER_CLEAN_UP = 4  # sweeps in the time of one
RETENTION_S = 24 * 3600


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
    rounds.run(RECONCILE, RECONCILE_S, reconciler.reconcile)


def reconcile_gap() -> None:
    """As `reconcile`, but does nothing unless the position in the stream was lost and no round since then succeeded:
    what came between and is no longer kept is found by comparing alone, and nobody should wait for it."""
    gap_at = cursor.gap_at(topic=settings.SF_PROVISION_EVENT_CHANNEL)
    if gap_at is None or rounds.succeeded_since(RECONCILE, gap_at):
        return
    if rounds.run(RECONCILE, settings.SWEEP_S, reconciler.reconcile):
        log.warning("gap_reconciled", topic=settings.SF_PROVISION_EVENT_CHANNEL)


def clean_up() -> None:
    """Clears away what cancelled orders and late calls left in WHMCS, and asks people about the rest."""
    rounds.run("provisioning.clean_up", settings.SWEEP_S * ROUNDS_PER_CLEAN_UP, cleaning.clean_up)


def forget_payloads() -> None:
    """Daily: drops the raw bytes of events that nobody will look at any more."""
    rounds.run("provisioning.forget_payloads", RETENTION_S, retention.forget_payloads)
