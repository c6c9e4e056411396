"""Decisions of staff in the admin are shown with their effect, confirmed with a reason, and written down."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import site
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

REASON = 200  # characters kept


def reason_of(request: HttpRequest) -> str:
    """The reason that was confirmed; empty while the decision still has to be confirmed, or has none."""
    return request.POST.get("reason", "").strip()[:REASON] if "confirmed" in request.POST else ""


def confirmation(
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    action: str,
    label: str,
    effect: str,
    ask_id: bool = False,
    name: Callable[[Any], str] = str,
) -> TemplateResponse:
    """The page that says what will happen to which rows (each told by `name`) and asks for the reason."""
    if "confirmed" in request.POST:
        messages.error(request, _("Give a reason: it is kept in the audit trail."))
    context = {
        **site.each_context(request),
        "title": label,
        "opts": rows.model._meta,
        "effect": effect,
        "rows": [{"pk": row.pk, "name": name(row)} for row in rows],
        "action": action,
        "checkbox": ACTION_CHECKBOX_NAME,
        "ask_id": ask_id,
    }
    return TemplateResponse(request, "admin/decide.html", context)
