"""E-mails as staff see them: state, what was said, another copy."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template import TemplateDoesNotExist
from django.utils.translation import gettext_lazy as _

from notifications import sending
from notifications.models import Email
from notifications.rendering import Unsendable, render


@admin.register(Email)
class EmailAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read only; another copy can be sent."""

    list_display = ("id", "template", "to", "language", "state", "tries", "last_error", "created_at", "sent_at")
    list_filter = ("state",)
    search_fields = (
        "to__exact",
        "cause__exact",
        "message_id__exact",
        "correlation_id__exact",
        "user_id__exact",
        "template__exact",
    )
    actions = ("resend",)
    exclude = ("secret_context",)
    show_full_result_count = False

    @admin.display(description=_("what it says"))
    def preview(self, email: Email) -> str:
        """The text part; codes and links that sign in are left out."""
        try:
            return render(email, with_secret=False).text
        except (Unsendable, TemplateDoesNotExist) as error:
            return type(error).__name__

    @admin.action(description=_("Send another copy"), permissions=["change"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Email]) -> None:
        for pk in queryset.values_list("pk", flat=True):
            try:
                sending.resend(pk)
            except sending.CannotResend:
                self.message_user(
                    request,
                    _("E-mail %(id)s held a code that is gone. The customer can ask for a new one.") % {"id": pk},
                    messages.ERROR,
                )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Email | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Email | None = None) -> list[str]:
        return ["preview", *(field.name for field in Email._meta.fields if field.name != "secret_context")]
