"""The queues for operators: django-rq's pages, by our rules (decisions.md 36)."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django_rq.admin import QueueAdmin

OPERATE = "provisioning.change_pause"  # what Operators may and customer support may not
# Styles, scripts and handlers inside a page, each of which the content security policy refuses; and Django's script for
# lists, which fails on these, with the box "all" that does nothing without it. The pages read and work without.
REFUSED = re.compile(
    rb'<style\b[^>]*>.*?</style>|<script\b(?![^>]*\bsrc=)[^>]*>.*?</script>|\s(?:style|on[a-z]+)="[^"]*"'
    rb'|<script\b[^>]*/actions\.js"[^>]*></script>|<input\b[^>]*\bid="action-toggle"[^>]*>',
    re.DOTALL | re.IGNORECASE,
)


class QueuesAdmin(QueueAdmin):  # type: ignore[misc]
    """django-rq's pages, which by themselves open to all staff and have code inside."""

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


def _operates(request: HttpRequest) -> bool:
    return request.user.has_perm(OPERATE)


def _for_operators(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if getattr(request.user, "is_staff", False) and not _operates(request):
            raise PermissionDenied
        return _without_refused(view(request, *args, **kwargs))

    return guarded


def _without_refused(answer: HttpResponse) -> HttpResponse:
    """The same page without what a browser refuses or complains of; what others wrote is escaped and never matches."""
    if hasattr(answer, "render"):  # Django's own pages are written later
        answer.render()
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        answer.content = REFUSED.sub(b"", answer.content)
    return answer
