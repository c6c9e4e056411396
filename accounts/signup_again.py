"""Signing up once more with an address that nobody has confirmed: who confirms it decides what counts.

Otherwise whoever signs up first with somebody else's address would choose that person's name, password and customer
number. What a later form says waits, encrypted, in the session of its browser and takes the place of the first when
the code is entered there. One row for each address; nothing of the unconfirmed is told to anybody.
"""

from typing import Any

from cryptography.fernet import InvalidToken
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import signup
from accounts.models import SignupJourney, User
from notifications import secrets

KEY = "signed_up_again"
OF_THE_USER = ("password", "given_name", "family_name", "language", "terms_version")
OF_THE_JOURNEY = ("kind", "source", "claimed_number")


class Lost(Exception):
    """What this browser said cannot be read any more: its key was taken out of use meanwhile."""


def unconfirmed() -> QuerySet[User]:
    """Sign-ups whose address nobody has confirmed; no customer is among them."""
    waiting = User.objects.filter(is_staff=False, link=None, journey__state=SignupJourney.State.WAITING_EMAIL)
    return waiting.exclude(emailaddress__verified=True)


def keep(request: HttpRequest, user: User, *, claimed_number: str, from_checkout: bool, **said: Any) -> None:
    """Remembers in this browser what it said about `user`, an unconfirmed one: OF_THE_USER by name, the password
    hashed. Replaces what it said before."""
    journey = dict(zip(OF_THE_JOURNEY, signup.kind_of(claimed_number, from_checkout=from_checkout), strict=True))
    request.session[KEY] = secrets.seal({"user": user.pk} | journey | {name: said[name] for name in OF_THE_USER})


def forget(request: HttpRequest) -> None:
    """This browser said nothing that waits."""
    request.session.pop(KEY, None)


def apply(request: HttpRequest, user: User) -> None:
    """The address was confirmed in this browser: what it said last counts. In the caller's transaction, before
    `signup.begin`; without anything kept about `user` nothing changes.

    Raises Lost: then the address must not be confirmed, since the first form's password is perhaps a stranger's.
    """
    try:
        said = secrets.unseal(request.session.pop(KEY, ""))
    except InvalidToken:
        raise Lost from None
    if said.get("user") != user.pk:
        return
    waiting = SignupJourney.objects.filter(user=user, state=SignupJourney.State.WAITING_EMAIL)
    if not waiting.update(**{name: said[name] for name in OF_THE_JOURNEY}):
        return
    for name in OF_THE_USER:
        setattr(user, name, said[name])
    user.terms_accepted_at = timezone.now()
    user.save(update_fields=[*OF_THE_USER, "terms_accepted_at"])
