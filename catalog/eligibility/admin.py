"""Address checks as staff see them: for reading; what they say is changed by flows alone."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from catalog.eligibility import places
from catalog.eligibility.models import EligibilityRequest
from catalog.eligibility.status import late
from journal.admin import ReadOnly


class Waiting(admin.SimpleListFilter):
    """Those that a customer has waited for longer than we said."""

    title = _("waiting")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("late", _("longer than four days"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return late(queryset) if self.value() == "late" else queryset


@admin.register(EligibilityRequest)
class EligibilityRequestAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("created_at", "customer", "state", "offered", "answer", "in_salesforce", "tries", "error_code")
    list_filter = ("state", "offered", Waiting)
    list_select_related = ("user",)
    show_full_result_count = False
    ordering = ("-id",)
    search_fields = (
        "user__email__istartswith",
        "ref__exact",
        "sf_case_id__exact",
        "sf_opportunity_id__exact",
        "sf_account_id__exact",
    )

    readonly_fields = ("address", "in_salesforce", "ref", "created_at", "updated_at")
    fields = (
        "user",
        "address",
        "home",
        "state",
        ("offered", "answer"),
        ("created_at", "requested_at", "answered_at"),
        "in_salesforce",
        ("sf_case_id", "sf_opportunity_id", "sf_account_id"),
        "ref",
        ("tries", "error_code"),
        ("next_try_at", "lease_until", "updated_at"),
    )

    @admin.display(description=_("customer"))
    def customer(self, request: EligibilityRequest) -> str:
        return request.user.email if request.user else str(_("a visitor"))

    @admin.display(description=_("in Salesforce"))
    def in_salesforce(self, request: EligibilityRequest) -> str:
        return case_link(request)

    @admin.display(description=_("address"))
    def address(self, request: EligibilityRequest) -> str:
        return places.one_line(request)


def case_link(request: EligibilityRequest) -> str:
    """The Case in Salesforce, as a link where SF_LIGHTNING_URL is set."""
    if not request.sf_case_id:
        return "–"
    if not settings.SF_LIGHTNING_URL:
        return request.sf_case_id
    url = f"{settings.SF_LIGHTNING_URL}/lightning/r/Case/{request.sf_case_id}/view"
    return format_html('<a href="{}">{}</a>', url, request.sf_case_id)
