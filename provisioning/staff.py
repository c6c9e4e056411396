"""What staff may do with an attempt, each with a reason and a row among its steps (decisions.md 29).

The admin calls these; who may is the admin's business.
"""

import re
from dataclasses import dataclass

from django.db.models.functions import Now

from integrations import correlation, gateway
from journal import calls, facts
from journal.commits import commit
from provisioning import outbox, outcome, remote_orders, resolving
from provisioning.attempts import State, lock_order_of
from provisioning.failures import Code, Failure
from provisioning.models import Attempt, Step
from provisioning.outcome import Whose
from provisioning.remote_orders import KIND, subject_of


class NotPossible(Exception):
    """The attempt is not in a state in which this can be done; the text says so to staff."""


@dataclass(frozen=True)
class Decision:
    """Who decided what to do, and why."""

    actor: str  # e-mail of the member of staff
    reason: str


def request_again(attempt: Attempt, decision: Decision) -> None:
    """Does what an operator does in Salesforce: Failed becomes Activating, and a new event follows.

    Raises Rejected when the order is not Failed, and the other errors of the Salesforce client.
    """
    with correlation.bound(attempt.correlation_id):
        gateway.salesforce().request_provisioning(attempt.order_id)
    _write_down(attempt, "request_again", decision)


def look_again(attempt: Attempt, decision: Decision) -> bool:
    """Looks into WHMCS now; whether that ended the attempt. Raises NotPossible, or an outside system's error."""
    _require(attempt, State.UNKNOWN)
    _write_down(attempt, "look_again", decision)
    return _resolve(attempt)


def release(attempt: Attempt, decision: Decision) -> bool:
    """Staff looked: what was sent does not exist there. Frees the order for a new request; whether the attempt ended.

    What does exist there after all is still found and adopted. Raises as `look_again`.
    """
    with commit("staff.decision"):
        _hold(attempt, State.UNKNOWN)
        for call in calls.open_calls(subject_of(attempt.order_id)):
            calls.release(call, by=decision.actor, reason=decision.reason)
        _write_down(attempt, "release", decision)
    return _resolve(attempt)


def adopt(attempt: Attempt, whmcs_order_id: int, decision: Decision) -> bool:
    """Staff found the WHMCS order, mark or not: it is this order's. Raises FactConflict, or as `look_again`."""
    with commit("staff.decision"):
        _hold(attempt, State.UNKNOWN)
        facts.replace(subject_of(attempt.order_id), KIND, str(whmcs_order_id))
        _write_down(attempt, "adopt", decision, {"whmcs_order": whmcs_order_id})
    return _resolve(attempt)


def mark_failed(attempt: Attempt, decision: Decision) -> None:
    """Ends a live attempt. An open call keeps its quarantine: the next attempt cannot send it again before its end.

    The reason is free text and may name somebody: it stays in the step and goes neither to Salesforce nor to the log.
    """
    with commit("staff.mark_failed"):
        _hold(attempt, State.QUEUED, State.UNKNOWN, State.WAITING)  # a worker may be about to claim it
        _write_down(attempt, "mark_failed", decision)
        outcome.failed(Whose(attempt.pk), Failure(Code.MARKED_FAILED, "the reason is with the attempt"))
    outbox.deliver_for(attempt)


def create_anew(attempt: Attempt, decision: Decision) -> None:
    """The WHMCS order was cancelled on purpose: it counts no longer, and the next request makes a new one.

    Its unpaid invoice is cancelled, so that nobody pays twice. Raises NotPossible when money was taken by it
    or it was put back.
    """
    _require(attempt, State.FAILED)
    named = re.search(r"WHMCS order (\d+)", attempt.error_text)
    if attempt.error_code != Code.CANCELLED_IN_WHMCS or named is None:
        raise NotPossible("The attempt did not fail because its WHMCS order was cancelled.")
    whmcs_order_id = int(named[1])
    try:
        remote_orders.give_up(attempt.order_id, whmcs_order_id)
    except Failure as failure:
        raise NotPossible(failure.cause) from failure
    _write_down(attempt, "create_anew", decision, {"whmcs_order": whmcs_order_id})


def _hold(attempt: Attempt, *states: str) -> None:
    """As `_require`, and it stays so until the transaction is over: no newer attempt of the order begins."""
    lock_order_of(attempt.pk)
    Attempt.objects.select_for_update().get(pk=attempt.pk)
    _require(attempt, *states)


def _require(attempt: Attempt, *states: str) -> None:
    attempt.refresh_from_db()
    if attempt.state not in states:
        raise NotPossible(f"The attempt is {attempt.get_state_display()}.")


def _resolve(attempt: Attempt) -> bool:
    with correlation.bound(attempt.correlation_id):
        resolved = resolving.resolve(attempt)
        outbox.deliver_for(attempt)
    return resolved


def _write_down(attempt: Attempt, action: str, decision: Decision, more: dict[str, int] | None = None) -> None:
    with commit("staff.decision"):
        Attempt.objects.select_for_update().get(pk=attempt.pk)
        count = Step.objects.filter(attempt=attempt, name__startswith=f"staff:{action}").count()
        Step.objects.create(
            attempt=attempt,
            name=f"staff:{action}:{count + 1}",
            state=Step.State.DONE,
            result={"actor": decision.actor, "reason": decision.reason, **(more or {})},
            finished_at=Now(),
        )
