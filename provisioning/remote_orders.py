"""The WHMCS orders that carry an order's mark: finding them, choosing the one that counts, cancelling the others."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog
from django.conf import settings

from integrations import gateway
from integrations.errors import OutsideError, Rejected, UnknownOutcome
from integrations.whmcs.schemas import Service
from journal import facts
from provisioning import duplicates, whmcs_products
from provisioning.failures import Code, Failure

log = structlog.get_logger(__name__)
Hold = Callable[[], None]  # run before each write there; raises when the caller has lost the right to it
KIND = "whmcs_order"
DEAD = frozenset({"Cancelled", "Terminated", "Fraud"})
CANCELLABLE = frozenset({"Pending", "Cancelled", "Fraud"})  # of an order: nobody accepted it
WORKING = frozenset({"Active", "Suspended"})
NOTE_MARK = re.compile(r"(?:^|\s)sfOrderId=([A-Za-z0-9]{18})(?=\s|$)")  # exactly 18: an id is the beginning of none


def subject_of(order_id: str) -> str:
    """The journal's name for a Salesforce order."""
    return f"order:{order_id}"


class Accepted(Failure):
    """It was not cancelled: WHMCS has accepted the order."""


class Charged(Failure):
    """It was not cancelled: money was taken for it, or is about to be."""


@dataclass(frozen=True)
class Found:
    """One WHMCS order of ours with its services as last read; none yet for one that was just made."""

    order_id: int
    services: tuple[Service, ...] = ()

    @property
    def live(self) -> bool:
        return any(service.status not in DEAD for service in self.services)

    @property
    def active(self) -> bool:
        """Somebody may be using it: it is never cancelled by itself."""
        return any(service.status in WORKING for service in self.services)

    @property
    def working(self) -> bool:
        """Something of it was set up, if only a one-time service."""
        return self.active or any(service.status == "Completed" for service in self.services)

    @property
    def done(self) -> bool:
        """Every recurring service is Active, every one-time one Active or Completed (decisions.md 23)."""
        return bool(self.services) and all(is_done(service) for service in self.services)


Drop = Callable[[Found], None]  # cancels what counts no longer


def is_done(service: Service) -> bool:
    """Whether the service works as ordered; a suspended one was provisioned."""
    return service.status in WORKING or (service.billing_cycle == "onetime" and service.status == "Completed")


def freely() -> None:
    """The Hold of those who need no right to write: sweep and staff, whose writes may be repeated."""


def look_up(order_id: str, client_id: int, *, hold: Hold = freely, to_the_end: bool = False) -> Found | None:
    """The WHMCS order that counts for this Salesforce order; None when there never was one.

    Of several the working one counts, else the lowest id; the other pending ones are cancelled, and so are those whose
    cancelling a crash left half done. Ids that the journal remembers count with or without a mark. One read (two with
    WHMCS_MARK_CARRIER=notes) unless there are several. Raises Failure: duplicate_active, cancelled_in_whmcs.

    While one works, another that cannot be cancelled now keeps nobody from it: it is left to the clean-up, which alone
    asks to go `to_the_end`. Otherwise that raises Failure(whmcs_error) or what the WHMCS client raises.
    """
    known = facts.recall(subject_of(order_id), KIND)
    marked = candidates_of(order_id, client_id)
    one_works = any(each.working for each in marked)
    drop = partial(_drop_or_leave if one_works and not to_the_end else _drop, order_id, hold)
    candidates = _still_counting(order_id, marked, drop)
    live = [each for each in candidates if each.live]
    if not live and (candidates or known):
        gone = candidates[0].order_id if candidates else known.remote_id if known else ""
        raise Failure(Code.CANCELLED_IN_WHMCS, f"WHMCS order {gone}")
    return _winner(live, drop) if live else None


