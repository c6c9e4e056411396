"""Tasks as staff read and close them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit import trail
from journal.admin import ReadOnly
from provisioning import tasks
from provisioning.models import Task


class ReasonForm(ActionForm):
    """Closing a task needs a reason."""

    reason = forms.CharField(max_length=200, required=False, label=_("Reason"))


class TaskAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Read-only but for closing; the newest first."""

    list_display = ["created_at", "kind", "order_id", "what_happened", "state", "closed_by"]
    list_filter = ["state", "kind"]
    search_fields = ["order_id__startswith", "cause__exact"]
    action_form = ReasonForm
    actions = ["close"]
    fields = [
        ("kind", "state"),
        "what_happened",
        "certain",
        "uncertain",
        "next_step",
        ("order_id", "its_attempt"),
        ("created_at", "closed_at"),
        ("closed_by", "close_reason"),
    ]

    def has_close_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("provisioning.change_task")

    @admin.display(description=_("What happened"))
    def what_happened(self, task: Task) -> str:
        return tasks.tell(task).what_happened

    @admin.display(description=_("What is certain"))
    def certain(self, task: Task) -> str:
        return tasks.tell(task).certain

    @admin.display(description=_("What is not certain"))
    def uncertain(self, task: Task) -> str:
        return tasks.tell(task).uncertain

    @admin.display(description=_("Next step"))
    def next_step(self, task: Task) -> str:
        return tasks.tell(task).next_step

    @admin.display(description=_("Attempt"))
    def its_attempt(self, task: Task) -> SafeString | str:
        if task.attempt_id is None:
            return "–"
        address = reverse("admin:provisioning_attempt_change", args=[task.attempt_id])
        return format_html('<a href="{}">{}</a>', address, task.attempt_id)

    @admin.action(description=_("Close: it is dealt with"), permissions=["close"])
    def close(self, request: HttpRequest, rows: QuerySet[Task]) -> None:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            messages.error(request, _("Give a reason: it is kept with the task."))
            return
        assert isinstance(request.user, User)
        for task in rows:
            if tasks.close(task, by=request.user.email, reason=reason):
                trail.record_request(request, "provisioning.close_task", subject=f"task:{task.pk}", reason=reason)
                messages.success(request, f"{task}: {_('closed')}")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("attempt")


class InspectionAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Which orders WHMCS is looked at for, and what the last look found."""

    list_display = ["order_id", "reason", "since", "looked_at", "looks", "undecided", "due_at", "finding"]
    list_filter = ["reason"]
    search_fields = ["order_id__startswith"]
