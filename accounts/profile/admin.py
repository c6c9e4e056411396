"""What customers changed about themselves and how far it got, as staff see it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import ProfileSync
from accounts.profile import syncing


class Sent(admin.SimpleListFilter):
    """What has not reached the other systems, by whether the portal still tries."""

    title = pgettext_lazy("details", "sent")
    parameter_name = "sent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("not yet")), ("refused", _("given up, support has a case"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = {"no": syncing.unsent, "refused": syncing.given_up}.get(self.value() or "")
        return queryset.filter(pk__in=wanted().values("pk")) if wanted else queryset


@admin.register(ProfileSync)
class ProfileSyncAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read only; what waits or was given up can be sent at once."""

    list_display = (
        "user",
        "parts",
        "wanted",
        "whmcs_has",
        "salesforce_has",
        "due_since",
        "tries",
        "next_try_at",
        "error_code",
    )
    list_filter = (Sent,)
    list_select_related = ("user",)
    search_fields = ("user__email__istartswith", "user__family_name__istartswith", "error_code__exact")
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("try_again",)

    @admin.action(description=_("Try again now"), permissions=["change"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[ProfileSync]) -> None:
        for user_id in queryset.values_list("user_id", flat=True):
            syncing.try_again(user_id)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ProfileSync | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: ProfileSync | None = None) -> list[str]:
        return [field.name for field in ProfileSync._meta.fields]
