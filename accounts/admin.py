"""Customers as staff see them: found by any name or number, nothing deleted."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import names, signup
from accounts.identity.admin import IdentityCheckAdmin
from accounts.journeys import NotAllowed
from accounts.models import CustomerLink, IdentityCheck, SignupJourney, User
from accounts.profile.admin import ProfileSyncAdmin
from accounts.security import rights
from accounts.security.admin import SupportActions
from audit import trail

__all__ = ["CustomerLinkAdmin", "ProfileSyncAdmin", "SignupJourneyAdmin", "UserAdmin"]
admin.site.register(IdentityCheck, IdentityCheckAdmin)
IDS = ("sf_account_id", "sf_contact_id", "sf_account_no", "whmcs_client_id")


# Lists filter by choices only: Django asks for all values of any other field, which is slow on a large table.


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Found and read, not edited, added or deleted here; what may be done are named actions."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [field.name for field in self.model._meta.fields]


@admin.register(User)
class UserAdmin(SupportActions, ReadOnly):
    """People who sign in; superusers make staff of them, leads of customer support help them back in."""

    list_display = (
        "email",
        "full_name",
        "customer_number",
        "whmcs_client",
        "sf_account",
        "language",
        "is_staff",
        "date_joined",
    )
    list_filter = ("is_staff", "is_active", "language", "journey__state")
    list_select_related = ("link",)
    search_fields = (
        "email__istartswith",
        "given_name__istartswith",
        "family_name__istartswith",
        "link__sf_account_no__exact",
        "link__whmcs_client_id__exact",
        "link__sf_account_id__exact",
        "link__sf_contact_id__exact",
    )
    ordering = ("-id",)
    exclude = ("password", "user_permissions")
    filter_horizontal = ("groups",)
    for_superusers = ("is_active", "is_staff")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        fields = [name for name in super().get_readonly_fields(request, obj) if name != "password"]
        if getattr(request.user, "is_superuser", False):
            return [name for name in fields if name not in self.for_superusers]
        return [*fields, "groups"]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """What they may do afterwards and could not before, or no longer, goes into the trail by name."""
        before = rights.of(obj)
        super().save_model(request, obj, form, change)
        form.save_m2m()  # the groups as well, so that all of it is told at once
        rights.changed(obj, before, actor_id=request.user.pk, ip=trail.visitor_address(request))

    @admin.display(description=_("full name"))
    def full_name(self, user: User) -> str:
        return names.full_name(user)

    @admin.display(description=_("customer number"))
    def customer_number(self, user: User) -> str:
        return _from_link(user, "sf_account_no")

    @admin.display(description=_("WHMCS client"))
    def whmcs_client(self, user: User) -> str:
        return _from_link(user, "whmcs_client_id")

    @admin.display(description=_("Salesforce account"))
    def sf_account(self, user: User) -> str:
        return _from_link(user, "sf_account_id")


@admin.register(CustomerLink)
class CustomerLinkAdmin(ReadOnly):
    """Which user is which customer."""

    list_display = (
        "user",
        "state",
        *IDS,
        "internet_eligibility_status",
        "identity_status",
        "has_payment_method",
        "created_at",
    )
    list_filter = ("state", "has_payment_method")
    list_select_related = ("user",)
    search_fields = ("user__email__istartswith", "user__family_name__istartswith", *(f"{name}__exact" for name in IDS))
    ordering = ("-id",)


@admin.register(SignupJourney)
class SignupJourneyAdmin(ReadOnly):
    """Where each sign-up stands, and what staff can decide."""

    list_display = (
        "user",
        "kind",
        "state",
        "step",
        "error_code",
        "claimed_number",
        "tries",
        "next_try_at",
        *IDS[:3],
        "created_at",
    )
    list_filter = ("state", "step", "kind")
    list_select_related = ("user",)
    search_fields = (
        "user__email__istartswith",
        "user__family_name__istartswith",
        "claimed_number__exact",
        "error_code__exact",
        "ref__exact",
        *(f"{name}__exact" for name in IDS),
    )
    ordering = ("-id",)
    actions = ("advance_now", "accept_claims", "reject_claims")

    @admin.action(description=_("Try again now"), permissions=["change"])
    def advance_now(self, request: HttpRequest, queryset: QuerySet[SignupJourney]) -> None:
        self._each(request, queryset, signup.resume)

    @admin.action(description=_("The number is theirs: link the account"), permissions=["change"])
    def accept_claims(self, request: HttpRequest, queryset: QuerySet[SignupJourney]) -> None:
        self._each(request, queryset, signup.accept_claim)

    @admin.action(description=_("The number is not theirs: go on as a new customer"), permissions=["change"])
    def reject_claims(self, request: HttpRequest, queryset: QuerySet[SignupJourney]) -> None:
        self._each(request, queryset, signup.reject_claim)

    def _each(self, request: HttpRequest, queryset: QuerySet[SignupJourney], decide: Callable[[int], None]) -> None:
        for journey in queryset:
            try:
                decide(journey.pk)
            except NotAllowed:
                words = _("Journey %(id)s is not waiting for this.") % {"id": journey.pk}
                self.message_user(request, words, messages.ERROR)
            else:
                self.log_change(request, journey, decide.__name__)
                subject = f"journey:{journey.pk}"
                trail.record_request(request, f"signup.{decide.__name__}", user_id=journey.user_id, subject=subject)


def _from_link(user: User, name: str) -> str:
    link = getattr(user, "link", None)
    value = getattr(link, name) if isinstance(link, CustomerLink) else None
    return "" if value is None else str(value)
