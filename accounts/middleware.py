"""Sessions end in time, and staff pages need a second factor (decisions.md 6 and 7)."""

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import drafts
from accounts.access import is_ours
from accounts.models import User
from accounts.security import second_factor, sessions
from accounts.security.sessions import Over
from audit import trail

GetResponse = Callable[[HttpRequest], HttpResponse]
READING = ("GET", "HEAD", "OPTIONS")


def session_limits(get_response: GetResponse) -> GetResponse:
    """Ends sessions that lay idle or lasted too long, and those of accounts that were closed; says why.

    Who was reading goes on as a visitor (pages of customers then ask to sign in and lead back); who was sending a form
    signs in first and comes back to the page with that form – also when the session was ended elsewhere – and, where
    it takes part (`drafts`), with what was typed. A page that asks for news by itself keeps nobody signed in, and is
    not what uses the message up.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        if not isinstance(user, User):
            return _back_to_form(request, get_response(request))
        by_itself = request.headers.get("X-Requested-With") == "fetch" and request.method in READING  # static/portal.js
        over = sessions.check(request, user, is_sign_of_life=not by_itself)
        if over is None:
            return get_response(request)
        if by_itself:
            return HttpResponse(status=401)
        _end(request, user, over)
        if request.method not in READING:
            drafts.keep(request)
        return get_response(request) if request.method in READING else redirect_to_login(page_of_form(request))

    return middleware


def staff_second_factor(get_response: GetResponse) -> GetResponse:
    """Opens admin pages to staff in sessions in which a second factor was used.

    Who has none is sent to where an authenticator app is set up; who has one and signed in without it – before it was
    set up, or before they were staff – proves it first and comes back.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        if not request.path.startswith(reverse("admin:index")) or not isinstance(user, User) or not user.is_staff:
            return get_response(request)
        kinds = second_factor.kinds_of(user)
        if not kinds:
            messages.warning(request, _("Staff pages need a second factor. Set up an authenticator app first."))
            return redirect("mfa_activate_totp")
        if not second_factor.is_proved(request, user):
            messages.warning(request, _("Staff pages need your second factor, and this session was begun without it."))
            back = request.get_full_path() if request.method in READING else reverse("admin:index")
            return redirect_to_login(back, second_factor.page_that_asks(kinds))
        return get_response(request)

    return middleware


def _end(request: HttpRequest, user: User, over: Over) -> None:
    sessions.end_key(request.session.session_key)
    request.session.flush()
    request.user = AnonymousUser()
    trail.record("session_ended", user_id=user.pk, subject=over.value, ip=trail.visitor_address(request))
    messages.warning(request, _why(user, over))


def _why(user: User, over: Over) -> str:
    if over is Over.CLOSED:
        return _("You are signed out because this account is closed. If that is a mistake, write to us.")
    if over is Over.WHOLE:
        return _("For your safety we ask you to sign in again after some time, and yours is up.")
    if user.is_staff:
        return _("You are signed out because nothing happened for 30 minutes. Sign in to go on where you were.")
    return _("You are signed out because you were not here for two weeks. Sign in to go on where you were.")


def _back_to_form(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Where a visitor's form was sent to is often no page: signing in leads to the one it was on, if that is known."""
    if request.method in READING or answer.get("Location") != redirect_to_login(request.get_full_path()).url:
        return answer
    drafts.keep(request)
    is_known = is_ours(request, request.headers.get("Referer", ""))
    return redirect_to_login(page_of_form(request)) if is_known else answer


def page_of_form(request: HttpRequest) -> str:
    """The page the form was on, if the browser names it and it is ours; else the overview."""
    page = request.headers.get("Referer", "")
    parts = urlsplit(page) if is_ours(request, page) else None
    path = urlunsplit(("", "", parts.path, parts.query, "")) if parts else ""
    return path if is_ours(request, path) else reverse("dashboard")  # https://ours//evil/x has the path //evil/x
