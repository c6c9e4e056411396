"""What other packages bring into the admin, by our rules: nothing is deleted there, and queues are the Operators'."""

from typing import Any

from allauth.account.admin import EmailAddress
from allauth.mfa.admin import Authenticator
from allauth.usersessions.admin import UserSession
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group, Permission
from django.http import HttpRequest
from django_rq.models import Dashboard

from audit import trail
from portal.staff.customer import CustomerAdmin
from portal.staff.queues import QueuesAdmin

__all__ = ["CustomerAdmin", "QueuesAdmin", "StaffGroupAdmin"]

# Second factors, confirmed addresses and sessions are the user's own; a changed row would by-pass the rules about them.
admin.site.unregister([Authenticator, EmailAddress, UserSession, Dashboard, Group])


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin):
    """What members of staff may do; each permission given to a group or taken from it is written down."""

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        before = _permissions(obj) if change else set()  # of no group, "held by none" would be the answer
        super().save_model(request, obj, form, change)
        form.save_m2m()
        after = _permissions(obj)
        for action, names in (("permission_given", after - before), ("permission_taken", before - after)):
            for name in sorted(names):
                trail.record_request(request, action, subject=f"group:{obj.pk} {name}"[:120])

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _permissions(group: Group) -> set[str]:
    """The group's permissions as the database has them, as `app.codename`. Not of one that is only being made."""
    held = Permission.objects.filter(group__pk=group.pk).select_related("content_type")
    return {f"{each.content_type.app_label}.{each.codename}" for each in held}


admin.site.register(Dashboard, QueuesAdmin)
