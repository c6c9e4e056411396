"""Tasks for people: what happened, what is certain, what is not, and what to do next.

A task is raised in the transaction of its cause, so that it is neither lost nor made twice, and closed by a person who
says why, or by the portal when its cause is gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerLink
from journal.commits import commit
from orders.models import Order
from provisioning.models import Task
from support.cases import open_case

log = structlog.get_logger(__name__)
Kind, State = Task.Kind, Task.State
AGAIN = "#"  # between a cause and how often it was dealt with before
PORTAL = "portal"  # who closes a task whose cause is gone
CASE_TYPE = "General Inquiry"
# Salesforce itself says nothing of these on the order: a Case tells the people who work there.
TOLD_BY_CASE = frozenset(
    {
        Kind.REPORT_REFUSED,
        Kind.OPPORTUNITY_REFUSED,
        Kind.LIVE_SERVICE,
        Kind.PAID_INVOICE,
        Kind.LIVE_ESIM,
        Kind.CANNOT_LOOK,
    }
)


@dataclass(frozen=True)
class Told:
    """A task in words, in the active language."""

    what_happened: str
    certain: str
    uncertain: str
    next_step: str


SENTENCES: Mapping[str, tuple[Promise, Promise, Promise, Promise]] = {
    Kind.REPORT_REFUSED: (
        _("Salesforce refuses to take the outcome of this order: %(error)s."),
        _("The outcome stands here (%(outcome)s), and the customer's page shows it."),
        _("In Salesforce the order still looks as it did before, and nobody there knows the outcome."),
        _("Mend in Salesforce what it names (a rule, a permission, a lock), then choose “Send again” on the report."),
    ),
    Kind.OPPORTUNITY_REFUSED: (
        _("Salesforce refuses to update the Opportunity of this order: %(error)s."),
        _("The service works, and the order in Salesforce says so."),
        _("The Opportunity's stage and service id may be old."),
        _("Unlock or correct the Opportunity, then choose “Send again” on the report, or set it by hand."),
    ),
    Kind.DUPLICATE_ACTIVE: (
        _("Several WHMCS orders of this order are accepted or paid: %(cause)s."),
        _("The portal cancelled none of them, since a customer may be using or paying each."),
        _("Which of them is right, and whether the customer is charged twice."),
        _("Compare them in WHMCS with the order, terminate the wrong one, settle its invoice, then close this task."),
    ),
    Kind.LIVE_SERVICE: (
        _("The order is cancelled in Salesforce, but WHMCS order %(whmcs_order)s is not: %(services)s."),
        _("The portal switched nothing off, since somebody may be using it."),
        _("Whether the service is to end, and on which day."),
        _("Ask the customer. Then terminate the service in WHMCS and settle its invoice, or correct the order."),
    ),
    Kind.PAID_INVOICE: (
        _("The order is cancelled in Salesforce, but money was taken for it: %(cause)s."),
        _("The portal paid nothing back, and left WHMCS order %(whmcs_order)s as it is."),
        _("Whether the money was paid back by another way."),
        _("Refund or credit the invoice in WHMCS, cancel the WHMCS order there, then close this task."),
    ),
    Kind.LIVE_ESIM: (
        _("The order is cancelled in Salesforce, but its eSIM line %(esim)s was activated."),
        _("The portal did not cancel the line, since somebody may be using it."),
        _("Whether the customer has installed the eSIM."),
        _("Ask the customer. Then cancel the line at the eSIM provider, or correct the order."),
    ),
    Kind.CANNOT_LOOK: (
        _("The clean-up looked for what WHMCS holds for this order, and did not get to the end of it: %(finding)s."),
        _("It was tried %(times)s times in a row. The portal goes on trying, at least once a day."),
        _("Whether a pending order, an unpaid invoice or a second order that should be gone is still in WHMCS."),
        _("Correct what the text names, in Salesforce or WHMCS. The task closes itself when a look has succeeded."),
    ),
    Kind.STILL_UNKNOWN: (
        _("A request for this order got no answer, and looking has not decided what came of it: %(error)s."),
        _("Nothing is sent again for this order as long as that is open."),
        _("Whether the request was carried out."),
        _("Look in WHMCS for the order's mark. Then use an action of the attempt: look again, adopt, or allow new."),
    ),
    Kind.LOST_POSITION: (
        _("The position in %(topic)s was lost; everything that Salesforce still keeps was read again."),
        _("Each event that is still kept was taken in once. Orders in Activating are found within minutes."),
        _("Whether events that Salesforce no longer keeps were missed."),
        _("In Salesforce, look for orders that have been Activating for more than an hour; then close this task."),
    ),
    Kind.READY_TO_RETRY: (
        _("The customer's identity is verified now. Provisioning stopped because it was not."),
        _("Nothing was ordered for this order yet."),
        _("Nothing: the order only waits for a new request."),
        _("Request provisioning again, on the attempt or by setting the order to Activating in Salesforce."),
    ),
}


def raise_task(
    kind: Task.Kind,
    *,
    cause: str,
    order_id: str = "",
    attempt_id: Any = None,
    facts: Mapping[str, Any] | None = None,
    again: bool = False,
) -> Task | None:
    """Writes a task down in the caller's transaction, and a Case for those that Salesforce does not show otherwise.

    `cause` is what it is about, at most 110 characters: a second call with it changes nothing and returns None, even
    after the task was closed, unless it happened `again`. `facts` are what the sentences of this kind name.
    Repeatable; takes no lock.
    """
    if again:
        cause = f"{cause}{AGAIN}{_about(cause).filter(state=State.DONE).count()}"
    words = {name: str(value)[:255] for name, value in (facts or {}).items()}
    task, is_new = Task.objects.get_or_create(
        cause=cause, defaults={"kind": kind, "order_id": order_id, "attempt_id": attempt_id, "facts": words}
    )
    if not is_new:
        return None
    if kind in TOLD_BY_CASE:
        _open_case(task)
    log.warning("task_raised", kind=str(kind), order_id=order_id, task_id=task.pk)
    return task


def tell(task: Task) -> Told:
    """The task in words. A fact that is missing is left out."""
    facts = _Facts(task.facts)
    return Told(*(str(sentence) % facts for sentence in SENTENCES[task.kind]))


def close(task: Task, *, by: str, reason: str) -> bool:
    """A member of staff has dealt with it; False when it was closed before. `by` is an e-mail. Repeatable."""
    return _close(Task.objects.filter(pk=task.pk), by, reason) == 1


def settle(*, about: str, reason: str) -> int:
    """Closes the open tasks of this cause, which is gone; returns how many. Repeatable."""
    return _close(_about(about), PORTAL, reason)


def settle_order(order_id: str, *kinds: Task.Kind, reason: str) -> int:
    """Closes the open tasks of these kinds about an order, whose causes are gone; returns how many. Repeatable."""
    return _close(Task.objects.filter(order_id=order_id, kind__in=kinds), PORTAL, reason)


def dealt_with(about: str) -> bool:
    """Whether a person, and not the portal, closed the newest task of this cause."""
    newest = _about(about).order_by("-id").first()
    return newest is not None and newest.state == State.DONE and newest.closed_by != PORTAL


class _Facts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "–"


def _about(cause: str) -> QuerySet[Task]:
    return Task.objects.filter(Q(cause=cause) | Q(cause__startswith=f"{cause}{AGAIN}"))


def _close(tasks: QuerySet[Task], by: str, reason: str) -> int:
    with commit("task.close"):
        closed = tasks.filter(state=State.OPEN).update(
            state=State.DONE, closed_at=Now(), closed_by=by[:254], close_reason=reason[:255]
        )
    if closed:
        log.info("task_closed", count=closed, by_portal=by == PORTAL)
    return closed


def _open_case(task: Task) -> None:
    order = Order.objects.filter(sf_order_id=task.order_id).first() if task.order_id else None
    link = CustomerLink.objects.filter(user_id=order.user_id).first() if order and order.user_id else None
    with translation.override("en"):
        told, subject = tell(task), f"{task.get_kind_display()}: order {order.number if order else task.order_id}"
    open_case(
        cause=f"provisioning:{task.cause}"[:120],
        kind=CASE_TYPE,
        subject=subject,
        description="\n\n".join([told.what_happened, told.certain, told.uncertain, told.next_step]),
        user_id=order.user_id if order else None,
        sf_account_id=(link.sf_account_id or "") if link else "",
        sf_opportunity_id=order.sf_opportunity_id if order else "",
    )
