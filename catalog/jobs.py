"""What the workers call for the catalogue."""

from django.conf import settings

from catalog import billing
from catalog.eligibility import answering, left, sending
from catalog.sync import AlreadyRunning
from catalog.sync import sync as sync_now
from journal import rounds

SYNC_S = 300
LEFT_S = 24 * 3600
BILLING_S = 900


def sync() -> None:
    """Mirrors what changed in the catalogue, hourly the whole; returns at once when another run just began."""
    rounds.run("catalog.sync", SYNC_S, _counted)


def read_billing() -> None:
    """Compares the catalogue with WHMCS' products; returns at once when another run just began."""
    rounds.run("catalog.read_billing", BILLING_S, billing.read)


def _counted() -> dict[str, int]:
    try:
        report = sync_now(full=False)
    except AlreadyRunning:  # somebody runs the command; it does the same
        return {"left_to_another": 1}
    return {"added": len(report.added), "changed": len(report.changed), "withdrawn": len(report.withdrawn)}


def send_check(request_id: int) -> None:
    """Queue `cases`: an address check goes to Salesforce."""
    sending.send(request_id)


def send_checks() -> None:
    """Queue `housekeeping`: checks whose customer is known now, whose job got lost, and those to be tried again."""
    rounds.run("catalog.send_checks", settings.SWEEP_S, sending.send_due)


def notice_answers() -> None:
    """Queue `housekeeping`: answers that the accounts refresh has brought."""
    rounds.run("catalog.notice_answers", settings.SWEEP_S, answering.notice)


def delete_left_checks() -> None:
    """Queue `housekeeping`, daily: addresses of visitors who did not sign up."""
    rounds.run("catalog.delete_left_checks", LEFT_S, left.delete_left)
