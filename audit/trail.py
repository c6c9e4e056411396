"""Writing the audit trail."""

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from audit.models import AuditEntry
from integrations import correlation


def record(
    action: str,
    *,
    actor_id: int | None = None,
    user_id: int | None = None,
    subject: str = "",
    reason: str = "",
    ip: str | None = None,
) -> AuditEntry:
    """Adds an entry in the caller's transaction.

    `action` is a short name such as `document_viewed`; `actor_id` the user who did it (None: the portal itself),
    `user_id` whose data it concerns; `subject` names a thing by its number or id, never a person; `reason` is what a
    member of staff gave, cut at 255 characters; `ip` the address the request came from.
    """
    return AuditEntry.objects.create(
        action=action,
        actor_id=actor_id,
        user_id=user_id,
        subject=subject,
        reason=reason[:255],
        ip=ip,
        correlation_id=correlation.current(),
    )


def record_request(
    request: HttpRequest, action: str, *, user_id: int | None = None, subject: str = "", reason: str = ""
) -> AuditEntry:
    """The same for what somebody did in the browser: whoever is signed in, from the visitor's own address."""
    return record(
        action,
        actor_id=request.user.pk,
        user_id=user_id,
        subject=subject,
        reason=reason,
        ip=visitor_address(request),
    )


def visitor_address(request: HttpRequest) -> str | None:
    """Where the request came from, proxies of ours looked through; None for one that came over no network."""
    try:
        return str(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        return None
