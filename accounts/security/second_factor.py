"""Whether this very session was opened with a second factor; that the user has one somewhere is not enough."""

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User

KINDS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
METHOD = "mfa"  # allauth's name of it among a session's authentication records


def kinds_of(user: User) -> set[str]:
    """Which kinds of second factor `user` has set up: `totp`, `webauthn`. One query."""
    return set(Authenticator.objects.filter(user_id=user.pk, type__in=KINDS).values_list("type", flat=True))


def is_proved(request: HttpRequest, user: User) -> bool:
    """Whether `user` used a second factor (or a recovery code in its place) in the session of this request."""
    return any(each.get("method") == METHOD for each in get_authentication_records(request, user))


def page_that_asks(kinds: set[str]) -> str:
    """The address where who has `kinds` proves one of them: the page of the code, or that of the passkey."""
    is_by_code = Authenticator.Type.TOTP in kinds
    return reverse("mfa_reauthenticate" if is_by_code else "mfa_reauthenticate_webauthn")


def note_first(request: HttpRequest, user: User, added: Authenticator) -> None:
    """Who has just set up their first second factor has used it thereby; a further one proves nothing of the first."""
    others = Authenticator.objects.filter(user_id=user.pk, type__in=KINDS).exclude(pk=added.pk)
    if not others.exists():
        record_authentication(request, user, METHOD, id=added.pk, type=added.type)
