"""Whose request a browser sees: a customer's own, or the one that the visitor's session knows."""

from uuid import UUID

from django.http import HttpRequest

from accounts.models import User
from catalog.eligibility import asking
from catalog.eligibility.asking import Asked
from catalog.eligibility.models import EligibilityRequest

SESSION_KEY = "eligibility"


def of(request: HttpRequest) -> EligibilityRequest | None:
    """The request that counts for whoever looks; a signed-in user first gets what they asked as a visitor.

    Safe to repeat. No query for a visitor whose session knows of none, one for everybody else.
    """
    if isinstance(request.user, User):
        take_along(request, request.user)
        return asking.latest(request.user)
    ref = _known(request)
    return asking.of_visitor(ref) if ref else None


def named(request: HttpRequest, ref: UUID) -> EligibilityRequest | None:
    """The request of that reference, if whoever looks may see it: replaced ones too."""
    if isinstance(request.user, User):
        take_along(request, request.user)
        return EligibilityRequest.objects.filter(user=request.user, ref=ref).first()
    return asking.of_visitor(ref) if ref == _known(request) else None


def ask(request: HttpRequest, said: dict[str, object]) -> Asked:
    """Asks for a check as whoever sent the form (a cleaned CheckForm). Raises TooManyAddresses."""
    if isinstance(request.user, User):
        take_along(request, request.user)
        return asking.ask(user=request.user, said=said)
    asked = asking.keep(said=said, earlier=_known(request))
    request.session[SESSION_KEY] = str(asked.request.ref)
    return asked


def take_along(request: HttpRequest, user: User) -> None:
    """The visitor turns out to be `user`: what the session knows of becomes theirs. Repeatable."""
    ref = _known(request)
    if ref is not None:
        asking.claim(user=user, ref=ref)
        del request.session[SESSION_KEY]


def _known(request: HttpRequest) -> UUID | None:
    ref = request.session.get(SESSION_KEY)
    return UUID(ref) if ref else None
