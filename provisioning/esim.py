"""The eSIM lines of an order: each asked for once, and activated before AddOrder (product.md §8, esim.md).

The provider answers with a ticket, and accepted is not done: an attempt whose ticket is open waits without a lease.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from django.conf import settings

from integrations import gateway
from integrations.errors import Rejected, UnknownOutcome
from integrations.esim.schemas import Line, Ticket
from integrations.salesforce.schemas import ProvisionableItem, ProvisionableOrder
from journal import facts
from journal.calls import NOT_THERE, RELEASED, AlreadySent, failures, fell_through, last_call, once
from journal.commits import commit, lasting
from journal.models import RemoteCall
from provisioning.claims import Claim
from provisioning.explanations import WORKS_WITHOUT_LINE
from provisioning.failures import Code, Failure
from provisioning.models import Attempt
from provisioning.ordering import owner_of
from provisioning.remote_orders import freely, subject_of
from provisioning.steps import step

KIND = "esim"
ACTIVATE = "esim.activate"
KEEPS_ITS_KEY = (NOT_THERE, "not_sent", RELEASED)  # what may still arrive there must meet its own key


class Waiting(Exception):
    """The provider accepted and is not done; `ticket_ref` tells when it is."""

    def __init__(self, ticket_ref: str) -> None:
        super().__init__(ticket_ref)
        self.ticket_ref = ticket_ref


@dataclass(frozen=True)
class Piece:
    """One eSIM of an order, the `number`-th from 1, and the provider's plan."""

    order_id: str
    number: int
    plan: str

    @property
    def line_ref(self) -> str:
        """Our name of the line at the provider."""
        return f"{self.order_id}{self._suffix('-')}"

    @property
    def operation(self) -> str:
        """The journal's name of its activation."""
        return f"{ACTIVATE}{self._suffix(':')}"

    @property
    def kind(self) -> str:
        """The kind of its RemoteFact."""
        return f"{KIND}{self._suffix(':')}"

    def _suffix(self, mark: str) -> str:
        return "" if self.number == 1 else f"{mark}{self.number}"


@dataclass(frozen=True)
class Standing:
    """What the provider holds of one piece: the newest ticket of its key, its line, or both."""

    ticket: Ticket | None
    line: Line | None

    @property
    def live(self) -> bool:
        return self.line is not None and self.line.is_live

    @property
    def ticket_ref(self) -> str:
        return self.ticket.ref if self.ticket else ""


def pieces_of(order: ProvisionableOrder) -> tuple[Piece, ...]:
    """The eSIMs of an order, one per piece, in the items' order. Raises Failure(product_unmapped) naming the item."""
    wanted = [item for item in order.items for _piece in range(item.quantity) if is_esim(item)]
    for item in wanted:
        if not item.esim_plan:
            raise Failure(Code.PRODUCT_UNMAPPED, f"item {item.id} ({item.sku}): its product names no esim_plan")
    return tuple(Piece(order.id, number, item.esim_plan) for number, item in enumerate(wanted, 1))


def is_esim(item: ProvisionableItem) -> bool:
    """Whether the item is a SIM chosen as an eSIM."""
    chosen = item.options.get("sim_type")
    value = chosen.get("value") if isinstance(chosen, dict) else None
    return (item.category, item.item_class, value) == ("SIM", "Service", "esim")


def activate(claim: Claim, pieces: Sequence[Piece], *, before_activating: Callable[[], None]) -> str:
    """Has every piece activated, each asked for at most once. Returns the first one's ICCID, empty without pieces.

    `before_activating` is run after a look-up that found nothing, and stops everything by raising. Raises Waiting when
    a ticket is open, Failure when one failed, Fenced, the journal's errors, and what the provider's client raises.
    """
    if not pieces:
        return ""
    with step(claim, "esim", deadline_s=settings.ESIM_DEADLINE_S) as result:
        found = [_activated(claim, piece, before_activating) for piece in pieces]
        result.update(tickets=[each.ticket_ref for each in found], live=sum(each.live for each in found))
    for each in found:
        if not each.live:
            raise Waiting(each.ticket_ref)
    return _iccids(found)[0]


