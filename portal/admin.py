"""What other packages bring into the admin, by our rules: nothing is deleted there, and queues are the Operators'."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.admin import EmailAddress
from allauth.mfa.admin import Authenticator
from allauth.usersessions.admin import UserSession
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django_rq.admin import QueueAdmin
from django_rq.models import Dashboard

from audit import trail
from portal.staff.customer import CustomerAdmin

__all__ = ["CustomerAdmin", "QueuesAdmin", "StaffGroupAdmin"]

OPERATE = "provisioning.change_pause"  # what Operators may and customer support may not

# Second factors, confirmed addresses and sessions are the user's own; a changed row would by-pass the rules about them.
admin.site.unregister([Authenticator, EmailAddress, UserSession, Dashboard, Group])


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin):
    """What members of staff may do; each permission given to a group or taken from it is written down."""

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        before = _permissions(obj)
        super().save_model(request, obj, form, change)
        form.save_m2m()
        after = _permissions(obj)
        for action, names in (("permission_given", after - before), ("permission_taken", before - after)):
            for name in sorted(names):
                trail.record_request(request, action, subject=f"group:{obj.pk} {name}"[:120])

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Dashboard)
class QueuesAdmin(QueueAdmin):  # type: ignore[misc]
    """django-rq's pages, which by themselves open to all staff (decisions.md 36)."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _operates(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _operates(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """Every page asks for the permission first, those with a token of their own included."""
        patterns: list[URLPattern] = super().get_urls()
        for pattern in patterns:
            pattern.callback = _for_operators(self.admin_site.admin_view(pattern.callback))
        return patterns


def _permissions(group: Group) -> set[str]:
    """The group's permissions as the database has them, as `app.codename`; none of a group that is only being made."""
    held = Permission.objects.filter(group__pk=group.pk).select_related("content_type")
    return {f"{each.content_type.app_label}.{each.codename}" for each in held}


def _operates(request: HttpRequest) -> bool:
    return request.user.has_perm(OPERATE)


def _for_operators(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if getattr(request.user, "is_staff", False) and not _operates(request):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded
