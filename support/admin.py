"""Cases as staff see them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from support import cases
from support.models import Case


@admin.register(Case)
class CaseAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read only; a waiting case can be tried again."""

    list_display = (
        "id",
        "kind",
        "subject",
        "state",
        "sf_case_id",
        "sf_account_id",
        "user_id",
        "tries",
        "last_error",
        "created_at",
    )
    list_filter = ("state",)
    search_fields = ("sf_case_id__exact", "sf_account_id__exact", "user_id__exact", "kind__exact", "cause__startswith")
    actions = ("try_again",)
    show_full_result_count = False

    @admin.action(description=_("Try again now"), permissions=["change"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Case]) -> None:
        for pk in queryset.values_list("pk", flat=True):
            cases.try_again(pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Case | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Case | None = None) -> list[str]:
        return [field.name for field in Case._meta.fields]
