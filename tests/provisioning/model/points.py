"""What may go wrong in one run of a job, and where: at the failpoints on its way, and in its calls."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.provisioning.model.wire import ACTIONS, WRITES

GUARD, PAY, LOOK_UP, ORDER = "salesforce.order_for_provisioning", "whmcs.pay_methods", "whmcs.services", "whmcs.order"
ADD, ACCEPT, REPORT = "whmcs.add_order", "whmcs.accept_order", "salesforce.report_outcome"
CATALOGUE, ACTIVATING, CANCELLED = "whmcs.catalogue", "salesforce.activating_orders", "salesforce.cancelled_orders"
ACTIVATE, PROVIDER = "esim.activate", ("esim.line", "esim.tickets", "esim.ticket")
CREATES = (ADD, ACCEPT, ACTIVATE)
CANCELLING = ("whmcs.invoice", "whmcs.cancel_invoice", "whmcs.cancel_order", "whmcs.set_service_status")
JOURNAL = ("call.intent", "call.close", "call.unknown", "call.interrupted", "fact.replace", "fact.forget")
ENDING = ("attempt.end", "attempt.move", "outcome.failed", "outcome.provisioned", "outcome.unknown")
REPORTING = ("outbox.lease", "outbox.close")
CALLS: Mapping[str, tuple[str, ...]] = {
    "subscriber": (),
    "worker": (GUARD, PAY, CATALOGUE, LOOK_UP, ADD, ADD, ADD, ORDER, ACCEPT, ACCEPT, *CANCELLING, REPORT),
    "esim": (GUARD, PAY, LOOK_UP, ADD, ORDER, ACCEPT, REPORT, *PROVIDER, *[ACTIVATE] * 3),
    "sweep": (GUARD, LOOK_UP, ORDER, REPORT, *PROVIDER, *CANCELLING),
    "clean-up": (CANCELLED, GUARD, LOOK_UP, ORDER, "esim.line", *CANCELLING),
    "reconcile": (ACTIVATING,),
    "staff": (GUARD, LOOK_UP, ORDER, REPORT, *PROVIDER),
    "drain": (REPORT,),
}
COMMITS: Mapping[str, tuple[str, ...]] = {
    "subscriber": ("intake.store", "queue.wake"),
    "worker": (
        *("attempt.claim", "attempt.lease", "step.begin", "step.finish", "outcome.begun", "order.keep"),
        *("pause.count", "pause.reachable", "inspection.left"),
        *JOURNAL,
        *ENDING,
        *REPORTING,
    ),
    "esim": (
        *("attempt.claim", "attempt.lease", "step.begin", "step.finish", "outcome.waiting", "outcome.waiting"),
        *("esim.keep", "esim.drop", "call.fell_through", "fact.remember"),
        *JOURNAL,
        *ENDING,
    ),
    "sweep": (
        *("sweep.interrupted", "sweep.look_later", "sweep.woken", "sweep.check_later", "queue.wake"),
        *("call.interrupted", "call.close", "fact.replace", "fact.forget", "inspection.left"),
        *ENDING,
        *REPORTING,
    ),
    "drain": REPORTING,
    "clean-up": (
        *("attention.ask", "inspection.late", "inspection.cancelled", "inspection.write", "task.close"),
        *("cleaning.cursor", "cleaning.task", "cleaning.duplicates", "call.close", "fact.forget", "fact.replace"),
    ),
    "reconcile": ("reconcile.order", "outcome.lost", "queue.wake"),
    "staff": ("staff.decision", "staff.mark_failed", "call.close", *ENDING, *REPORTING),
}


def point_of(call: str) -> str:
    system, _, operation = call.partition(".")
    return f"{system}.{ACTIONS.get(operation, operation)}"


def points(job: str) -> list[str]:
    """Before and after each call and commit on the way of a job."""
    return [f"{name}:{side}" for name in (*map(point_of, CALLS[job]), *COMMITS[job]) for side in ("before", "after")]


NTH = st.sampled_from([1, 1, 1, 1, 2, 3])


@dataclass(frozen=True)
class Mishap:
    """`dies` or `stands` at the nth passing of a point; or `refused`, `lost`, `dropped`, `late` at the nth call."""

    kind: str
    at: str
    nth: int = 1


def kinds(call: str) -> list[str]:
    rejected = ["rejected", "rejected"] if call == ACTIVATE else []
    return ["refused", "lost", *rejected, *(["dropped", "late"] if call.partition(".")[2] in WRITES else [])]


def mishaps(job: str) -> st.SearchStrategy[list[Mishap]]:
    """One, two or none in one run of a job; around the calls that make something more often than elsewhere."""
    often = [f"{point_of(each)}:{side}" for each in CALLS[job] if each in CREATES for side in ("before", "after")] * 3
    each_once = [(kind, at) for kind in ("dies", "stands") for at in (*points(job), *often)]
    in_calls = [(kind, call) for call in CALLS[job] for kind in kinds(call)] * 2
    one = st.builds(lambda which, nth: Mishap(which[0], which[1], nth), st.sampled_from(each_once + in_calls), NTH)
    return st.lists(one, min_size=job in {"worker", "esim"}, max_size=2)
