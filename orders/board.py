"""What a customer is told about an order: the texts and stops of its board, and of the JSON (decisions.md 13).

No error, code or name of an inner system is ever among the texts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from orders import refusals
from orders.models import Cancellation, Order
from orders.patience import is_delayed, is_late
from orders.status import FINAL, Status, can_be_cancelled, can_be_withdrawn, status_of
from orders.stops import Stop, active_to_come, doing, placed, received, reviewed, setting_up, to_come
from orders.tasks import Task

ASKED = Cancellation.State.ASKED
Kind = Literal["info", "ok", "warn", "danger"]


@dataclass(frozen=True)
class StatusView:
    """Everything the board, the line and the JSON show, in the active language."""

    status: Status
    kind: Kind
    name: str
    sentence: str
    before: str
    after: str
    stops: tuple[Stop, ...]
    wish: str = ""  # Cancellation.State of the customer's wish to cancel, as long as it says something
    can_cancel: bool = False
    late: bool = False  # longer than we said; the page then says what to do
    tasks: tuple[Task, ...] = ()  # what keeps the order from being placed

    @property
    def final(self) -> bool:
        """Nothing more happens by itself: the page stops asking."""
        return self.status in FINAL

    @property
    def label(self) -> str:
        return self.name

    @property
    def can_check_again(self) -> bool:
        """A delayed order is asked for by hand; the page offers it, though it no longer asks by itself."""
        return not self.final or self.status is Status.FAILED


def view(order: Order, *, confirming: bool = False, tasks: tuple[Task, ...] = ()) -> StatusView:
    """The texts and stops for `order`, from its columns, its cancellation and the clock: no query after `for_user`.

    `confirming`: support still compares the customer's number with our records (decisions.md 2), and the order waits.
    `tasks`: what else it waits for (orders.held).
    """
    status = status_of(order)
    wish = _wish(order, status)
    if status is Status.SUBMITTED and tasks and not confirming:
        shown = replace(_on_hold(order, tasks), tasks=tasks)
    else:
        shown = _of_status(order, status, confirming=confirming, wish=wish)
    late = is_late(order, status, waits=confirming or bool(tasks))
    can_cancel = can_be_withdrawn(order) or (can_be_cancelled(order) and wish != ASKED)
    return replace(shown, wish=wish, can_cancel=can_cancel, late=late)


def _of_status(order: Order, status: Status, *, confirming: bool, wish: str) -> StatusView:
    if status is Status.SUBMITTED and confirming:
        return _confirming(order)
    if status is Status.PENDING_REVIEW and wish == ASKED:
        return _cancelling(order)
    return VIEWS[status](order)


def _wish(order: Order, status: Status) -> str:
    wish: Cancellation | None = getattr(order, "cancellation", None)
    if wish is None or status is Status.CANCELLED:
        return ""
    over = status is Status.PROVISIONED and wish.state != Cancellation.State.DONE
    return "" if over else str(wish.state)


def name_of(status: Status) -> str:
    """The state in the customer's words."""
    return {
        Status.SUBMITTED: _("Order received"),
        Status.PENDING_REVIEW: _("In review"),
        Status.APPROVED: _("Approved"),
        Status.ACTIVATING: _("Activating"),
        Status.CHECKING: _("We are checking"),
        Status.PROVISIONED: pgettext("order", "Active"),
        Status.FAILED: _("Taking longer than usual"),
        Status.CANCELLED: _("Cancelled"),
    }[status]


KINDS: dict[Status, Kind] = {
    Status.SUBMITTED: "info",
    Status.PENDING_REVIEW: "info",
    Status.APPROVED: "info",
    Status.ACTIVATING: "info",
    Status.CHECKING: "warn",
    Status.PROVISIONED: "ok",
    Status.FAILED: "warn",
    Status.CANCELLED: "danger",
}


def _view(status: Status, sentence: str, before: str, after: str, *stops: Stop) -> StatusView:
    return StatusView(status, KINDS[status], name_of(status), sentence, before, after, stops)


def _submitted(order: Order) -> StatusView:
    return _view(
        Status.SUBMITTED,
        _(
            "This takes longer than usual. We keep trying by ourselves: nothing is lost, nothing is ordered twice, and "
            "you do not have to do anything."
        )
        if is_delayed(order)
        else _("We have your order and are registering it. This page tells you as soon as the review begins."),
        "",
        _("In review"),
        received(order, "now", _("We are registering it. You do not have to do anything.")),
        Stop("next", _("In review"), when=_("usually within one working day")),
        *to_come(order),
    )


def _confirming(order: Order) -> StatusView:
    waits = Stop(
        "now",
        _("We are comparing your customer number"),
        _("Customer support does this by hand. If something is unclear, we write to you."),
        when=_("usually within one working day"),
    )
    return _view(
        Status.SUBMITTED,
        _(
            "We have your order and keep it. It goes on as soon as customer support has confirmed your customer "
            "number, usually within one working day. You do not have to do anything."
        ),
        _("Order received"),
        _("In review"),
        received(order, "done"),
        waits,
        Stop("next", _("In review")),
        *to_come(order),
    )


