"""Cleaning up in WHMCS (decisions.md 24): what a cancelled order left there, and what a late call made twice.

Pending goes by itself, with its services and its unpaid invoice. What works, was paid or is an eSIM line is a task for
a person. Looks are rare: they are noted by provisioning.inspections, and each costs one read in either system.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Q

from integrations import gateway
from integrations.errors import OutsideError, Unavailable
from integrations.salesforce.schemas import ProvisionableOrder
from journal import facts
from journal.calls import database_clock
from journal.commits import commit
from journal.models import RemoteCall, RemoteFact
from orders.models import RefreshCursor
from provisioning import attention, esim, guard, inspections, remote_orders, resolving, tasks
from provisioning.attempts import live_attempt, lock_order
from provisioning.failures import Code, Failure
from provisioning.models import Attempt, Inspection, Task
from provisioning.remote_orders import KIND, Accepted, Charged, Found, subject_of
from provisioning.steps import INTERRUPTIONS

log = structlog.get_logger(__name__)
Reason, Kind = Inspection.Reason, Task.Kind
CURSOR = "provisioning.cancelled"
OVERLAP = timedelta(seconds=60)  # rows commit later than their SystemModstamp says
MOST_LOOKS = 20  # in one round
OF_CANCELLED = (Kind.LIVE_SERVICE, Kind.PAID_INVOICE, Kind.LIVE_ESIM)


class Busy(Exception):
    """An attempt of the order is under way, or a call may still be executing: what would be seen proves nothing."""


def clean_up() -> dict[str, int]:
    """One round; returns what was done (action -> count). Repeatable, safe in several processes.

    Looks end with the first that finds a system away. Raises the errors of the Salesforce client's one query.
    """
    done = Counter({"asked": attention.ask_people(), "late_calls_noted": inspections.note_late()})
    done["cancellations_seen"] = note_cancellations()
    for inspection in inspections.due(MOST_LOOKS):
        before = len(facts.forgotten(subject_of(inspection.order_id), KIND))
        result = _look(inspection)
        done[result] += 1
        done["orders_cancelled"] += len(facts.forgotten(subject_of(inspection.order_id), KIND)) - before
        if result == "away":
            break
    return dict(done)


def note_cancellations() -> int:
    """Reads which orders were cancelled since the last round, in one query, and notes those that were tried here."""
    first = Attempt.objects.order_by("created_at").values_list("created_at", flat=True).first()
    if first is None:
        return 0
    cursor, _made = RefreshCursor.objects.get_or_create(name=CURSOR, defaults={"modstamp": first})
    cancelled = gateway.salesforce().cancelled_orders(since=cursor.modstamp - OVERLAP)
    count = inspections.note_cancelled(cancelled)
    newest = max((order.modstamp for order in cancelled), default=cursor.modstamp)
    with commit("cleaning.cursor"):
        RefreshCursor.objects.filter(name=CURSOR, modstamp__lt=newest).update(modstamp=newest)
    return count


def _look(inspection: Inspection) -> str:
    """Deals with one; one that cannot be dealt with does not keep the others from it. Returns the action's name."""
    try:
        return _inspect(inspection)
    except INTERRUPTIONS:
        raise
    except Busy as busy:
        inspections.put_off(inspection, finding=str(busy), seconds=settings.SWEEP_S)
        return "busy"
    except Unavailable as error:
        inspections.put_off(inspection, finding=str(error), seconds=inspections.wait_s(0))
        log.warning("inspection_put_off", order_id=inspection.order_id, code=error.code)
        return "away"
    except (Failure, OutsideError) as error:
        inspections.undecided(inspection, finding=str(error))
        log.warning("inspection_undecided", order_id=inspection.order_id, code=error.code)
        return "undecided"
    except Exception as error:
        inspections.undecided(inspection, finding=type(error).__name__)
        log.exception("inspection_left", order_id=inspection.order_id)
        return "undecided"


def _inspect(inspection: Inspection) -> str:
    order_id = inspection.order_id
    opened = resolving.open_now(order_id)
    _require_quiet(order_id)
    order = gateway.salesforce().order_for_provisioning(order_id)
    if order is None:
        inspections.looked(inspection, finding="Salesforce has no such order any more", again_at=None)
        return "looked"
    is_cancelled = order.status == "Cancelled"
    left = _clear(order, opened) if is_cancelled else _leave_one(order, opened)
    inspections.looked(inspection, finding=left or "in order", again_at=_again_at(inspection, left))
    return "left_to_a_person" if left else "looked"


def _again_at(inspection: Inspection, left: str) -> datetime | None:
    if left:
        return database_clock() + timedelta(seconds=inspections.wait_s(inspection.looks))
    return inspections.next_look(inspection) if inspection.reason == Reason.LATE else None


def _require_quiet(order_id: str) -> None:
    if live_attempt(order_id) is not None:
        raise Busy("an attempt is under way")
    if resolving.still_quarantined(order_id):
        raise Busy("a request may still be executing")


