"""Everything about one attempt that a member of staff needs to decide what to do, read from the database alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations import staff_pages
from journal import calls, facts
from journal.models import RemoteCall
from orders.models import Order
from provisioning.explanations import Told, explain, explain_under_way
from provisioning.failures import Code
from provisioning.models import Attempt, InboxEvent, Task
from provisioning.remote_orders import KIND, subject_of

State = Attempt.State
EVENTS_SHOWN = 5


@dataclass(frozen=True)
class Action:
    """What staff may decide about an attempt, in words, and the states in which it makes sense."""

    label: Promise
    effect: Promise
    states: tuple[str, ...]
    otherwise: Promise  # why it makes no sense in other states


ONLY_UNKNOWN = gettext_lazy("Only while the outcome is unknown.")
ONLY_FAILED = gettext_lazy("Only for the newest attempt, and when it has failed.")
ACTIONS: Mapping[str, Action] = {
    "look_again": Action(
        gettext_lazy("Look into WHMCS again"),
        gettext_lazy("Ends the attempt when what is there decides it. A pending second WHMCS order is cancelled."),
        (State.UNKNOWN,),
        ONLY_UNKNOWN,
    ),
    "adopt": Action(
        gettext_lazy("Adopt the WHMCS order with this id"),
        gettext_lazy("For an order that you found in WHMCS though it lacks the mark: the attempt goes by it from now."),
        (State.UNKNOWN,),
        ONLY_UNKNOWN,
    ),
    "release": Action(
        gettext_lazy("It does not exist in WHMCS: allow a new one"),
        gettext_lazy("Unlocks the order before its time. If the request is carried out late, WHMCS has two orders."),
        (State.UNKNOWN,),
        ONLY_UNKNOWN,
    ),
    "mark_failed": Action(
        gettext_lazy("End as failed"),
        gettext_lazy("Ends the attempt without knowing more. An open call stays locked until its time is over."),
        (State.QUEUED, State.WAITING, State.UNKNOWN),
        gettext_lazy("Only while nobody works on it and it has not ended."),
    ),
    "request_again": Action(
        gettext_lazy("Request provisioning again (Failed becomes Activating)"),
        gettext_lazy("Does what the button in Salesforce does. What exists in WHMCS is found and gone on with."),
        (State.FAILED,),
        ONLY_FAILED,
    ),
    "create_anew": Action(
        gettext_lazy("Its WHMCS order was cancelled on purpose: create anew"),
        gettext_lazy("The cancelled WHMCS order counts no longer, its open invoice is cancelled. Then request again."),
        (State.FAILED,),
        gettext_lazy("Only when the attempt failed because its WHMCS order was cancelled."),
    ),
}


@dataclass(frozen=True)
class Fact:
    """One line of the page; `href` leads to where more is to be seen."""

    label: str
    value: str
    href: str = ""


@dataclass(frozen=True)
class Choice:
    """One decision: whether it makes sense now, and why or why not."""

    name: str
    label: str
    sensible: bool
    why: str


@dataclass(frozen=True)
class Situation:
    """What the page of an attempt shows at its head."""

    told: Told | None
    facts: Sequence[Fact]
    choices: Sequence[Choice]


def situation_of(attempt: Attempt) -> Situation:
    """A handful of queries; no outside system is asked."""
    open_calls = list(calls.open_calls(subject_of(attempt.order_id)))
    told = explain_under_way(attempt.state, step=attempt.step) or explain(
        attempt.error_code,
        cause=attempt.error_text.partition(": ")[2],
        live=attempt.state == State.UNKNOWN,
        step=attempt.step,
        open_calls=open_calls,
    )
    return Situation(told, list(_facts(attempt, open_calls)), [_choice(attempt, name, open_calls) for name in ACTIONS])


def _facts(attempt: Attempt, open_calls: Sequence[RemoteCall]) -> Iterable[Fact]:
    yield Fact(_("Salesforce order"), attempt.order_id, staff_pages.in_salesforce("Order", attempt.order_id))
    order = Order.objects.filter(sf_order_id=attempt.order_id).first()
    if order is not None:
        yield Fact(_("Order"), order.number, admin_page(order))
    yield _whmcs_order(attempt)
    if attempt.ticket_ref:
        until = japan_time(attempt.give_up_at)
        yield Fact(
            _("eSIM ticket"), _("%(ticket)s, given up at %(until)s") % {"ticket": attempt.ticket_ref, "until": until}
        )
    for call in open_calls:
        text = _("%(operation)s may be running until %(until)s")
        until = japan_time(call.quarantine_until)
        yield Fact(_("Open call"), text % {"operation": call.operation, "until": until}, admin_page(call))
    for task in Task.objects.filter(order_id=attempt.order_id, state=Task.State.OPEN):
        yield Fact(_("Open task"), task.get_kind_display(), admin_page(task))
    for event in InboxEvent.objects.filter(order_id=attempt.order_id)[:EVENTS_SHOWN]:
        waits = event.state == InboxEvent.State.WAITING
        label = _("Newer request") if waits else _("Event")
        yield Fact(label, f"{event.get_state_display()}, {japan_time(event.received_at)}", admin_page(event))


def _whmcs_order(attempt: Attempt) -> Fact:
    fact = facts.recall(subject_of(attempt.order_id), KIND)
    whmcs_order_id = attempt.whmcs_order_id or (fact.remote_id if fact else "")
    return Fact(_("WHMCS order"), str(whmcs_order_id or _("none known")), staff_pages.whmcs_order(whmcs_order_id))


def _choice(attempt: Attempt, name: str, open_calls: Sequence[RemoteCall]) -> Choice:
    action = ACTIONS[name]
    sensible = attempt.state in action.states and _fits(attempt, name, open_calls)
    return Choice(name, str(action.label), sensible, str(action.effect if sensible else action.otherwise))


def _fits(attempt: Attempt, name: str, open_calls: Sequence[RemoteCall]) -> bool:
    if name == "release":
        return bool(open_calls)
    if name == "create_anew":
        return attempt.error_code == Code.CANCELLED_IN_WHMCS
    if name == "request_again":
        return not Attempt.objects.filter(order_id=attempt.order_id, created_at__gt=attempt.created_at).exists()
    return True


def admin_page(row: Model) -> str:
    """A row's page in the admin."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def japan_time(moment: datetime | None) -> str:
    """A moment as staff read it."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S} JST" if moment else "–"
