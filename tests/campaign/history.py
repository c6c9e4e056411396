"""What happened to the orders of one seed, in order: calls that were begun (invoke) and how they ended (ok, fail, or
info where nobody knows), beside what the outside systems did by their ledger."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from journal.models import RemoteCall
from provisioning.models import Attempt, InboxEvent, Outbox, Step
from provisioning.remote_orders import subject_of
from tests.campaign.shop import Shop

ENDS: dict[str, str] = {
    RemoteCall.State.DONE: "ok",
    RemoteCall.State.FAILED: "fail",
    RemoteCall.State.UNKNOWN: "info",
    RemoteCall.State.INTENT: "info",
}
Line = tuple[datetime, str]


def of(shop: Shop, orders: Sequence[str]) -> list[str]:
    """One line per event, the oldest first; times are UTC."""
    lines = [*_outside(shop), *_calls(orders), *_attempts(orders), *_steps(orders)]
    return [f"{at:%H:%M:%S.%f} {text}" for at, text in sorted(lines)]


def _outside(shop: Shop) -> Iterator[Line]:
    for row in shop.buttons.ledger(after=shop.placed_at):
        yield datetime.fromisoformat(row["at"]), f"  {row['system']} {row['operation']} {row['key'] or ''}"


def _calls(orders: Sequence[str]) -> Iterator[Line]:
    for call in RemoteCall.objects.filter(subject__in=[subject_of(each) for each in orders]):
        yield call.created_at, f"invoke {call.operation} {call.subject}"
        yield (call.finished_at or call.deadline_at), f"{ENDS[call.state]} {call.operation} {call.error_code}"


def _attempts(orders: Sequence[str]) -> Iterator[Line]:
    for event in InboxEvent.objects.filter(order_id__in=orders):
        yield event.received_at, f"event {event.idem_key} {event.state}"
    for attempt in Attempt.objects.filter(order_id__in=orders):
        yield attempt.created_at, f"attempt {attempt.pk} of {attempt.order_id}"
        if attempt.finished_at:
            yield attempt.finished_at, f"attempt {attempt.pk} {attempt.state} {attempt.error_text}"
    for report in Outbox.objects.filter(order_id__in=orders):
        yield (report.sent_at or report.next_try_at), f"report {report.kind} {report.state}, tried {report.tries} times"


def _steps(orders: Sequence[str]) -> Iterator[Line]:
    for step in Step.objects.filter(attempt__order_id__in=orders):
        yield step.started_at, f"step {step.name}"
        if step.finished_at:
            yield step.finished_at, f"step {step.name} {step.state} {step.result}"
