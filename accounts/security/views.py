"""Signing in, and where one is signed in."""

from typing import Any

from allauth.account.views import LoginView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import user_of
from accounts.security import sessions
from accounts.security.devices import describe, is_handheld
from audit import trail

TOO_MANY = {"too_many_login_attempts", "wait"}


class SignIn(LoginView):
    """allauth's page; a try that came too early is answered with status 429."""

    def form_invalid(self, form: Any) -> Any:
        response = super().form_invalid(form)
        if TOO_MANY & {error.code for error in form.non_field_errors().as_data()}:
            response.status_code = 429
        return response


@login_required
@require_GET
@never_cache
def signed_in_devices(request: HttpRequest) -> HttpResponse:
    """Where the user is signed in, and signing out from there."""
    current = request.session.session_key
    devices = [
        {
            "id": row.pk,
            "name": describe(row.user_agent),
            "icon": "phone" if is_handheld(row.user_agent) else "laptop",
            "ip": row.ip,
            "begun": row.created_at,
            "seen": row.last_seen_at,
            "is_this": row.session_key == current,
        }
        for row in sessions.listed(user_of(request))
    ]
    return render(request, "accounts/devices.html", {"devices": devices})


@login_required
@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Signs one of the user's own other devices out; somebody else's does not exist."""
    user = user_of(request)
    if not sessions.end(user.pk, keep=request.session.session_key, only=session_id):
        raise Http404
    trail.record_request(request, "session_ended", user_id=user.pk, subject="one")
    messages.success(request, _("That device is signed out."))
    return redirect("devices")


@login_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Signs every other device out."""
    user = user_of(request)
    ended = sessions.end(user.pk, keep=request.session.session_key)
    trail.record_request(request, "session_ended", user_id=user.pk, subject="others")
    messages.success(
        request,
        ngettext("%(count)s other device is signed out.", "%(count)s other devices are signed out.", ended)
        % {"count": ended},
    )
    return redirect("devices")
