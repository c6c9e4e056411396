"""Reports to Salesforce: repeated until they arrived, are superseded, or need a person (decisions.md 25)."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from integrations import correlation, failpoints, gateway
from integrations.errors import Misconfigured, OutsideError, Rejected
from journal.commits import commit
from provisioning import tasks
from provisioning.models import Attempt, Outbox, Task
from provisioning.outcome import from_payload
from provisioning.steps import INTERRUPTIONS

log = structlog.get_logger(__name__)
State, Kind = Outbox.State, Outbox.Kind
REFUSALS = 5  # then a person must look
AWAY_AFTER = 3  # reports in a row that did not get through: Salesforce is away, and the others need not find it out
LONGEST_WAIT_S = 900
LIMIT_WAIT_S = 900  # the API limit frees itself slowly
OF_ONE_RECORD = frozenset({"row_locked"})  # troubles that say nothing about the other reports


def deliver_for(attempt: Attempt) -> None:
    """Sends what this attempt has to report, at once and best effort: what does not arrive stays due."""
    _send_all(Outbox.objects.filter(attempt=attempt))


def drain() -> dict[str, int]:
    """Sends all due reports; returns what was done (action -> count). Safe in any number of processes.

    Stops early when Salesforce is away or its limit is used up. A report that two processes send at the same time
    arrives once: the second one finds it there.
    """
    return _send_all(Outbox.objects.all())


def send_again(row: Outbox, *, by: str, reason: str) -> None:
    """Staff mended what Salesforce refused: the report is due at once. Repeatable."""
    with commit("outbox.send_again"):
        Outbox.objects.filter(pk=row.pk, state=State.REFUSED).update(
            state=State.PENDING, refusals=0, next_try_at=Now(), last_error=f"sent again by {by}: {reason}"[:255]
        )
        tasks.settle(about=_about(row), reason=f"sent again by {by}")


def _send_all(rows: QuerySet[Outbox]) -> dict[str, int]:
    done, in_a_row = dict[str, int](), 0
    while in_a_row < AWAY_AFTER and (row := _take(rows)) is not None:
        with correlation.bound(row.correlation_id):
            result = _send(row)
        done[result] = done.get(result, 0) + 1
        in_a_row = in_a_row + 1 if result == "unreached" else 0
    return done


def _take(rows: QuerySet[Outbox]) -> Outbox | None:
    """Leases one due row, so that a process that dies gives it back soon."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    lease = Now() + timedelta(seconds=min(settings.LEASE_S, 2 * settings.READ_DEADLINE_S + settings.DEADLINE_MARGIN_S))
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
        if error.code == "opportunity" and row.payload.get("with_opportunity"):
            return _part_with_opportunity(row)
        return _refused(row, error)
    except OutsideError as error:
        return _put_off(row, error)
    except INTERRUPTIONS:  # they say nothing about the report; it is due again when its lease is over
        raise
    except Exception as error:  # a report that cannot be made must not hold the others back
        log.exception("report_broken", order_id=row.order_id, kind=row.kind)
        return _refused(row, Rejected("salesforce", "report", "broken", type(error).__name__))
    state = {"sent": State.SENT, "superseded": State.SUPERSEDED}[result]
    with commit("outbox.close"):
        _close(row, state=state, sent_at=Now(), last_error="")
        tasks.settle(about=_about(row), reason=f"Salesforce has taken it ({result})")
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
        return gateway.salesforce().activate_opportunity(order_id=row.order_id, **row.payload)
    return gateway.salesforce().report_outcome(from_payload(row.payload))


def _refused(row: Outbox, error: Rejected) -> str:
    refusals = row.refusals + 1
    if refusals < REFUSALS:
        return _put_off(row, error, refusals=refusals)
    with commit("outbox.close"):
        _close(row, state=State.REFUSED, refusals=refusals, last_error=str(error)[:255])
        _ask_a_person(row, error)
    log.error("report_refused", order_id=row.order_id, kind=row.kind, code=error.code)
    return "refused"


def _ask_a_person(row: Outbox, error: OutsideError) -> None:
    kind = Task.Kind.OPPORTUNITY_REFUSED if row.kind == Kind.OPPORTUNITY else Task.Kind.REPORT_REFUSED
    outcome = row.payload.get("error") or "Provisioned"
    facts = {"error": f"{error.code}: {error.text}" if error.text else error.code, "outcome": outcome}
    tasks.raise_task(kind, cause=_about(row), order_id=row.order_id, attempt_id=row.attempt_id, facts=facts, again=True)


def _about(row: Outbox) -> str:
    """The cause of the tasks about this report."""
    return f"report:{row.pk}"


def _part_with_opportunity(row: Outbox) -> str:
    """A locked or invalid Opportunity must not hide the order's outcome: it becomes a report of its own."""
    alone = {
        "whmcs_order_id": row.payload["whmcs_order_id"],
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
    limit = "limit" in error.code.lower()
    wait = timedelta(seconds=LIMIT_WAIT_S) if limit else _wait(row.tries)
    with commit("outbox.close"):
        _close(row, next_try_at=Now() + wait, last_error=str(error)[:255], **values)
        if isinstance(error, Misconfigured) and row.tries >= REFUSALS:  # tried on, for it may be mended any moment
            _ask_a_person(row, error)
    if limit:
        _hold_all_back(wait)
    level = log.error if isinstance(error, Misconfigured) else log.warning
    level("report_put_off", order_id=row.order_id, kind=row.kind, code=error.code, count=row.tries)
    of_this_one = isinstance(error, Rejected) or error.code in OF_ONE_RECORD
    return "put_off" if of_this_one else "unreached"


def _hold_all_back(wait: timedelta) -> None:
    """Each further call would only find the org's limit used up."""
    with failpoints.around("outbox.hold_back"):
        due = Outbox.objects.filter(state=State.PENDING, next_try_at__lt=Now() + wait)
        due.update(next_try_at=Now() + wait)


def _wait(tries: int) -> timedelta:
    """Doubles from one sweep on; half of it is chance, so that many reports do not come back together."""
    longest = min(settings.SWEEP_S * 2 ** min(tries, 12), LONGEST_WAIT_S)
    return timedelta(seconds=longest * (0.5 + secrets.randbelow(500) / 1000))


def _close(row: Outbox, **values: Any) -> None:
    """Gives the lease back; a row that was superseded meanwhile stays so. Inside `commit("outbox.close")`."""
    changes: Mapping[str, Any] = {"lease_until": None, **values}
    Outbox.objects.filter(pk=row.pk, state=State.PENDING).update(**changes)
