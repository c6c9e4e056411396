"""Reports to Salesforce: repeated until they arrived, are superseded, or need a person (decisions.md 25)."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from rq.timeouts import BaseTimeoutException

from integrations import correlation, failpoints, gateway
from integrations.errors import Misconfigured, OutsideError, Rejected
from journal.commits import commit
from provisioning.models import Attempt, Outbox
from provisioning.outcome import from_payload

log = structlog.get_logger(__name__)
State, Kind = Outbox.State, Outbox.Kind
REFUSALS = 5  # then a person must look
LONGEST_WAIT_S = 900
LIMIT_WAIT_S = 900  # the API limit frees itself slowly


def deliver_for(attempt: Attempt) -> None:
    """Sends what this attempt has to report, at once and best effort: what does not arrive stays due."""
    _send_all(Outbox.objects.filter(attempt=attempt))


def drain() -> dict[str, int]:
    """Sends all due reports; returns what was done (action -> count). Safe in any number of processes."""
    return _send_all(Outbox.objects.all())


def send_again(row: Outbox, *, by: str, reason: str) -> None:
    """Staff mended what Salesforce refused: the report is due at once. Repeatable."""
    Outbox.objects.filter(pk=row.pk, state=State.REFUSED).update(
        state=State.PENDING, refusals=0, next_try_at=Now(), last_error=f"sent again by {by}: {reason}"[:255]
    )


def _send_all(rows: QuerySet[Outbox]) -> dict[str, int]:
    done: dict[str, int] = {}
    while (row := _take(rows)) is not None:
        with correlation.bound(row.correlation_id):
            result = _send(row)
        done[result] = done.get(result, 0) + 1
    return done


def _take(rows: QuerySet[Outbox]) -> Outbox | None:
    """Leases one due row, so that a process that dies gives it back."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    lease = Now() + timedelta(seconds=2 * settings.READ_DEADLINE_S + settings.DEADLINE_MARGIN_S)
    with commit("outbox.lease"):
        due = rows.filter(free, state=State.PENDING, next_try_at__lte=Now()).order_by("id")
        row = due.select_for_update(skip_locked=True).first()
        if row is not None:
            Outbox.objects.filter(pk=row.pk).update(lease_until=lease, tries=F("tries") + 1)
            row.tries += 1
    return row


def _send(row: Outbox) -> str:
    try:
        result = _report(row)
    except Rejected as error:
        return _refused(row, error)
    except OutsideError as error:
        return _put_off(row, error)
    except BaseTimeoutException:
        raise
    except Exception as error:  # a report that cannot be made must not hold the others back
        log.exception("report_broken", order_id=row.order_id, kind=row.kind)
        return _refused(row, Rejected("salesforce", "report", "broken", type(error).__name__))
    state = {"sent": State.SENT, "superseded": State.SUPERSEDED}[result]
    _close(row, state=state, sent_at=Now(), last_error="")
    log.info(
        "report_sent",
        attempt_id=str(row.attempt_id),
        order_id=row.order_id,
        kind=row.kind,
        result=result,
        count=row.tries,
    )
    return result


def _report(row: Outbox) -> str:
    if row.kind == Kind.OPPORTUNITY:
        gateway.salesforce().activate_opportunity(**row.payload)
        return "sent"
    return gateway.salesforce().report_outcome(from_payload(row.payload))


def _refused(row: Outbox, error: Rejected) -> str:
    if error.code == "opportunity" and row.payload.get("with_opportunity"):
        return _part_with_opportunity(row)
    refusals = row.refusals + 1
    if refusals < REFUSALS:
        return _put_off(row, error, refusals=refusals)
    _close(row, state=State.REFUSED, refusals=refusals, last_error=str(error)[:255])
    log.error("report_refused", order_id=row.order_id, kind=row.kind, code=error.code)
    return "refused"


def _part_with_opportunity(row: Outbox) -> str:
    """A locked or invalid Opportunity must not hide the order's outcome: it becomes a report of its own."""
    alone = {
        "opportunity_id": row.payload["opportunity_id"],
        "whmcs_service_id": row.payload["opportunity_service_id"],
    }
    with commit("outbox.part"):
        Outbox.objects.filter(pk=row.pk).update(
            payload={**row.payload, "with_opportunity": False}, next_try_at=Now(), lease_until=None
        )
        Outbox.objects.get_or_create(
            dedupe_key=f"opportunity:{row.pk}",
            defaults={
                "kind": Kind.OPPORTUNITY,
                "order_id": row.order_id,
                "attempt_id": row.attempt_id,
                "payload": alone,
                "correlation_id": row.correlation_id,
                "next_try_at": Now() + _wait(1),
            },
        )
    return "parted"


def _put_off(row: Outbox, error: OutsideError, **values: Any) -> str:
    wait = timedelta(seconds=LIMIT_WAIT_S) if "limit" in error.code.lower() else _wait(row.tries)
    _close(row, next_try_at=Now() + wait, last_error=str(error)[:255], **values)
    level = log.error if isinstance(error, Misconfigured) else log.warning
    level("report_put_off", order_id=row.order_id, kind=row.kind, code=error.code, count=row.tries)
    return "put_off"


def _wait(tries: int) -> timedelta:
    """Doubles from one sweep on; half of it is chance, so that many reports do not come back together."""
    longest = min(settings.SWEEP_S * 2 ** min(tries, 12), LONGEST_WAIT_S)
    return timedelta(seconds=longest * (0.5 + secrets.randbelow(500) / 1000))


def _close(row: Outbox, **values: Any) -> None:
    changes: Mapping[str, Any] = {"lease_until": None, **values}
    with failpoints.around("outbox.close"):
        Outbox.objects.filter(pk=row.pk, state=State.PENDING).update(**changes)
