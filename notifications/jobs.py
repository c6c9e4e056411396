"""What the workers call for e-mails."""

from django.conf import settings

from journal import rounds
from notifications import retention, sending

RETENTION_S = 24 * 3600


def send(email_id: int) -> None:
    """Queue `emails`."""
    sending.send(email_id)


def send_due() -> None:
    """Queue `housekeeping`: e-mails whose job got lost, and those to be tried again."""
    rounds.run("notifications.send_due", settings.SWEEP_S, sending.send_due)


def delete_left() -> None:
    """Queue `housekeeping`, daily: mails of people who are nobody here."""
    rounds.run("notifications.delete_left", RETENTION_S, retention.delete_left)
