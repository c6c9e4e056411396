"""Attempts whose outcome is unknown: a look at what exists decides, once nothing can still be executing there."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from integrations import gateway
from integrations.salesforce.schemas import ProvisionableOrder
from journal import calls
from journal.commits import commit, lasting
from journal.models import RemoteCall
from provisioning import esim, guard, mapping, ordering, outcome, remote_orders
from provisioning.attempts import IllegalMove
from provisioning.esim import Piece
from provisioning.explanations import NOTHING_THERE, THERE_NOT_ACTIVE
from provisioning.failures import Code, Failure
from provisioning.mapping import Line
from provisioning.models import Attempt
from provisioning.outcome import Whose
from provisioning.remote_orders import Found, subject_of

log = structlog.get_logger(__name__)


def resolve(attempt: Attempt) -> bool:
    """Looks at what is there and ends an UNKNOWN attempt by it; False while a call or ticket may still bring something.

    Repeatable; two at the same time end it once. Raises the errors of the outside systems, and then nothing changed.
    """
    ticket = esim.ticket_of(attempt)
    if ticket is not None and ticket.is_open:
        return False
    opened = open_now(attempt.order_id)
    order = gateway.salesforce().order_for_provisioning(attempt.order_id)
    whose = Whose(attempt.pk, None, order)
    try:
        if order is None:
            raise Failure(Code.OUTCOME_UNKNOWN, "Salesforce has no such order any more")
        client_id, lines, pieces = _looked_for(order)
        found = _what_is_there(attempt, client_id)
        if not conclude(opened, found):
            return False
        if found is None or not found.done:
            esim.refuse_failed(ticket)
            raise Failure(Code.OUTCOME_UNKNOWN, _in_words(found) + esim.in_words(order.id))
        if not mapping.holds_all(lines, [service.pid for service in found.services]):
            raise Failure(Code.SERVICE_NOT_ACTIVE, f"WHMCS order {found.order_id}: services are missing")
        iccid = esim.iccid_of(pieces, beside=found.order_id)
    except Failure as failure:
        if still_quarantined(attempt.order_id):
            return False
        return _once(partial(outcome.failed, whose, failure))
    return _once(partial(outcome.provisioned, whose, outcome.delivered(lines, found, iccid=iccid)))


def _looked_for(order: ProvisionableOrder) -> tuple[int, Sequence[Line], Sequence[Piece]]:
    """Whose services are looked for, and which. What keeps us from looking says nothing about what was sent."""
    try:
        return guard.client_of(order), mapping.lines_of(order), esim.pieces_of(order)
    except Failure as failure:
        raise Failure(Code.OUTCOME_UNKNOWN, f"could not look again: {failure}") from failure


def open_now(order_id: str) -> dict[RemoteCall, bool]:
    """The order's open calls, and of each whether nothing of it can still be executing there.

    To be asked before looking: a look says nothing about what is sent after it began.
    """
    now = calls.database_clock()
    return {call: call.quarantine_until <= now for call in calls.open_calls(subject_of(order_id))}


def still_quarantined(order_id: str) -> list[RemoteCall]:
    """The order's calls that may still be executing there."""
    return [call for call, is_over in open_now(order_id).items() if not is_over]


def _what_is_there(attempt: Attempt, client_id: int) -> Found | None:
    found = remote_orders.look_up(attempt.order_id, client_id)
    if found is None:
        return None
    _keep(attempt, found)
    accepted = ordering.accepted_status(found.order_id) is not None
    return remote_orders.activate_without_module(found) if accepted else found


@lasting
def _keep(attempt: Attempt, found: Found) -> None:
    """Writes down which WHMCS order it is, unless the attempt ended meanwhile: what came after it knows better."""
    with commit("order.keep"):
        if Attempt.objects.select_for_update().filter(pk=attempt.pk, state=Attempt.State.UNKNOWN).exists():
            remote_orders.keep(attempt.order_id, found.order_id)


def conclude(opened: Mapping[RemoteCall, bool], found: Found | None) -> bool:
    """Closes every one of these calls (`open_now`) that a look-up settles, which found this; whether none is left open.

    Repeatable.
    """
    settled = True
    for call, is_over in opened.items():
        exists = EVIDENCE[call.operation.partition(":")[0]](call, found)
        if exists or is_over:
            calls.conclude(call, exists=exists)
        else:
            settled = False
    return settled


def _was_added(_call: RemoteCall, found: Found | None) -> bool:
    return found is not None


def _was_accepted(_call: RemoteCall, found: Found | None) -> bool:
    return found is not None and found.done


def _was_created(call: RemoteCall, found: Found | None) -> bool:
    service_id = call.operation.partition(":")[2]
    services = found.services if found else ()
    return any(str(each.id) == service_id and each.status != "Pending" for each in services)


def _was_activated(call: RemoteCall, _found: Found | None) -> bool:
    return esim.came_to_be(call)


EVIDENCE: Mapping[str, Callable[[RemoteCall, Found | None], bool]] = {
    ordering.ADD: _was_added,
    ordering.ACCEPT: _was_accepted,
    ordering.CREATE: _was_created,
    esim.ACTIVATE: _was_activated,
}


def _in_words(found: Found | None) -> str:
    if found is None:
        return NOTHING_THERE
    return f"{THERE_NOT_ACTIVE} {found.order_id} is there but not active"


def _once(write: Callable[[], None]) -> bool:
    try:
        write()
    except IllegalMove:
        log.info("resolved_by_another")
    return True
