"""What the workers call for cases."""

from django.conf import settings

from journal import rounds
from support import cases


def open_in_salesforce(case_id: int) -> None:
    """Queue `cases`."""
    cases.open_in_salesforce(case_id)


def open_due() -> None:
    """Queue `housekeeping`: cases whose job got lost, and those to be tried again."""
    rounds.run("support.open_due", settings.SWEEP_S, cases.open_due)
