"""Provisioning as staff see it: read-only pages, and the decisions of provisioning.staff as actions with a reason."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit import trail
from integrations.errors import OutsideError
from journal.admin import ReadOnly
from journal.facts import FactConflict
from journal.models import RemoteCall
from orders.admin import FixedFilter
from orders.models import Order
from provisioning import outbox, pause, staff
from provisioning.explanations import explain
from provisioning.failures import Code
from provisioning.models import Attempt, EventCursor, InboxEvent, Outbox, Pause, Step, Task
from provisioning.ordering import owner_of
from provisioning.staff import Decision, NotPossible
from provisioning.task_admin import TaskAdmin

OPERATOR = "provisioning.change_attempt"
admin.site.register(Task, TaskAdmin)


class DecisionForm(ActionForm):
    """Every decision needs a reason; adopting needs to know which WHMCS order."""

    reason = forms.CharField(max_length=200, required=False, label=_("Reason"))
    whmcs_order_id = forms.IntegerField(min_value=1, required=False, label=_("WHMCS order id (to adopt)"))


class FailureCode(FixedFilter):
    title = _("error code")
    parameter_name = "error_code"
    values = tuple(Code)


class StepInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Step
    fields = ["name", "state", "started_at", "finished_at", "result"]
    readonly_fields = ["name", "state", "started_at", "finished_at", "result"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReportInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Outbox
    fields = ["kind", "state", "tries", "next_try_at", "sent_at", "last_error"]
    readonly_fields = ["kind", "state", "tries", "next_try_at", "sent_at", "last_error"]
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def decide(
    request: HttpRequest, attempts: QuerySet[Attempt], name: str, act: Callable[[Attempt, Decision], object]
) -> None:
    """Carries one decision out on each chosen attempt, writes it down as `name`, and says what came of it."""
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, _("Give a reason: it is kept with the attempt."))
        return
    assert isinstance(request.user, User)
    decision = Decision(request.user.email, reason)
    for attempt in attempts:
        try:
            act(attempt, decision)
        except (NotPossible, FactConflict, OutsideError) as error:
            messages.error(request, f"{attempt.order_id}: {error}")
        else:
            subject = f"attempt:{attempt.pk}"
            trail.record_request(request, f"provisioning.{name}", subject=subject, reason=reason)
            attempt.refresh_from_db()
            messages.success(request, f"{attempt.order_id}: {attempt.get_state_display()}")


@admin.register(Attempt)
class AttemptAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["created_at", "order_id", "state", "error_code", "step", "whmcs_order_id", "finished_at"]
    list_filter = ["state", FailureCode, "created_at"]
    list_select_related = ["event"]
    search_fields = ["order_id__startswith", "idem_key__exact", "correlation_id__exact", "whmcs_order_id__exact"]
    search_help_text = _("Order number, Salesforce order id, key of the event, correlation id, WHMCS order id")
    show_full_result_count = False
    inlines = [StepInline, ReportInline]
    fields = [
        ("order_id", "state", "whmcs_order_id"),
        ("error_text", "remedy"),
        "calls",
        "inbox_event",
        ("idem_key", "correlation_id"),
        ("epoch", "lease_until", "step"),
        ("created_at", "started_at", "finished_at"),
    ]
    readonly_fields = ["remedy", "calls", "inbox_event"]
    action_form = DecisionForm
    actions = ["request_again", "look_again", "release", "adopt", "mark_failed", "create_anew"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Attempt], search_term: str
    ) -> tuple[QuerySet[Attempt], bool]:
        """The number a customer reads out leads to its attempts, too. A key contains a space, so all is one phrase."""
        sf_order_id = Order.objects.filter(number=search_term.strip().upper()).values_list("sf_order_id", flat=True)
        term = next(iter(sf_order_id), None) or search_term.strip().replace('"', "")
        return super().get_search_results(request, queryset, f'"{term}"' if term else "")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(OPERATOR)

    @admin.display(description=_("What it means and what to do"))
    def remedy(self, attempt: Attempt) -> str:
        told = explain(attempt.error_code, cause=attempt.error_text.partition(": ")[2])
        return f"{told.happened} {told.next_step}" if told else "–"

    @admin.display(description=_("Calls that must not be repeated"))
    def calls(self, attempt: Attempt) -> SafeString | str:
        calls = RemoteCall.objects.filter(owner=owner_of(attempt.pk)).order_by("id")
        rows = [(_address(each), each.operation, each.get_state_display(), each.quarantine_until) for each in calls]
        return format_html_join("", '<div><a href="{}">{}</a>: {} ({})</div>', rows) or "–"

    @admin.display(description=_("Event"))
    def inbox_event(self, attempt: Attempt) -> SafeString | str:
        if attempt.event is None:
            return "–"
        return format_html('<a href="{}">{}</a>', _address(attempt.event), attempt.event.event_uuid)

    @admin.action(description=_("Request provisioning again (Failed becomes Activating)"), permissions=["decide"])
    def request_again(self, request: HttpRequest, attempts: QuerySet[Attempt]) -> None:
        decide(request, attempts, "request_again", staff.request_again)

    @admin.action(description=_("Look into WHMCS again"), permissions=["decide"])
    def look_again(self, request: HttpRequest, attempts: QuerySet[Attempt]) -> None:
        decide(request, attempts, "look_again", staff.look_again)

    @admin.action(description=_("It does not exist in WHMCS: allow a new one"), permissions=["decide"])
    def release(self, request: HttpRequest, attempts: QuerySet[Attempt]) -> None:
        decide(request, attempts, "release", staff.release)

    @admin.action(description=_("Adopt the WHMCS order with this id"), permissions=["decide"])
    def adopt(self, request: HttpRequest, attempts: QuerySet[Attempt]) -> None:
        whmcs_order_id = request.POST.get("whmcs_order_id", "")
        if not whmcs_order_id.isdecimal() or attempts.count() != 1:
            messages.error(request, _("Choose one attempt and give the id of its WHMCS order."))
            return

        def adopt(attempt: Attempt, decision: Decision) -> bool:
            return staff.adopt(attempt, int(whmcs_order_id), decision)

        decide(request, attempts, "adopt", adopt)

    @admin.action(description=_("End as failed"), permissions=["decide"])
    def mark_failed(self, request: HttpRequest, attempts: QuerySet[Attempt]) -> None:
        decide(request, attempts, "mark_failed", staff.mark_failed)

    @admin.action(description=_("Its WHMCS order was cancelled on purpose: create anew"), permissions=["decide"])
    def create_anew(self, request: HttpRequest, attempts: QuerySet[Attempt]) -> None:
        decide(request, attempts, "create_anew", staff.create_anew)


@admin.register(InboxEvent)
class InboxEventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["received_at", "order_id", "state", "source", "idem_key", "note"]
    list_filter = ["state", "source"]
    search_fields = ["event_uuid", "order_id", "idem_key", "correlation_id"]
    exclude = ["payload", "replay_id"]


@admin.register(Outbox)
class OutboxAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["created_at", "kind", "order_id", "state", "tries", "refusals", "next_try_at", "last_error"]
    list_filter = ["state", "kind"]
    search_fields = ["order_id", "correlation_id"]
    list_select_related = ["attempt"]
    action_form = DecisionForm
    actions = ["send_again"]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(OPERATOR)

    @admin.action(description=_("Send again what was refused"), permissions=["decide"])
    def send_again(self, request: HttpRequest, rows: QuerySet[Outbox]) -> None:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            messages.error(request, _("Give a reason: it is kept with the attempt."))
            return
        assert isinstance(request.user, User)
        for row in rows:
            outbox.send_again(row, by=request.user.email, reason=reason)
            trail.record_request(request, "provisioning.send_again", subject=f"outbox:{row.pk}", reason=reason)


@admin.register(EventCursor)
class EventCursorAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["topic", "connected", "leader", "saved_at", "last_message_at", "last_error"]
    exclude = ["replay_id"]


@admin.register(Pause)
class PauseAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The one row can be changed by Operators; saving goes through the flows."""

    list_display = ["__str__", "reason", "until", "set_by", "breaker_until"]
    fields = ["paused", "reason", "until", "set_by", "unreachable_in_a_row", "breaker_until"]
    readonly_fields = ["set_by", "unreachable_in_a_row", "breaker_until"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("provisioning.change_pause")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if "reason" in form.base_fields:
            form.base_fields["reason"].required = True
        return form

    def save_model(self, request: HttpRequest, obj: Pause, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        if obj.paused:
            pause.pause(by=request.user.email, reason=obj.reason, until=obj.until)
        else:
            pause.resume(by=request.user.email, reason=obj.reason)
        trail.record_request(request, "provisioning.pause" if obj.paused else "provisioning.resume", reason=obj.reason)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        Pause.objects.get_or_create(pk=1)
        return super().changelist_view(request, extra_context)


def _address(row: RemoteCall | InboxEvent) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
