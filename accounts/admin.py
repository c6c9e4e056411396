"""Customers as staff see them: found by any name or number, nothing deleted."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.identity.admin import IdentityCheckAdmin
from accounts.journey_admin import IDS, ReadOnly, SignupJourneyAdmin
from accounts.models import CustomerLink, IdentityCheck, User
from accounts.profile.admin import ProfileSyncAdmin
from accounts.security import rights
from accounts.security.admin import SupportActions
from audit import trail

__all__ = ["CustomerLinkAdmin", "ProfileSyncAdmin", "SignupJourneyAdmin", "UserAdmin"]
admin.site.register(IdentityCheck, IdentityCheckAdmin)


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
    for_superusers = ("is_staff",)  # who is disabled or enabled is by its actions, which do what belongs to it

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


def _from_link(user: User, name: str) -> str:
    link = getattr(user, "link", None)
    value = getattr(link, name) if isinstance(link, CustomerLink) else None
    return "" if value is None else str(value)
