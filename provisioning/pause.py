"""Whether attempts may be claimed now: staff's pause, and the breaker that spares a WHMCS that does not answer."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import F, Q
from django.db.models.functions import Now

from journal.commits import commit
from provisioning.models import Pause

log = structlog.get_logger(__name__)
BREAKS_AFTER = 5  # attempts in a row that could not reach WHMCS
BREAK = timedelta(seconds=60)


def is_paused() -> bool:
    """Whether staff stopped the claims; the page then says "delayed" and the stuck alert is muted."""
    return current() is not None


def current() -> Pause | None:
    """The pause that staff set, with who and why, while it is in force."""
    stands = Q(until=None) | Q(until__gt=Now())
    return Pause.objects.filter(stands, pk=1, paused=True).first()


def take_permission() -> bool:
    """Whether one attempt may be claimed in this transaction.

    After the breaker opened, one caller a minute gets a yes (the probe) and thereby a no for everybody else; its
    transaction must be rolled back when it finds nothing to claim.
    """
    row = Pause.objects.filter(pk=1).first()
    if row is None or (not row.paused and row.unreachable_in_a_row < BREAKS_AFTER):
        return True
    if is_paused():
        return False
    if row.unreachable_in_a_row < BREAKS_AFTER:
        return True
    probe = Pause.objects.filter(pk=1).exclude(breaker_until__gt=Now())
    return probe.update(breaker_until=Now() + BREAK) == 1


def note_unreachable() -> None:
    """One more attempt failed because WHMCS was not reached; the fifth in a row opens the breaker."""
    with commit("pause.count"):
        Pause.objects.get_or_create(pk=1)
        Pause.objects.filter(pk=1).update(unreachable_in_a_row=F("unreachable_in_a_row") + 1)
        opened = Pause.objects.filter(pk=1, unreachable_in_a_row__gte=BREAKS_AFTER).update(breaker_until=Now() + BREAK)
    if opened:
        log.warning("breaker_opened", system="whmcs", seconds=BREAK.total_seconds())


def note_reachable() -> None:
    """WHMCS answered: the count begins anew and claims are free."""
    with commit("pause.reachable"):
        Pause.objects.filter(pk=1, unreachable_in_a_row__gt=0).update(unreachable_in_a_row=0, breaker_until=None)


def pause(*, by: str, reason: str, until: datetime | None = None) -> None:
    """Stops claims until `until` (None: until somebody resumes). Events still come in. Repeatable."""
    _set({"paused": True, "reason": reason[:255], "until": until, "set_by": by})
    log.warning("provisioning_paused")  # the reason is free text and stays in the row


def resume(*, by: str, reason: str) -> None:
    """Lets claims go on and forgets what the breaker counted. Repeatable."""
    counted = {"unreachable_in_a_row": 0, "breaker_until": None}
    _set({"paused": False, "reason": reason[:255], "until": None, "set_by": by, **counted})
    log.warning("provisioning_resumed")


def _set(values: Mapping[str, Any]) -> None:
    with commit("pause.set"):
        Pause.objects.update_or_create(pk=1, defaults=values)
