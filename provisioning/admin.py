"""Provisioning as staff see it: read-only pages, and the decisions of provisioning.staff as confirmed actions."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit import trail
from audit.confirming import confirmation, reason_of
from journal.admin import ReadOnly
from journal.models import RemoteCall
from orders.models import Order
from orders.staff_filters import FixedFilter
from provisioning import outbox, pause
from provisioning.decisions import decide, write_down
from provisioning.failures import Code
from provisioning.models import Attempt, EventCursor, InboxEvent, Inspection, Outbox, Pause, Step, Task
from provisioning.ordering import owner_of
from provisioning.situation import ACTIONS, admin_page, japan_time, situation_of
from provisioning.task_admin import InspectionAdmin, TaskAdmin

OPERATOR = "provisioning.change_attempt"
admin.site.register(Task, TaskAdmin)
admin.site.register(Inspection, InspectionAdmin)


class FailureCode(FixedFilter):
    title = _("error code")
    parameter_name = "error_code"
    values = {str(code): str(code) for code in Code}


class StepInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Step
    fields = ["name", "state", "started_at", "seconds", "result"]
    readonly_fields = ["name", "state", "started_at", "seconds", "result"]
    extra = 0
    can_delete = False

    @admin.display(description=_("Seconds"))
    def seconds(self, step: Step) -> str:
        """How long it took; nothing while it is under way."""
        return f"{(step.finished_at - step.started_at).total_seconds():.1f}" if step.finished_at else "–"

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


@admin.register(Attempt)
class AttemptAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["created_at", "order_id", "state", "error_code", "age", "step", "whmcs_order_id"]
    list_filter = ["state", FailureCode, "created_at"]
    list_select_related = ["event"]
    search_fields = ["order_id__startswith", "idem_key__exact", "correlation_id__exact", "whmcs_order_id__exact"]
    search_help_text = _(
        "Order number, Salesforce order id, WHMCS order or service id, key of the event, correlation id"
    )
    show_full_result_count = False
    inlines = [StepInline, ReportInline]
    fields = [
        ("order_id", "state", "whmcs_order_id"),
        "error_text",
        "calls",
        "inbox_event",
        ("idem_key", "correlation_id"),
        ("epoch", "lease_until", "step"),
        ("ticket_ref", "check_at", "give_up_at"),
        ("created_at", "started_at", "finished_at"),
    ]
    readonly_fields = ["calls", "inbox_event"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Attempt], search_term: str
    ) -> tuple[QuerySet[Attempt], bool]:
        """The number a customer reads out leads to its attempts, too. A key contains a space, so all is one phrase."""
        typed = search_term.strip().replace('"', "")
        named = Q(number=typed.upper())
        if typed.isdecimal() and len(typed) < 19:
            named |= Q(lines__whmcs_service_id=int(typed))
        of_order = set(Order.objects.filter(named).exclude(sf_order_id=None).values_list("sf_order_id", flat=True))
        found, distinct = super().get_search_results(request, queryset, f'"{typed}"' if typed else "")
        return (found | queryset.filter(order_id__in=of_order)) if of_order else found, distinct

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The decisions that the pages explain; nothing else can be done to attempts."""
        return dict(_DECISIONS) if self.has_decide_permission(request) else {}

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(OPERATOR)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Adds what happened, what to do, and what may be decided."""
        context |= {"situation": situation_of(context["original"]), "may_decide": self.has_decide_permission(request)}
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("Age"), ordering="created_at")
    def age(self, attempt: Attempt) -> str:
        """How long it took, or has been taking."""
        return timesince(attempt.created_at, attempt.finished_at, depth=1)

    @admin.display(description=_("Calls that must not be repeated"))
    def calls(self, attempt: Attempt) -> SafeString | str:
        calls = RemoteCall.objects.filter(owner=owner_of(attempt.pk)).order_by("id")
        rows = [
            (admin_page(each), each.operation, each.get_state_display(), japan_time(each.quarantine_until))
            for each in calls
        ]
        return format_html_join("", '<div><a href="{}">{}</a>: {} ({})</div>', rows) or "–"

    @admin.display(description=_("Event"))
    def inbox_event(self, attempt: Attempt) -> SafeString | str:
        if attempt.event is None:
            return "–"
        return format_html('<a href="{}">{}</a>', admin_page(attempt.event), attempt.event.event_uuid)


def _decision(name: str) -> Callable[..., HttpResponse | None]:
    def action(_admin: AttemptAdmin, request: HttpRequest, attempts: QuerySet[Attempt]) -> HttpResponse | None:
        return decide(request, attempts, name)

    return action


_DECISIONS = {name: (_decision(name), name, action.label) for name, action in ACTIONS.items()}


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
    actions = ["send_again"]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(OPERATOR)

    @admin.action(description=_("Send again what was refused"), permissions=["decide"])
    def send_again(self, request: HttpRequest, rows: QuerySet[Outbox]) -> HttpResponse | None:
        reason = reason_of(request)
        if not reason:
            label, effect = gettext("Send again what was refused"), gettext("Salesforce is asked again at once.")
            return confirmation(request, rows, action="send_again", label=label, effect=effect)
        assert isinstance(request.user, User)
        for row in rows:
            outbox.send_again(row, by=request.user.email, reason=reason)
            write_down(request, "send_again", row, reason)
        return None


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
