"""Who works on an attempt: the claim, its lease by the database's clock, and the fence around every later write."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models.functions import Coalesce, Now

from integrations import correlation, failpoints
from journal.commits import commit, lasting, settled
from provisioning import pause
from provisioning.attempts import Fenced, State, transition
from provisioning.models import Attempt

log = structlog.get_logger(__name__)


class NothingToClaim(Exception):
    """Ends the claiming transaction without having used up the breaker's probe."""


@dataclass(frozen=True)
class Claim:
    """The right to work on one attempt in one epoch. Lost as soon as the row says otherwise."""

    attempt: Attempt
    epoch: int

    def renew(self, deadline_s: float, *, step: str | None = None) -> None:
        """Makes the lease outlast a call of `deadline_s` seconds. Raises Fenced when the claim is lost."""
        self.write(lease_until=Now() + timedelta(seconds=deadline_s + settings.DEADLINE_MARGIN_S), step=step)

    @lasting
    def write(self, **values: Any) -> None:
        """Changes the attempt's row if the claim still holds, else raises Fenced. A `None` step is left as it is."""
        changes: Mapping[str, Any] = {name: value for name, value in values.items() if value is not None}
        held = Attempt.objects.filter(pk=self.attempt.pk, epoch=self.epoch, state=State.RUNNING)
        with failpoints.around("attempt.lease"):
            is_ours = held.update(**changes)
        if not is_ours:
            raise Fenced(f"attempt {self.attempt.pk} is not ours in epoch {self.epoch} any more")


@settled  # not `lasting`: a claim whose acknowledgement was lost would be followed by another one
def claim() -> Claim | None:
    """Takes the oldest QUEUED attempt that nobody else is taking; None when there is none or claims are stopped."""
    try:
        with commit("attempt.claim"):
            if not pause.take_permission():
                return None
            attempt = _oldest_queued()
            attempt = transition(
                attempt_id=attempt.pk,
                to=State.RUNNING,
                changes={
                    "lease_until": Now() + timedelta(seconds=settings.LEASE_S),
                    "started_at": Coalesce("started_at", Now()),
                },
            )
    except NothingToClaim:
        return None
    with correlation.bound(attempt.correlation_id):
        log.info("attempt_claimed", attempt_id=str(attempt.pk), order_id=attempt.order_id, epoch=attempt.epoch)
    return Claim(attempt, attempt.epoch)


def _oldest_queued() -> Attempt:
    queued = Attempt.objects.select_for_update(skip_locked=True).filter(state=State.QUEUED)
    # Those that came in one response were made at the same moment.
    attempt = queued.order_by("created_at", "event_id", "id").first()
    if attempt is None:
        raise NothingToClaim
    return attempt
