"""AddOrder, AcceptOrder, read back: what makes the service, each sent at most once per attempt (reliability.md §2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings

from integrations import gateway
from integrations.errors import Rejected
from journal import facts
from journal.calls import carried_out, interrupted, last_call, once, open_calls, refuse_while_open
from journal.commits import commit, lasting
from provisioning import mapping, remote_orders, whmcs_products
from provisioning.claims import Claim
from provisioning.failures import Code, Failure
from provisioning.mapping import Line
from provisioning.models import Attempt
from provisioning.remote_orders import KIND, Found, subject_of
from provisioning.steps import step

ADD, ACCEPT, CREATE = "whmcs.AddOrder", "whmcs.AcceptOrder", "whmcs.ModuleCreate"


@dataclass(frozen=True)
class Work:
    """What one attempt provisions, for whom."""

    claim: Claim
    order_id: str
    client_id: int
    lines: Sequence[Line]

    @property
    def subject(self) -> str:
        return subject_of(self.order_id)

    @property
    def fingerprint(self) -> str:
        return mapping.fingerprint(self.lines)

    def hold(self) -> None:
        """The lease outlasts one more short call. Raises Fenced when the attempt is not ours any more."""
        self.claim.renew(settings.READ_DEADLINE_S)

    @lasting
    def keep(self, found: Found, *, fingerprint: str = "") -> None:
        """Writes down which WHMCS order it is; a worker that lost its attempt must not touch what others wrote."""
        with commit("order.keep"):
            self.claim.write(whmcs_order_id=found.order_id)
            remote_orders.keep(self.order_id, found.order_id, fingerprint=fingerprint)


def owner_of(attempt_id: Any) -> str:
    """The journal's name for an attempt."""
    return f"attempt:{attempt_id}"


def leaves_something(attempt: Attempt) -> bool:
    """Whether WHMCS holds, or may come to hold, something that this attempt found or made, or that an earlier one
    delivered; nobody works on it any more.

    Then only a look at WHMCS may end it: what works must not be called a failure (reliability.md §0 no. 5). An eSIM
    alone is not yet a service: the next attempt adopts it.
    """
    owner = owner_of(attempt.pk)
    attempt.refresh_from_db(fields=["whmcs_order_id"])
    if interrupted(owner=owner) or carried_out(owner=owner, system="whmcs") or attempt.whmcs_order_id is not None:
        return True
    return was_delivered(attempt.order_id)


def was_delivered(order_id: str) -> bool:
    """Whether an attempt of the order has ended with working services, which a later one does not undo."""
    return Attempt.objects.filter(order_id=order_id, state=Attempt.State.PROVISIONED).exists()


def is_unanswered(attempt: Attempt) -> bool:
    """Whether a call that this attempt sent is still open: what it brings is not known yet."""
    return open_calls(subject_of(attempt.order_id)).filter(owner=owner_of(attempt.pk)).exists()


def place(work: Work, *, before_adding: Callable[[], None]) -> Found:
    """The WHMCS order of this Salesforce order: found by its mark, or made now.

    `before_adding` is run after a look-up that found nothing, and stops everything by raising. A pending order for
    other items is cancelled and made anew. Raises Failure, the journal's errors, and what the WHMCS client raises.
    """
    looking = _Looking(work)
    with step(work.claim, "whmcs_add", deadline_s=settings.ADD_ORDER_DEADLINE_S) as result:
        found = once(
            subject=work.subject,
            operation=ADD,
            owner=owner_of(work.claim.attempt.pk),
            deadline_s=settings.ADD_ORDER_DEADLINE_S,
            look_up=looking,
            call=partial(_add, work, looking),
            fence=partial(_fence, work.claim, before_adding),
            record=lambda each: {"whmcs_order": each.order_id},
            asked={"fingerprint": work.fingerprint},
        )
        work.keep(found, fingerprint="" if found.services else work.fingerprint)
        result.update(whmcs_order=found.order_id, adopted=bool(found.services))
        if looking.sent and found.services and not _holds_what_was_asked(work, found):
            raise Failure(Code.ORDER_INCOMPLETE, f"WHMCS order {found.order_id}")
    return found


def accept(work: Work, found: Found) -> str:
    """Has WHMCS set up what is still pending. Returns WHMCS' refusal in words, or an empty text.

    A refusal is judged by what the services then are (`confirm`): AcceptOrder says no to an accepted order, too. What
    was set up by halves, or accepted although a module failed, is finished service by service.
    """
    accepted = bool(found.services) and _is_accepted(work, found)
    begun = accepted or found.working
    try:
        for service in found.services:
            if begun and not remote_orders.is_done(service) and whmcs_products.has_module(service.pid):
                _create(work, found, service.id)
    except Rejected as error:
        return f"ModuleCreate: {error.text or error.code}"
    if accepted:
        return ""
    with step(work.claim, "whmcs_accept", deadline_s=settings.ACCEPT_ORDER_DEADLINE_S) as result:
        try:
            result["status"] = _accept(work, found.order_id, set_up=not begun)
        except Rejected as error:
            result["refusal"] = error.text or error.code
            return f"AcceptOrder: {error.text or error.code}"
    return ""