def candidates_of(order_id: str, client_id: int) -> list[Found]:
    """Every WHMCS order of this Salesforce order, live or not, the lowest id first: by its mark, or by the journal.

    One read, two with WHMCS_MARK_CARRIER=notes.
    """
    known = facts.recall(subject_of(order_id), KIND)
    services = gateway.whmcs().services(client_id)
    is_ours = _by_mark(order_id, client_id)
    ids = {each.order_id for each in services if is_ours(each) or (known and str(each.order_id) == known.remote_id)}
    return [Found(whmcs_id, tuple(each for each in services if each.order_id == whmcs_id)) for whmcs_id in sorted(ids)]


def keep(order_id: str, whmcs_order_id: int, *, fingerprint: str = "") -> None:
    """Writes down which WHMCS order it is from now on. Repeatable. Raises Failure(mark_conflict): it is another's."""
    try:
        facts.replace(subject_of(order_id), KIND, str(whmcs_order_id), fingerprint=fingerprint)
    except facts.FactConflict as conflict:
        raise Failure(Code.MARK_CONFLICT, str(conflict)) from conflict


def read(client_id: int, whmcs_order_id: int) -> Found:
    """One WHMCS order's services as they are now. One read."""
    services = gateway.whmcs().services(client_id)
    return Found(whmcs_order_id, tuple(each for each in services if each.order_id == whmcs_order_id))


def activate_without_module(found: Found, *, hold: Hold = freely) -> Found:
    """Sets pending services whose product has no module to Active, since nothing else will. Repeatable.

    One read before it sets any: a product may have got a module since it was last asked for, which then must be run.
    """
    pending = {each.pid for each in found.services if each.status == "Pending"}
    candidates = {pid for pid in pending if not whmcs_products.has_module(pid)}
    if not candidates:
        return found
    hold()
    bare = whmcs_products.without_module_now(candidates)
    return replace(found, services=tuple(_activated(each, bare, hold) for each in found.services))


def cancel(order_id: str, found: Found, *, otherwise: Code, hold: Hold = freely) -> None:
    """Cancels a pending WHMCS order with its services and its unpaid invoice, each read back (decisions.md 24).

    From here on the order counts no longer for `order_id`; a look-up finishes what a crash leaves half done. Raises
    Accepted or Charged(`otherwise`), and nothing was done, when the order was accepted or money was taken for it:
    those are for a person. Raises Failure(whmcs_error) when something of it is not cancelled afterwards.
    """
    order = gateway.whmcs().order(found.order_id)
    if order is not None and order.status not in CANCELLABLE:
        raise Accepted(otherwise, f"WHMCS order {found.order_id} is {order.status}")
    invoice_id = order.invoice_id if order else None
    _refuse_charged(invoice_id, otherwise)
    facts.forget(subject_of(order_id), KIND, str(found.order_id))
    # Services last: an order without live ones is not looked at again, and what is still to be done would stay undone.
    _cancel_invoice(invoice_id, hold)
    if order is not None and order.status == "Pending":
        hold()
        _cancel_order(found.order_id)
    _cancel_services(found, hold)
    log.warning("remote_order_cancelled", order_id=order_id, system="whmcs", reason=f"WHMCS order {found.order_id}")


def give_up(order_id: str, whmcs_order_id: int) -> None:
    """A WHMCS order that was cancelled by hand counts no longer for `order_id`; its unpaid invoice is cancelled.

    Repeatable. Raises Failure(cancelled_in_whmcs), and nothing was done, when money was taken for it or somebody has
    put it back.
    """
    order = gateway.whmcs().order(whmcs_order_id)
    if order is not None and order.status not in DEAD and read(order.client_id, whmcs_order_id).live:
        raise Failure(Code.CANCELLED_IN_WHMCS, f"WHMCS order {whmcs_order_id} is not cancelled any more")
    invoice_id = order.invoice_id if order else None
    _refuse_charged(invoice_id, Code.CANCELLED_IN_WHMCS)
    facts.forget(subject_of(order_id), KIND, str(whmcs_order_id))
    _cancel_invoice(invoice_id, freely)


