"""Customer support's decisions about signing in, as actions of the list of users: with a reason, audited."""

from collections.abc import Callable

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.security import support
from audit import trail


class SupportForm(ActionForm):
    """Every decision needs a reason; correcting an address needs the right one."""

    reason = forms.CharField(max_length=200, required=False, label=_("Reason"))
    email = forms.CharField(max_length=254, required=False, label=_("Right e-mail address (to correct)"))


class SupportActions(admin.ModelAdmin):  # type: ignore[type-arg]
    """Goes among the bases of the page of users."""

    action_form = SupportForm
    actions = ("resend_verification", "correct_email", "remove_second_factor", "disable", "enable")

    @admin.action(description=_("Send the way back to an unfinished sign-up"), permissions=["change"])
    def resend_verification(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        _decide(request, queryset, support.resend_verification)

    @admin.action(description=_("Correct an unconfirmed e-mail address"), permissions=["change"])
    def correct_email(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        def correct_email(user: User) -> None:
            support.correct_email(user, request.POST.get("email", ""))

        _decide(request, queryset, correct_email)

    @admin.action(description=_("Remove the second factor"), permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        _decide(request, queryset, support.remove_second_factor)

    @admin.action(description=_("Disable: sign out and refuse signing in"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        _decide(request, queryset, support.disable)

    @admin.action(description=_("Enable again"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        _decide(request, queryset, support.enable)


def _decide(request: HttpRequest, users: QuerySet[User], act: Callable[[User], None]) -> None:
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, _("Give a reason: it is kept in the audit trail."))
        return
    for user in users:
        try:
            _carry_out(request, user, act, reason)
        except support.NotPossible as refusal:
            messages.error(request, f"{user.email}: {refusal}")
        else:
            messages.success(request, _("%(email)s: done") % {"email": user.email})


def _carry_out(request: HttpRequest, user: User, act: Callable[[User], None], reason: str) -> None:
    """One decision and its entry in the trail, or neither; about colleagues only a superuser decides."""
    if user.is_staff and not getattr(request.user, "is_superuser", False):
        raise support.NotPossible(_("Only a superuser decides about members of staff."))
    try:
        with transaction.atomic():
            act(User.objects.select_for_update(of=("self",)).get(pk=user.pk))
            subject = f"user:{user.pk}"
            trail.record_request(request, f"user.{act.__name__}", user_id=user.pk, subject=subject, reason=reason)
    except IntegrityError:
        raise support.NotPossible(_("This e-mail address belongs to an account already.")) from None
