"""The one way to send an e-mail: a row in the caller's transaction, sent later by the `emails` queue."""

import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.validators import validate_email
from django.utils import timezone

from integrations import correlation
from journal.waking import wake
from notifications import secrets
from notifications.models import Email

SEND = "notifications.jobs.send"


def queue(
    *,
    cause: str,
    template: str,
    to: str,
    user_id: int | None,
    language: str,
    context: dict[str, Any],
    secret: dict[str, Any] | None = None,
) -> Email:
    """Records that `to` gets the e-mail `templates/email/<template>` in `language`, and wakes a worker on commit.

    `cause` names what it is about, such as `provisioned:<order id>`: a second call with the same cause changes
    nothing and returns the first row. `context` is JSON-able and is kept; `secret` is encrypted and emptied once sent.
    Raises ValidationError when `to` is no e-mail address (line breaks included).
    """
    validate_email(to)
    email, is_new = Email.objects.get_or_create(
        cause=cause,
        defaults={
            "template": template,
            "to": to,
            "user_id": user_id,
            "language": language,
            "context": context,
            "secret_context": secrets.seal(secret) if secret else "",
            "correlation_id": correlation.current(),
            "message_id": f"<{uuid.uuid4()}@{urlsplit(settings.SITE_URL).hostname}>",
            "next_try_at": timezone.now(),
        },
    )
    if is_new:
        wake("emails", SEND, email.pk)
    return email