def _cancel_invoice(invoice_id: int | None, hold: Hold) -> None:
    """Sees to it that nobody is charged by it, and reads it back."""
    whmcs = gateway.whmcs()
    invoice = whmcs.invoice(invoice_id) if invoice_id else None
    if invoice is None or invoice.settled:
        return
    hold()
    whmcs.cancel_invoice(invoice.id)
    after = whmcs.invoice(invoice.id)
    if after is not None and not after.settled:
        raise Failure(Code.WHMCS_ERROR, f"invoice {invoice.id} could not be cancelled")


def _refuse_charged(invoice_id: int | None, otherwise: Code) -> None:
    invoice = gateway.whmcs().invoice(invoice_id) if invoice_id else None
    if invoice is not None and invoice.charged:
        raise Charged(otherwise, f"invoice {invoice.id} is {invoice.status}, {invoice.balance} of {invoice.total} open")


def _cancel_order(whmcs_order_id: int) -> None:
    try:
        gateway.whmcs().cancel_order(whmcs_order_id)
    except (Rejected, UnknownOutcome) as error:  # cancelled already, or the answer is lost: reading it decides
        log.info("cancel_unclear", system="whmcs", operation="CancelOrder", code=error.code)
    order = gateway.whmcs().order(whmcs_order_id)
    if order is not None and order.status not in DEAD:
        raise Failure(Code.WHMCS_ERROR, f"WHMCS order {whmcs_order_id} could not be cancelled")


def _cancel_services(found: Found, hold: Hold) -> None:
    for service in _services_again(found):
        if service.status == "Pending":
            hold()
            gateway.whmcs().set_service_status(service.id, "Cancelled")
    alive = [str(service.id) for service in _services_again(found) if service.status not in DEAD]
    if alive:
        raise Failure(Code.WHMCS_ERROR, f"WHMCS order {found.order_id}: service {', '.join(alive)} is not cancelled")


def _services_again(found: Found) -> tuple[Service, ...]:
    return read(found.services[0].client_id, found.order_id).services if found.services else ()


def _drop(order_id: str, hold: Hold, other: Found) -> None:
    cancel(order_id, other, otherwise=Code.DUPLICATE_ACTIVE, hold=hold)


def _drop_or_leave(order_id: str, hold: Hold, other: Found) -> None:
    try:
        _drop(order_id, hold, other)
    except (Accepted, Charged):
        raise
    except (Failure, OutsideError) as error:
        duplicates.note_left(order_id)
        log.warning("second_order_left", order_id=order_id, system="whmcs", code=error.code)


def _still_counting(order_id: str, candidates: Sequence[Found], drop: Drop) -> list[Found]:
    """Without those that were given up, which are cancelled now if they are not yet; one that works counts again."""
    gone = facts.forgotten(subject_of(order_id), KIND)
    given_up = [each for each in candidates if str(each.order_id) in gone and not each.working]
    for each in given_up:
        if each.live:
            drop(each)
    return [each for each in candidates if each not in given_up]


def _by_mark(order_id: str, client_id: int) -> Callable[[Service], bool]:
    noted = _noted(order_id, client_id) if settings.WHMCS_MARK_CARRIER == "notes" else frozenset[int]()
    name = settings.WHMCS_MARK_FIELD_NAME
    return lambda service: service.custom_fields.get(name, "").strip() == order_id or service.order_id in noted


def _noted(order_id: str, client_id: int) -> frozenset[int]:
    orders = gateway.whmcs().orders(client_id)
    return frozenset(each.id for each in orders if order_id in NOTE_MARK.findall(each.notes))


def _winner(live: Sequence[Found], drop: Drop) -> Found:
    working = [each for each in live if each.working]
    if len(working) > 1:
        ids = ", ".join(str(each.order_id) for each in working)
        raise Failure(Code.DUPLICATE_ACTIVE, f"WHMCS orders {ids}")
    winner = working[0] if working else live[0]
    for other in live:
        if other is not winner:
            drop(other)
    return winner


def _activated(service: Service, bare: Collection[int], hold: Hold) -> Service:
    if service.status != "Pending" or service.pid not in bare:
        return service
    hold()
    gateway.whmcs().set_service_status(service.id, "Active")
    return replace(service, status="Active")
