"""What the workers call for identity papers."""

from django.conf import settings

from accounts.identity import retention, scanning, submission
from journal import rounds

RETENTION_S = 24 * 3600


def submit_papers(check_id: int) -> None:
    """Queue `cases`: papers that a customer has sent in go to Salesforce."""
    submission.submit(check_id)


def submit_due() -> None:
    """Queue `housekeeping`: papers whose job got lost, those to be tried again, and files that wait for the scanner."""
    rounds.run("accounts.submit_papers", settings.SWEEP_S, lambda: submission.submit_due() | scanning.scan_due())


def delete_papers() -> None:
    """Queue `housekeeping`, daily: papers whose time is over."""
    rounds.run("accounts.delete_papers", RETENTION_S, retention.delete_papers)
