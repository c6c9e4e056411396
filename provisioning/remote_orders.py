"""The WHMCS orders that carry an order's mark: finding them, choosing the one that counts, cancelling the others."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog
from django.conf import settings

from integrations import gateway
from integrations.errors import Rejected, UnknownOutcome
from integrations.whmcs.schemas import Service
from journal import facts
from provisioning import whmcs_products
from provisioning.failures import Code, Failure

log = structlog.get_logger(__name__)
KIND = "whmcs_order"
DEAD = frozenset({"Cancelled", "Terminated", "Fraud"})
WORKING = frozenset({"Active", "Suspended"})
NOTE_MARK = re.compile(r"(?:^|\s)sfOrderId=([A-Za-z0-9]{18})(?=\s|$)")  # exactly 18: an id is the beginning of none


def subject_of(order_id: str) -> str:
    """The journal's name for a Salesforce order."""
    return f"order:{order_id}"


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


def is_done(service: Service) -> bool:
    """Whether the service works as ordered; a suspended one was provisioned."""
    return service.status in WORKING or (service.billing_cycle == "onetime" and service.status == "Completed")


def look_up(order_id: str, client_id: int) -> Found | None:
    """The WHMCS order that counts for this Salesforce order; None when there never was one.

    Of several the working one counts, else the lowest id; the other pending ones are cancelled. Ids that the journal
    remembers count with or without a mark. One read (two with WHMCS_MARK_CARRIER=notes) unless there are several.
    Raises Failure: duplicate_active, cancelled_in_whmcs.
    """
    known = facts.recall(subject_of(order_id), KIND)
    candidates = _candidates(order_id, client_id, int(known.remote_id) if known else None)
    live = [each for each in candidates if each.live]
    if not live and (candidates or known):
        gone = candidates[0].order_id if candidates else known.remote_id if known else ""
        raise Failure(Code.CANCELLED_IN_WHMCS, f"WHMCS order {gone}")
    return _winner(order_id, live) if live else None


def read(client_id: int, whmcs_order_id: int) -> Found:
    """One WHMCS order's services as they are now. One read."""
    services = gateway.whmcs().services(client_id)
    return Found(whmcs_order_id, tuple(each for each in services if each.order_id == whmcs_order_id))


def activate_without_module(found: Found) -> Found:
    """Sets pending services whose product has no module to Active, since nothing else will. Repeatable."""
    return replace(found, services=tuple(_activated(each) for each in found.services))


def cancel(order_id: str, found: Found) -> None:
    """Cancels a pending WHMCS order and its pending services, and reads back that it is cancelled.

    The order counts no longer for `order_id`. Raises Failure when it is not cancelled afterwards.
    """
    whmcs = gateway.whmcs()
    try:
        whmcs.cancel_order(found.order_id)
    except (Rejected, UnknownOutcome) as error:  # cancelled already, or the answer is lost: reading it decides
        log.info("cancel_unclear", system="whmcs", operation="CancelOrder", code=error.code)
    for service in read_again(found):
        if service.status == "Pending":
            whmcs.set_service_status(service.id, "Cancelled")
    after = whmcs.order(found.order_id)
    if after is None or after.status != "Cancelled":
        raise Failure(Code.WHMCS_ERROR, f"WHMCS order {found.order_id} could not be cancelled")
    facts.forget(subject_of(order_id), KIND, str(found.order_id))
    log.warning("remote_order_cancelled", order_id=order_id, system="whmcs", kind=str(found.order_id))


def read_again(found: Found) -> tuple[Service, ...]:
    """The services of an order found before, as they are now."""
    return read(found.services[0].client_id, found.order_id).services if found.services else ()


def _candidates(order_id: str, client_id: int, known: int | None) -> list[Found]:
    services = gateway.whmcs().services(client_id)
    is_ours = _by_mark(order_id, client_id)
    gone = facts.forgotten(subject_of(order_id), KIND)
    ids = {each.order_id for each in services if each.order_id == known or is_ours(each)}
    return [
        Found(whmcs_id, tuple(each for each in services if each.order_id == whmcs_id))
        for whmcs_id in sorted(ids)
        if str(whmcs_id) not in gone
    ]


def _by_mark(order_id: str, client_id: int) -> Callable[[Service], bool]:
    noted = _noted(order_id, client_id) if settings.WHMCS_MARK_CARRIER == "notes" else frozenset[int]()
    name = settings.WHMCS_MARK_FIELD_NAME
    return lambda service: service.custom_fields.get(name, "").strip() == order_id or service.order_id in noted


def _noted(order_id: str, client_id: int) -> frozenset[int]:
    orders = gateway.whmcs().orders(client_id)
    return frozenset(each.id for each in orders if order_id in NOTE_MARK.findall(each.notes))


def _winner(order_id: str, live: Sequence[Found]) -> Found:
    working = [each for each in live if each.working]
    if len(working) > 1:
        ids = ", ".join(str(each.order_id) for each in working)
        raise Failure(Code.DUPLICATE_ACTIVE, f"WHMCS orders {ids}")
    winner = working[0] if working else live[0]
    for other in live:
        if other is not winner:
            _cancel_loser(order_id, other)
    return winner


def _cancel_loser(order_id: str, loser: Found) -> None:
    order = gateway.whmcs().order(loser.order_id)
    if order is not None and order.status != "Pending":
        raise Failure(Code.DUPLICATE_ACTIVE, f"WHMCS order {loser.order_id} is {order.status}")
    cancel(order_id, loser)


def _activated(service: Service) -> Service:
    if service.status != "Pending" or whmcs_products.has_module(service.pid):
        return service
    gateway.whmcs().set_service_status(service.id, "Active")
    return replace(service, status="Active")
