"""Decisions of staff about attempts as the admin takes them, and what came of them."""

from collections.abc import Callable

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from accounts.models import User
from audit import trail
from audit.confirming import confirmation, reason_of
from integrations.errors import OutsideError
from journal.facts import FactConflict
from provisioning import staff
from provisioning.models import Attempt
from provisioning.situation import ACTIONS
from provisioning.staff import Decision, NotPossible


def decide(request: HttpRequest, attempts: QuerySet[Attempt], name: str) -> TemplateResponse | None:
    """Carries one decision out on each chosen attempt and says what came of it; before it is confirmed, asks."""
    reason, whmcs_order_id = reason_of(request), request.POST.get("whmcs_order_id", "")
    adopts = name == "adopt"
    if adopts and reason and (not whmcs_order_id.isdecimal() or len(attempts) != 1):
        messages.error(request, _("Choose one attempt and give the id of its WHMCS order."))
        return None
    if not reason:
        action = ACTIONS[name]
        return confirmation(
            request, attempts, action=name, label=str(action.label), effect=str(action.effect), ask_id=adopts
        )
    act = _adopting(int(whmcs_order_id)) if adopts else CARRIED_OUT_BY[name]
    for attempt in attempts:
        _carry_out(request, attempt, name, act, reason)
    return None


def _carry_out(
    request: HttpRequest, attempt: Attempt, name: str, act: Callable[[Attempt, Decision], object], reason: str
) -> None:
    assert isinstance(request.user, User)
    try:
        act(attempt, Decision(request.user.email, reason))
    except (NotPossible, FactConflict, OutsideError) as error:
        messages.error(request, f"{attempt.order_id}: {error}")
        return
    write_down(request, name, attempt, reason)
    attempt.refresh_from_db()
    messages.success(request, f"{attempt.order_id}: {attempt.get_state_display()}")


def write_down(request: HttpRequest, name: str, row: Model, reason: str) -> None:
    """One line in the audit trail."""
    trail.record_request(request, f"provisioning.{name}", subject=f"{row._meta.model_name}:{row.pk}", reason=reason)


def _adopting(whmcs_order_id: int) -> Callable[[Attempt, Decision], object]:
    return lambda attempt, decision: staff.adopt(attempt, whmcs_order_id, decision)


CARRIED_OUT_BY: dict[str, Callable[[Attempt, Decision], object]] = {
    "look_again": staff.look_again,
    "release": staff.release,
    "mark_failed": staff.mark_failed,
    "request_again": staff.request_again,
    "create_anew": staff.create_anew,
}
