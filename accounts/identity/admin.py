"""Identity checks as staff see them: how each stands, its papers one by one, and what may be decided here.

Whether somebody is who they say is decided in Salesforce, on the Account.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db import transaction
from django.db.models import F, QuerySet
from django.forms import CharField
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.identity import checks, opening, submission
from accounts.identity.opening_page import LONGEST_REASON, open_paper
from accounts.models import IdentityCheck
from audit import trail
from journal.admin import ReadOnly


class ReasonForm(ActionForm):
    """Every decision needs a reason."""

    reason = CharField(max_length=LONGEST_REASON, required=False, label=_("Reason"))


class IdentityCheckAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """What was sent in, the newest first; what is still being put together is nobody's to see."""

    list_display = ["submitted_at", "user", "paper", "state", "error_code", "decided_at", "legal_hold"]
    list_filter = ["state", "legal_hold"]
    list_select_related = ["user"]
    search_fields = ["ref__exact", "sf_case_id__exact", "user__email__istartswith", "user__link__sf_account_no__exact"]
    ordering = [F("submitted_at").desc(nulls_last=True)]
    show_full_result_count = False
    action_form = ReasonForm
    actions = ["try_again", "ask_again", "hold_papers", "end_hold"]
    fields = [
        ("user", "paper"),
        ("state", "step"),
        "rejection_message",
        ("submitted_at", "decided_at"),
        ("sf_case_id", "ref"),
        ("tries", "next_try_at", "error_code"),
        "legal_hold",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[IdentityCheck]:
        sent: QuerySet[IdentityCheck] = super().get_queryset(request).exclude(state=checks.State.DRAFT)
        return sent

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may open papers decides about them."""
        return request.user.has_perm(opening.PERMISSION)

    def get_urls(self) -> list[URLPattern]:
        address = "<int:check_id>/papers/<uuid:document_id>/"
        opened = path(address, open_paper, {"site": self.admin_site}, name="accounts_identitydocument_open")
        return [opened, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Adds the papers, each with the way to open it for those who may."""
        may_open = request.user.has_perm(opening.PERMISSION)
        papers = [
            {"document": document, "href": _address(context["original"], document.pk) if may_open else ""}
            for document in context["original"].documents.all()
        ]
        return super().render_change_form(request, context | {"papers": papers}, *args, **kwargs)

    @admin.action(description=_("Try again now to bring the papers to Salesforce"), permissions=["decide"])
    def try_again(self, request: HttpRequest, rows: QuerySet[IdentityCheck]) -> None:
        _decide(request, rows, checks.try_again)

    @admin.action(description=_("Ask the customer for new papers: these cannot be sent"), permissions=["decide"])
    def ask_again(self, request: HttpRequest, rows: QuerySet[IdentityCheck]) -> None:
        _decide(request, rows, submission.ask_again)

    @admin.action(description=_("Legal hold: delete nothing of it"), permissions=["decide"])
    def hold_papers(self, request: HttpRequest, rows: QuerySet[IdentityCheck]) -> None:
        _decide(request, rows, checks.hold_papers)

    @admin.action(description=_("End the legal hold"), permissions=["decide"])
    def end_hold(self, request: HttpRequest, rows: QuerySet[IdentityCheck]) -> None:
        _decide(request, rows, checks.end_hold)


def _address(check: IdentityCheck, document_id: UUID) -> str:
    return reverse("admin:accounts_identitydocument_open", args=[check.pk, document_id])


def _decide(request: HttpRequest, rows: QuerySet[IdentityCheck], act: Callable[[int], object]) -> None:
    """Each decision and its entry in the trail, or neither."""
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, gettext("Give a reason: it is kept in the audit trail."))
        return
    for check in rows:
        try:
            with transaction.atomic():
                act(check.pk)
                subject = f"identity_check:{check.ref}"
                name = f"identity.{act.__name__}"
                trail.record_request(request, name, user_id=check.user_id, subject=subject, reason=reason)
        except (checks.NotAllowed, checks.Taken):
            messages.error(request, gettext("%(ref)s: these papers are not on their way.") % {"ref": check.ref})
        else:
            messages.success(request, gettext("%(ref)s: done") % {"ref": check.ref})
