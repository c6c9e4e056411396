"""The trail, to be read."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from audit.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Searched by user, thing and correlation id; nothing can be changed."""

    list_display = ("at", "action", "subject", "actor_id", "user_id", "reason", "ip")
    list_filter = ("action", "at")
    search_fields = ("actor_id__exact", "user_id__exact", "subject__startswith", "correlation_id__exact")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
