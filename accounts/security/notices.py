"""The owner hears of every change to how their account is opened, at the address that counted before the change."""

import uuid

from django.http import HttpRequest

from accounts.models import User
from accounts.names import addressee
from accounts.security.devices import describe
from notifications import outgoing

# What happened; templates/email/security_notice.* has a sentence for each. allauth uses the same names.
EVENTS = frozenset(
    {
        "password_changed",
        "password_reset",
        "email_changed",
        "totp_activated",
        "totp_deactivated",
        "recovery_codes_generated",
        "webauthn_added",
        "webauthn_removed",
        "second_factor_removed",
    }
)


def send(event: str, user: User, *, to: str = "", request: HttpRequest | None = None) -> None:
    """Queues the notice of `event` (one of EVENTS) to `to`, or to the user's address, in the caller's transaction.

    `request` is the user's own and names the device; without it nobody's device is named. One mail for each call.
    """
    if event not in EVENTS:
        raise ValueError(event)
    outgoing.queue(
        cause=f"security:{event}:{uuid.uuid4()}",
        template="security_notice",
        to=to or user.email,
        user_id=user.pk,
        language=user.language,
        context={
            "addressee": addressee(user, user.language),
            "event": event,
            "device": describe(request.headers.get("User-Agent", "")) if request else "",
        },
    )
