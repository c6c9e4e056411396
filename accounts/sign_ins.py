"""Who came, who left and who was turned away, for the audit trail (security.md §6)."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from accounts.models import User
from audit import trail


def watch() -> None:
    """Writes every sign-in, sign-out and refused password down from now on; called once per process."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit")
    user_logged_out.connect(_signed_out, dispatch_uid="audit")
    user_login_failed.connect(_refused, dispatch_uid="audit")


def _signed_in(request: HttpRequest | None, user: User, **_: Any) -> None:
    if request is not None:
        _write(request, "signed_in", user)


def _signed_out(request: HttpRequest | None, user: User | None, **_: Any) -> None:
    if request is not None and user is not None:
        _write(request, "signed_out", user)


def _refused(request: HttpRequest | None, credentials: dict[str, Any], **_: Any) -> None:
    """What was typed is not kept: it may be somebody's password in the wrong field."""
    if request is None:
        return
    known = User.objects.filter(email=str(credentials.get("email", "")).lower()).values_list("pk", flat=True).first()
    trail.record("sign_in_refused", user_id=known, ip=trail.visitor_address(request))


def _write(request: HttpRequest, action: str, user: User) -> None:
    trail.record(action, actor_id=user.pk, user_id=user.pk, ip=trail.visitor_address(request))
