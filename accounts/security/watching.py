"""What follows from a changed password, second factor or e-mail address."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_changed, password_changed, password_reset
from allauth.core.internal.ratelimit import get_ip
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.profile.saving import send_email_address
from accounts.security import backoff, second_factor, sessions
from audit import trail


def watch() -> None:
    """From now on a changed password or second factor signs other devices out, and a changed e-mail address is told to
    the other systems; called once per process."""
    for signal in (password_changed, password_reset):
        signal.connect(_password, dispatch_uid="accounts.security")
    authenticator_added.connect(_first_factor, dispatch_uid="accounts.security.first")
    for signal in (authenticator_added, authenticator_removed, authenticator_reset):
        signal.connect(_second_factor, dispatch_uid="accounts.security")
    email_changed.connect(_email, dispatch_uid="accounts.security")


def _password(request: HttpRequest, user: User, **_: Any) -> None:
    sessions.end(user.pk, keep=request.session.session_key if request.user.is_authenticated else None)
    backoff.forget("password", user.email, get_ip(request))
    trail.record("password_changed", actor_id=user.pk, user_id=user.pk, ip=trail.visitor_address(request))


def _second_factor(request: HttpRequest, user: User, **_: Any) -> None:
    sessions.end(user.pk, keep=request.session.session_key)
    trail.record_request(request, "second_factor_changed", user_id=user.pk)


def _first_factor(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    second_factor.note_first(request, user, authenticator)


def _email(request: HttpRequest, user: User, from_email_address: EmailAddress | None, **_: Any) -> None:
    """Also sent when the first address is confirmed: then nobody outside knows another one."""
    if from_email_address is None:
        return
    with transaction.atomic():
        trail.record_request(request, "email_changed", user_id=user.pk)
        send_email_address(user)
