"""Provisioning at this moment, from the database alone: for installs without Grafana, and for a night without it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.admin import site
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from journal.models import Round
from orders import revived
from orders.models import Order
from orders.staff_filters import waits_for_customer
from portal.periods import PERIODS, is_late
from portal.staff.customers_now import customers_now
from portal.staff.numbers import Number
from provisioning import health
from provisioning.failures import CUSTOMER_CAUSES, Code
from provisioning.models import Attempt, InboxEvent, Outbox, Task

ATTEMPTS = "admin:provisioning_attempt_changelist"
STUCK = timedelta(minutes=5)  # as the alert ProvisioningStuck


@dataclass(frozen=True)
class Turn:
    """One periodic round as it stands."""

    name: str
    started_at: datetime | None
    succeeded_at: datetime | None
    did: str
    late: bool


@require_safe
@permission_required("provisioning.view_attempt", raise_exception=True)
def provisioning_now(request: HttpRequest) -> HttpResponse:
    """Numbers and rounds; no outside system is asked. Its cost does not depend on how much there is."""
    now = timezone.now()
    causes = _causes(now)
    context = {
        **site.each_context(request),
        "title": _("Provisioning now"),
        "live": _live(now),
        "work": [*_reports(now), _tasks(), *_requests(now), *_orders()],
        "customers": customers_now(now),
        "causes": [each for each in causes if each.kind],
        "customer_causes": [each for each in causes if not each.kind],
        "stream": health.sf_events_status(now),
        "rounds": rounds(now),
    }
    return render(request, "portal/staff/provisioning_now.html", context)


def rounds(now: datetime) -> Sequence[Turn]:
    """Every round that there should be, the late ones first."""
    rows = {row.name: row for row in Round.objects.filter(name__in=PERIODS)}
    turns = [_turn(name, rows.get(name), now) for name in PERIODS]
    return sorted(turns, key=lambda turn: (not turn.late, turn.name))


def _turn(name: str, row: Round | None, now: datetime) -> Turn:
    if row is None:
        return Turn(name, None, None, "", late=True)
    did = ", ".join(f"{action} {count}" for action, count in sorted(row.actions.items()) if count)
    return Turn(name, row.started_at, row.succeeded_at, did, is_late(name, row.succeeded_at, now))


def _live(now: datetime) -> Sequence[Number]:
    rows = Attempt.objects.filter(state__in=Attempt.LIVE).order_by().values_list("state")
    found = {state: (count, oldest) for state, count, oldest in rows.annotate(count=Count("pk"), old=Min("created_at"))}
    return [_state(Attempt.State(state), *found.get(state, (0, None)), now) for state in Attempt.LIVE]


def _state(state: Attempt.State, count: int, oldest: datetime | None, now: datetime) -> Number:
    note = _("oldest: %(age)s") % {"age": timesince(oldest, now, depth=1)} if oldest else ""
    stuck = oldest is not None and now - oldest > STUCK and state != Attempt.State.WAITING
    kind = "bad" if count and (state == Attempt.State.UNKNOWN or stuck) else "wait" if count else ""
    return Number(str(state.label), str(count), note, f"{reverse(ATTEMPTS)}?state__exact={state}", kind)


def _reports(now: datetime) -> Sequence[Number]:
    waits, refused = Outbox.State.PENDING, Outbox.State.REFUSED
    rows = Outbox.objects.filter(state__in=[waits, refused]).order_by().values_list("state")
    found = {state: (count, oldest) for state, count, oldest in rows.annotate(count=Count("pk"), old=Min("created_at"))}
    address = f"{reverse('admin:provisioning_outbox_changelist')}?state__exact="
    count, oldest = found.get(waits, (0, None))
    note = _("oldest: %(age)s") % {"age": timesince(oldest, now, depth=1)} if oldest else ""
    refusals = found.get(refused, (0, None))[0]
    return [
        Number(_("Reports to Salesforce that wait"), str(count), note, address + waits, "wait" if count else ""),
        Number(_("Reports that Salesforce refused"), str(refusals), "", address + refused, "bad" if refusals else ""),
    ]


def _tasks() -> Number:
    count = Task.objects.filter(state=Task.State.OPEN).count()
    address = f"{reverse('admin:provisioning_task_changelist')}?state__exact={Task.State.OPEN}"
    return Number(_("Open tasks"), str(count), "", address, "bad" if count else "")


def _orders() -> Sequence[Number]:
    """Orders that a person or their customer has to do something about, whatever provisioning says."""
    address = reverse("admin:orders_order_changelist")
    unwanted = revived.unwanted().count()
    held = Order.objects.filter(waits_for_customer()).count()
    return [
        Number(
            _("Orders that go on though their customer cancelled them"),
            str(unwanted),
            "",
            f"{address}?revived=yes",
            "bad" if unwanted else "",
        ),
        Number(
            _("Orders that wait for their customer"),
            str(held),
            "",
            f"{address}?waits_for=customer",
            "wait" if held else "",
        ),
    ]


def _requests(now: datetime) -> Sequence[Number]:
    events = InboxEvent.objects.filter(received_at__gte=now - timedelta(hours=24))
    address = f"{reverse('admin:provisioning_inboxevent_changelist')}?state__exact="
    waiting = InboxEvent.objects.filter(state=InboxEvent.State.WAITING).count()
    poison = events.filter(state=InboxEvent.State.POISON).count()
    return [
        Number(_("Newer requests that wait"), str(waiting), "", address + "waiting", "wait" if waiting else ""),
        Number(_("Unreadable events in 24 hours"), str(poison), "", address + "poison", "bad" if poison else ""),
    ]


def _causes(now: datetime) -> Sequence[Number]:
    """Why attempts of the last 24 hours failed, the most frequent first; those of customers have no kind."""
    failed = Attempt.objects.filter(state=Attempt.State.FAILED, finished_at__gte=now - timedelta(hours=24)).order_by()
    rows = failed.values_list("error_code").annotate(count=Count("pk")).order_by("-count", "error_code")
    return [_cause(code, count) for code, count in rows]


def _cause(code: str, count: int) -> Number:
    note = str(Code(code).label) if code in Code.values else ""
    kind = "" if code in CUSTOMER_CAUSES else "bad"
    return Number(code, str(count), note, f"{reverse(ATTEMPTS)}?error_code={code}", kind)