def iccid_of(pieces: Sequence[Piece], *, beside: int) -> str:
    """The first piece's ICCID, empty without pieces. Repeatable.

    Raises Failure(esim_error) when a line is not live though the WHMCS order `beside` it works.
    """
    found = [Standing(None, gateway.esim().line(piece.line_ref)) for piece in pieces]
    for piece, each in zip(pieces, found, strict=True):
        if not each.live:
            status = each.line.status if each.line else "not there"
            raise Failure(
                Code.ESIM_ERROR, f"{WORKS_WITHOUT_LINE} {beside} works, but line {piece.line_ref} is {status}"
            )
    return next(iter(_iccids(found)), "")


def came_to_be(call: RemoteCall) -> bool:
    """Whether the provider took what an open call asked for; its line, on its way or live, then is the order's.

    Two reads. Repeatable.
    """
    order_id, number = call.subject.partition(":")[2], int(call.operation.partition(":")[2] or 1)
    asked = {name: str(call.result.get(name, "")) for name in ("key", "plan")}
    piece = Piece(order_id, number, asked["plan"])
    found = _look_up(piece, asked["key"], freely)
    if found is None:
        return False
    if found.live or (found.ticket is not None and found.ticket.state != "failed"):
        facts.remember(call.subject, piece.kind, piece.line_ref, fingerprint=piece.plan)
    return True


def concerns(attempt: Attempt) -> bool:
    """Whether the provider has something of the attempt's order, or may come to have it. Asks our own rows alone."""
    subject = subject_of(attempt.order_id)
    asked = RemoteCall.objects.filter(subject=subject, operation__startswith=ACTIVATE)
    return bool(attempt.ticket_ref) or asked.exists() or facts.recall(subject, KIND) is not None


def ticket_of(attempt: Attempt) -> Ticket | None:
    """The ticket that the attempt waits for, or waited for, as it stands; None without one. One read. Repeatable."""
    return gateway.esim().ticket(attempt.ticket_ref) if attempt.ticket_ref else None


def refuse_failed(ticket: Ticket | None) -> None:
    """Raises Failure(esim_error) when the ticket failed."""
    if ticket is not None and ticket.state == "failed":
        raise Failure(Code.ESIM_ERROR, _why(ticket))


def in_words(order_id: str) -> str:
    """What a cause says besides about an order whose eSIM exists or is being made; else empty."""
    held = facts.recall(subject_of(order_id), KIND)
    return "" if held is None else "; its eSIM is kept, or will be when its ticket is done"


def _activated(claim: Claim, piece: Piece, before_activating: Callable[[], None]) -> Standing:
    """The piece's standing, live or with an open ticket. A ticket that an earlier attempt saw fail counts no more."""
    while True:
        standing = _asked_for(claim, piece, before_activating)
        if not standing.live:
            standing = _read_again(claim, piece, standing)
        if standing.ticket is None or standing.ticket.state != "failed":
            _keep(claim, piece)
            return standing
        _drop(claim, piece, standing.ticket)


def _asked_for(claim: Claim, piece: Piece, before_activating: Callable[[], None]) -> Standing:
    _refuse_another_plan(piece)
    key = _key(piece)
    hold = partial(claim.renew, settings.READ_DEADLINE_S)

    def fence() -> None:
        before_activating()
        claim.renew(settings.ESIM_DEADLINE_S, step="esim")

    try:
        return once(
            subject=subject_of(piece.order_id),
            operation=piece.operation,
            owner=owner_of(claim.attempt.pk),
            deadline_s=settings.ESIM_DEADLINE_S,
            look_up=partial(_look_up, piece, key, hold),
            call=partial(_send, piece, key),
            fence=fence,
            record=lambda standing: {"ticket": standing.ticket_ref},
            asked={"key": key, "plan": piece.plan},
        )
    except AlreadySent:
        raise Failure(Code.ESIM_ERROR, f"the provider lost line {piece.line_ref} that it had accepted") from None