def _on_hold(order: Order, tasks: tuple[Task, ...]) -> StatusView:
    """Nothing is refused and nothing goes on; the tasks say what each thing is."""
    yours = any(task.state == "todo" for task in tasks)
    name = _("Waiting for you") if yours else _("Waiting")
    sentence = (
        _("We have your order and keep it. Something is still missing; once it is there, the order goes on by itself.")
        if yours
        else _("We have your order and keep it. It goes on by itself, and you do not have to do anything.")
    )
    shown = _view(
        Status.SUBMITTED,
        sentence,
        _("Order received"),
        _("In review"),
        received(order, "done"),
        Stop("now", name, _("What it waits for stands above. We look again every few minutes.")),
        Stop("next", _("In review"), when=_("usually within one working day")),
        *to_come(order),
    )
    return replace(shown, kind="warn" if yours else "info", name=name)


def _cancelling(order: Order) -> StatusView:
    asked_at = order.cancellation.asked_at
    text = _("We are passing it on. Until this page says Cancelled, the order is not cancelled.")
    shown = _view(
        Status.PENDING_REVIEW,
        _("You asked us to cancel this order. We are doing it now, and confirm it here and by e-mail."),
        _("Order placed"),
        _("Cancelled"),
        placed(order),
        Stop("now", _("Cancellation requested"), text, asked_at),
        Stop("next", _("Cancelled")),
    )
    return replace(shown, kind="warn", name=_("Cancellation requested"))


def _pending_review(order: Order) -> StatusView:
    return _view(
        Status.PENDING_REVIEW,
        _("A person is checking your order, usually within one working day. You do not have to do anything."),
        _("Order placed"),
        _("Activation"),
        placed(order),
        Stop(
            "now", _("In review"), _("If we need something, we write to you."), when=_("usually within one working day")
        ),
        *to_come(order),
    )


def _approved(order: Order) -> StatusView:
    return _view(
        Status.APPROVED,
        _("Your order was approved. Setting up your service begins in a moment."),
        _("In review"),
        _("Activation"),
        placed(order),
        Stop("now", _("Approved"), _("Checked by our customer support team."), order.approved_at),
        *to_come(order),
    )


def _activating(order: Order) -> StatusView:
    return _view(
        Status.ACTIVATING,
        setting_up(order),
        _("Approved"),
        pgettext("stop", "Active"),
        placed(order),
        reviewed(order),
        Stop("now", _("Activating"), doing(order), order.approved_at),
        active_to_come(),
    )


def _checking(order: Order) -> StatusView:
    return _view(
        Status.CHECKING,
        _("We are making sure that your service was set up once and correctly. You do not have to do anything."),
        _("Approved"),
        pgettext("stop", "Active"),
        placed(order),
        reviewed(order),
        Stop("late", _("Activation is being checked"), _("You cannot be charged twice.")),
        active_to_come(),
    )


def _provisioned(order: Order) -> StatusView:
    return _view(
        Status.PROVISIONED,
        _("Your service is active. You find it under Services."),
        _("Activation"),
        "",
        placed(order),
        reviewed(order),
        Stop("done", pgettext("order", "Active"), _("We sent you an e-mail."), order.provisioned_at),
    )


def _failed(order: Order) -> StatusView:
    return _view(
        Status.FAILED,
        _("Setting up your service stopped part-way. Our team is on it. You do not have to do anything."),
        _("Approved"),
        pgettext("stop", "Active"),
        placed(order),
        reviewed(order),
        Stop(
            "late",
            _("Activation delayed"),
            _("You are not charged until your service is active, and you cannot be charged twice."),
        ),
        active_to_come(),
    )


def _cancelled(order: Order) -> StatusView:
    if order.local_state == Order.Local.REFUSED:
        return _taken_back(order) if order.refusal in refusals.ENDED else _not_accepted(order)
    sentence, stop = (
        _("This order was cancelled. Nothing more happens to it."),
        _("Contact us if you did not expect this."),
    )
    if _was_wished(order):
        sentence, stop = _("We cancelled this order, as you asked. Nothing was charged for it."), ""
    cancelled = Stop("failed", _("Cancelled"), stop, order.cancelled_at)
    return _view(Status.CANCELLED, sentence, _("Order placed"), "", placed(order), cancelled)


def _was_wished(order: Order) -> bool:
    """Cancelled as its customer asked, not by customer support."""
    wish: Cancellation | None = getattr(order, "cancellation", None)
    return wish is not None and wish.state == Cancellation.State.DONE


def _taken_back(order: Order) -> StatusView:
    cancelled = Stop("failed", _("Cancelled"), at=order.cancelled_at)
    sentence = refusals.sentence(order.refusal)
    return _view(Status.CANCELLED, sentence, _("Order received"), "", received(order, "done"), cancelled)


def _not_accepted(order: Order) -> StatusView:
    return StatusView(
        Status.CANCELLED,
        "danger",
        _("Not accepted"),
        refusals.sentence(order.refusal),
        _("Order received"),
        "",
        (
            received(order, "done"),
            Stop("failed", _("Not accepted"), _("You can contact us about it with the order number.")),
        ),
    )


VIEWS: dict[Status, Callable[[Order], StatusView]] = {
    Status.SUBMITTED: _submitted,
    Status.PENDING_REVIEW: _pending_review,
    Status.APPROVED: _approved,
    Status.ACTIVATING: _activating,
    Status.CHECKING: _checking,
    Status.PROVISIONED: _provisioned,
    Status.FAILED: _failed,
    Status.CANCELLED: _cancelled,
}
