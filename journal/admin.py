"""The journal as staff read it; what it says is changed by flows alone."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from journal.models import RemoteCall, RemoteFact, Round


class ReadOnly:
    """No adding, changing or deleting by hand."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(RemoteCall)
class RemoteCallAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["created_at", "subject", "operation", "state", "quarantine_until", "error_code", "released_by"]
    list_filter = ["state", "operation"]
    search_fields = ["subject", "owner"]
    ordering = ["-created_at"]


@admin.register(RemoteFact)
class RemoteFactAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["subject", "kind", "remote_id", "state", "updated_at"]
    list_filter = ["kind", "state"]
    search_fields = ["subject", "remote_id"]


@admin.register(Round)
class RoundAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "started_at", "succeeded_at", "actions"]
    ordering = ["name"]
