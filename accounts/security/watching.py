"""What follows from a changed password or second factor: the other devices are signed out."""

from typing import Any

from allauth.account.signals import password_changed, password_reset
from allauth.core.internal.ratelimit import get_ip
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.http import HttpRequest

from accounts.models import User
from accounts.security import backoff, second_factor, sessions
from audit import trail


def watch() -> None:
    """Signs other devices out from now on whenever how an account is opened changes; called once per process."""
    for signal in (password_changed, password_reset):
        signal.connect(_password, dispatch_uid="accounts.security")
    authenticator_added.connect(_first_factor, dispatch_uid="accounts.security.first")
    for signal in (authenticator_added, authenticator_removed, authenticator_reset):
        signal.connect(_second_factor, dispatch_uid="accounts.security")


def _password(request: HttpRequest, user: User, **_: Any) -> None:
    sessions.end(user.pk, keep=request.session.session_key if request.user.is_authenticated else None)
    backoff.forget("password", user.email, get_ip(request))
    trail.record("password_changed", actor_id=user.pk, user_id=user.pk, ip=trail.visitor_address(request))


def _second_factor(request: HttpRequest, user: User, **_: Any) -> None:
    sessions.end(user.pk, keep=request.session.session_key)
    trail.record_request(request, "second_factor_changed", user_id=user.pk)


def _first_factor(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    second_factor.note_first(request, user, authenticator)
