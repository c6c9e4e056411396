"""Decisions of staff as the admin takes them: shown with their effect, confirmed with a reason, written down."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import site
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from accounts.models import User
from audit import trail
from integrations.errors import OutsideError
from journal.facts import FactConflict
from provisioning import staff
from provisioning.models import Attempt
from provisioning.situation import ACTIONS
from provisioning.staff import Decision, NotPossible

REASON = 200  # characters kept


def reason_of(request: HttpRequest) -> str:
    """The reason that was confirmed; empty while the decision still has to be confirmed, or has none."""
    return request.POST.get("reason", "").strip()[:REASON] if "confirmed" in request.POST else ""


def confirmation(
    request: HttpRequest, rows: QuerySet[Any], *, action: str, label: str, effect: str, ask_id: bool = False
) -> TemplateResponse:
    """The page that says what will happen to which rows and asks for the reason."""
    if "confirmed" in request.POST:
        messages.error(request, _("Give a reason: it is kept with the attempt."))
    context = {
        **site.each_context(request),
        "title": label,
        "opts": rows.model._meta,
        "effect": effect,
        "rows": rows,
        "action": action,
        "checkbox": ACTION_CHECKBOX_NAME,
        "ask_id": ask_id,
    }
    return TemplateResponse(request, "admin/provisioning/decide.html", context)


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