def _look_up(piece: Piece, key: str, hold: Callable[[], None]) -> Standing | None:
    """By our name of the line, then by key. A failed ticket is an answer, too: nothing came of it."""
    hold()
    line = gateway.esim().line(piece.line_ref)
    if line is not None and line.is_live:
        return Standing(None, line)
    hold()
    tickets = gateway.esim().tickets(key)
    if tickets:
        return Standing(next((each for each in tickets if each.state != "failed"), tickets[-1]), line)
    if line is not None:
        raise Failure(Code.ESIM_ERROR, f"line {piece.line_ref} is {line.status} there by another request")
    return None


def _send(piece: Piece, key: str) -> Standing:
    try:
        ticket = gateway.esim().activate(
            idem_key=key, line_ref=piece.line_ref, order_ref=piece.order_id, plan=piece.plan
        )
    except Rejected as error:
        if error.code == "LINE_EXISTS":  # ours, made by a request whose answer nobody waited for: look again
            raise UnknownOutcome(error.system, error.operation, error.code, error.text) from None
        raise
    return Standing(ticket, None)


def _read_again(claim: Claim, piece: Piece, standing: Standing) -> Standing:
    """The ticket, and the line once the ticket is done: a quick provider is done by now."""
    claim.renew(settings.READ_DEADLINE_S)
    ticket = gateway.esim().ticket(standing.ticket_ref)
    if ticket is None:
        raise Failure(Code.ESIM_ERROR, f"the provider does not know ticket {standing.ticket_ref}")
    if ticket.state != "done":
        return Standing(ticket, None)
    claim.renew(settings.READ_DEADLINE_S)
    line = gateway.esim().line(piece.line_ref)
    if line is None or not line.is_live:
        raise Failure(Code.ESIM_ERROR, f"ticket {ticket.ref} is done, but line {piece.line_ref} is not active")
    return Standing(ticket, line)


@lasting
def _keep(claim: Claim, piece: Piece) -> None:
    """Writes down that the line is this order's, live or on its way; who lost the attempt must not write."""
    with commit("esim.keep"):
        claim.renew(settings.READ_DEADLINE_S)
        facts.remember(subject_of(piece.order_id), piece.kind, piece.line_ref, fingerprint=piece.plan)


def _drop(claim: Claim, piece: Piece, ticket: Ticket) -> None:
    """The ticket failed: its key is used up. Raises Failure unless an earlier attempt had asked for it."""
    call, key = last_call(subject_of(piece.order_id), piece.operation), _key(piece)
    _forget(claim, piece, call, ticket)
    if call is None or call.owner == owner_of(claim.attempt.pk) or _key(piece) == key:
        raise Failure(Code.ESIM_ERROR, _why(ticket))


@lasting
def _forget(claim: Claim, piece: Piece, call: RemoteCall | None, ticket: Ticket) -> None:
    with commit("esim.drop"):
        claim.renew(settings.READ_DEADLINE_S)
        facts.forget(subject_of(piece.order_id), piece.kind, piece.line_ref)
        if call is not None:
            fell_through(call, code=ticket.error.code if ticket.error else "failed", text=_why(ticket))


def _refuse_another_plan(piece: Piece) -> None:
    call = last_call(subject_of(piece.order_id), piece.operation)
    asked = call.result.get("plan", "") if call and call.state == RemoteCall.State.DONE else ""
    if asked and asked != piece.plan:
        raise Failure(Code.ITEMS_CHANGED, f"line {piece.line_ref} was asked for with plan {asked}")


def _key(piece: Piece) -> str:
    """Stable until the provider has refused for certain: no crash, retry or late request makes a second line."""
    refused = failures(subject_of(piece.order_id), piece.operation, but=KEEPS_ITS_KEY)
    return f"{piece.line_ref}:{refused + 1}"


def _why(ticket: Ticket) -> str:
    error = ticket.error
    code, again = (error.code, error.retryable) if error else ("failed", False)
    advice = "may work when requested again" if again else "correct it at the provider, then request it again"
    return f"ticket {ticket.ref} failed: {code}; {advice}"


def _iccids(found: Sequence[Standing]) -> list[str]:
    return [each.line.iccid for each in found if each.line]