def confirm(work: Work, found: Found, refusal: str) -> Found:
    """Reads the services back: they are what Provisioned means. Raises Failure when one is not active.

    The same read shows whether a request of old was carried out late and made a second order, which is cancelled.
    """
    with step(work.claim, "read_back", deadline_s=settings.READ_DEADLINE_S) as result:
        winner = remote_orders.look_up(work.order_id, work.client_id, hold=work.hold)
        if winner is None or winner.order_id != found.order_id:
            raise Failure(Code.DUPLICATE_ACTIVE, f"WHMCS orders {found.order_id}, {winner.order_id if winner else '?'}")
        found = winner
        if not refusal:  # only an accepted order's services may be set to Active
            found = remote_orders.activate_without_module(found, hold=work.hold)
        result["services"] = {str(service.id): service.status for service in found.services}
        if not found.done or not mapping.holds_all(work.lines, [each.pid for each in found.services]):
            code = Code.WHMCS_ERROR if refusal else Code.SERVICE_NOT_ACTIVE
            raise Failure(code, f"WHMCS order {found.order_id}: {refusal or _not_active(found)}")
    return found


class _Looking:
    """The look-up of AddOrder; before anything was sent it also clears a pending order for other items away."""

    def __init__(self, work: Work) -> None:
        self.work, self.sent = work, False

    def __call__(self) -> Found | None:
        work = self.work
        found = remote_orders.look_up(work.order_id, work.client_id, hold=work.hold)
        if found is None or self.sent or _holds_what_was_asked(work, found):
            return found
        if found.active:
            raise Failure(Code.ITEMS_CHANGED, f"WHMCS order {found.order_id}")
        refuse_while_open(work.subject)  # it may be being accepted at this moment
        remote_orders.cancel(work.order_id, found, otherwise=Code.ITEMS_CHANGED, hold=work.hold)
        return None


def _holds_what_was_asked(work: Work, found: Found) -> bool:
    fact = facts.recall(work.subject, KIND)
    asked = fact.fingerprint if fact is not None and fact.remote_id == str(found.order_id) else ""
    call = last_call(work.subject, ADD)
    asked = asked or (str(call.result.get("fingerprint", "")) if call else "")
    same = not asked or asked == work.fingerprint
    return same and mapping.holds_all(work.lines, [service.pid for service in found.services])


def _add(work: Work, looking: _Looking) -> Found:
    looking.sent = True
    added = gateway.whmcs().add_order(mapping.request_of(work.order_id, work.client_id, work.lines))
    return Found(added.order_id)


def _fence(claim: Claim, before_adding: Callable[[], None]) -> None:
    before_adding()
    claim.renew(settings.ADD_ORDER_DEADLINE_S, step="whmcs_add")


def _is_accepted(work: Work, found: Found) -> bool:
    work.hold()
    return accepted_status(found.order_id) is not None


def _accept(work: Work, whmcs_order_id: int, *, set_up: bool) -> str:
    def call() -> str:
        gateway.whmcs().accept_order(whmcs_order_id, set_up=set_up)
        return "accepted"

    return once(
        subject=work.subject,
        operation=ACCEPT,
        owner=owner_of(work.claim.attempt.pk),
        deadline_s=settings.ACCEPT_ORDER_DEADLINE_S,
        look_up=partial(_set_up_status, work, whmcs_order_id),
        call=call,
        fence=partial(work.claim.renew, settings.ACCEPT_ORDER_DEADLINE_S),
        record=lambda status: {"whmcs_order": whmcs_order_id, "status": status},
    )


def accepted_status(whmcs_order_id: int) -> str | None:
    """The status of a WHMCS order that needs no accepting; None while it is pending. One read.

    Raises Failure(cancelled_in_whmcs) when it is gone, cancelled or held as fraud.
    """
    order = gateway.whmcs().order(whmcs_order_id)
    if order is None or order.status in remote_orders.DEAD:
        raise Failure(Code.CANCELLED_IN_WHMCS, f"WHMCS order {whmcs_order_id} is {order.status if order else 'gone'}")
    return None if order.status == "Pending" else order.status


def _set_up_status(work: Work, whmcs_order_id: int) -> str | None:
    """The status of a WHMCS order that was accepted to the end; None while a module of it may still be at work.

    As long as the AcceptOrder that runs it has not been answered, nobody else may run it.
    """
    status = accepted_status(whmcs_order_id)
    if status is None:
        return None
    work.hold()
    return status if remote_orders.read(work.client_id, whmcs_order_id).done else None


def _create(work: Work, found: Found, service_id: int) -> None:
    """Sets up one service of an order that is half way: accepting would set up its working siblings again."""

    def look_up() -> str | None:
        services = remote_orders.read(work.client_id, found.order_id).services
        return next((each.status for each in services if each.id == service_id and each.status != "Pending"), None)

    def call() -> str:
        gateway.whmcs().module_create(service_id)
        return "created"

    with step(work.claim, f"module_create:{service_id}", deadline_s=settings.ACCEPT_ORDER_DEADLINE_S):
        once(
            subject=work.subject,
            operation=f"{CREATE}:{service_id}",
            owner=owner_of(work.claim.attempt.pk),
            deadline_s=settings.ACCEPT_ORDER_DEADLINE_S,
            look_up=look_up,
            call=call,
            fence=partial(work.claim.renew, settings.ACCEPT_ORDER_DEADLINE_S),
            record=lambda status: {"service": service_id, "status": status},
        )


def _not_active(found: Found) -> str:
    pending = [f"service {each.id} is {each.status}" for each in found.services if not remote_orders.is_done(each)]
    return ", ".join(pending) or "services are missing"