def _leave_one(order: ProvisionableOrder, opened: Mapping[RemoteCall, bool]) -> str:
    """Of an order that stands, one WHMCS order stays. Returns what is left for a person, in words."""
    tasks.settle_order(order.id, *OF_CANCELLED, reason="the order is not cancelled any more")
    found = None
    try:
        found = remote_orders.look_up(
            order.id, guard.client_of(order), hold=lambda: _require_quiet(order.id), to_the_end=True
        )
    except Failure as failure:
        if failure.code == Code.DUPLICATE_ACTIVE:
            return _several(order.id, failure.cause)
        if failure.code != Code.CANCELLED_IN_WHMCS:
            raise
    if found is not None:
        _keep(order.id, found)
    resolving.conclude(opened, found)
    tasks.settle_order(order.id, Kind.DUPLICATE_ACTIVE, reason="one WHMCS order is left")
    return ""


def _keep(order_id: str, found: Found) -> None:
    """Writes down which WHMCS order it is. Raises Busy when an attempt has begun meanwhile: it knows better."""
    with commit("order.keep"):
        lock_order(order_id)
        _require_quiet(order_id)
        remote_orders.keep(order_id, found.order_id)


def _several(order_id: str, cause: str) -> str:
    if tasks.dealt_with(f"duplicate:{order_id}"):
        return ""
    with commit("cleaning.duplicates"):
        tasks.raise_task(
            Kind.DUPLICATE_ACTIVE, cause=f"duplicate:{order_id}", order_id=order_id, facts={"cause": cause}, again=True
        )
    return cause


def _clear(order: ProvisionableOrder, opened: Mapping[RemoteCall, bool]) -> str:
    """Of a cancelled order nothing stays but what a person must decide. Returns that, in words."""
    candidates = remote_orders.candidates_of(order.id, guard.client_of(order))
    left = [_clear_one(order.id, found) for found in candidates]
    resolving.conclude(opened, next((each for each in candidates if each.live), None))
    left += [_clear_line(order.id, line.kind, line.remote_id) for line in _lines(order.id)]
    left = [words for words in left if words]
    if not left:
        tasks.settle_order(order.id, *OF_CANCELLED, Kind.DUPLICATE_ACTIVE, reason="nothing of the order is left")
    return "; ".join(left)


def _lines(order_id: str) -> list[RemoteFact]:
    lines = RemoteFact.objects.filter(subject=subject_of(order_id), state=RemoteFact.State.LIVE)
    return list(lines.filter(Q(kind=esim.KIND) | Q(kind__startswith=f"{esim.KIND}:")).order_by("id"))


def _clear_line(order_id: str, kind: str, line_ref: str) -> str:
    """An eSIM line is never ended by the portal; one that somebody ended at the provider counts no longer."""
    line = gateway.esim().line(line_ref)
    if line is None or line.status != "terminated":  # one that is not there yet may be on its way
        return _ask(Kind.LIVE_ESIM, order_id, line_ref, {"esim": line_ref})
    facts.forget(subject_of(order_id), kind, line_ref)
    tasks.settle(about=f"{Kind.LIVE_ESIM}:{order_id}:{line_ref}", reason="the line was ended at the provider")
    return ""


def _clear_one(order_id: str, found: Found) -> str:
    """Cancels one WHMCS order, or asks a person to; returns what is left of it, in words."""
    number = str(found.order_id)
    if not found.live and number in facts.forgotten(subject_of(order_id), KIND):
        return ""  # it was cancelled to the end: services go last
    services = ", ".join(f"service {each.id} is {each.status}" for each in found.services)
    try:
        if found.working:
            raise Accepted(Code.ORDER_NOT_APPROVED, services)
        remote_orders.cancel(order_id, found, otherwise=Code.ORDER_NOT_APPROVED, hold=lambda: _require_quiet(order_id))
    except Charged as charged:
        return _ask(Kind.PAID_INVOICE, order_id, number, {"cause": charged.cause, "whmcs_order": number})
    except Accepted:
        if not found.live:  # a person terminated what it held
            return ""
        return _ask(Kind.LIVE_SERVICE, order_id, number, {"services": services, "whmcs_order": number})
    for kind in (Kind.LIVE_SERVICE, Kind.PAID_INVOICE):
        tasks.settle(about=f"{kind}:{order_id}:{number}", reason="its WHMCS order is cancelled")
    return ""


def _ask(kind: Task.Kind, order_id: str, what: str, words: dict[str, str]) -> str:
    """A task for a person; says what is left, and nothing once somebody closed it."""
    about = f"{kind}:{order_id}:{what}"
    if tasks.dealt_with(about):
        return ""
    with commit("cleaning.task"):
        tasks.raise_task(kind, cause=about, order_id=order_id, facts=words, again=True)
    return f"{kind} {what}"
