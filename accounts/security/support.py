"""What a lead of customer support may do about how somebody signs in (decisions.md 37).

Each is called in the transaction that also writes the audit trail, and raises NotPossible with a sentence for the lead.
"""

import uuid

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from accounts import closing, journeys
from accounts.models import SignupJourney, User
from accounts.names import addressee
from accounts.security import hold, notices, sessions
from notifications import outgoing


class NotPossible(Exception):
    """Nothing was changed; the text says why."""


def resend_verification(user: User) -> None:
    """Sends the way back to a sign-up whose e-mail is unconfirmed: signing in there brings a fresh code.

    A code itself works only in the browser that asked for it. One mail for each call.
    """
    _must_be_unverified(user)
    outgoing.queue(
        cause=f"finish_signup:{uuid.uuid4()}",
        template="finish_signup",
        to=user.email,
        user_id=user.pk,
        language=user.language,
        context={"addressee": addressee(user, user.language)},
    )


def correct_email(user: User, email: str) -> None:
    """Puts a mistyped address right before anybody confirmed it, and sends the way back to the new one."""
    _must_be_unverified(user)
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise NotPossible(_("Enter the right e-mail address beside the action.")) from None
    if _is_taken(address):
        raise NotPossible(_("This e-mail address belongs to an account already."))
    user.email = address
    user.save(update_fields=["email"])
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=address, primary=True, verified=False)
    sessions.end(user.pk)
    resend_verification(user)


def remove_second_factor(user: User) -> None:
    """Removes passkeys, the app and recovery codes, signs everything out, tells the owner, and begins the hold."""
    removed, _all = Authenticator.objects.filter(user=user).delete()
    if not removed:
        raise NotPossible(_("There is no second factor to remove."))
    hold.begin(user)
    sessions.end(user.pk)
    notices.send("second_factor_removed", user)


def disable(user: User) -> None:
    """Signs the user out everywhere and refuses to sign them in until `enable`. May be repeated.

    A sign-up stands still from here on; a run under way ends first. It also carries out a wish to close of somebody who
    has no Account that could be closed."""
    User.objects.filter(pk=user.pk).update(is_active=False)
    sessions.end(user.pk)
    closing.carried_out_here(user)


def enable(user: User) -> None:
    """Lets a disabled user sign in again, and their sign-up go on. May be repeated."""
    User.objects.filter(pk=user.pk).update(is_active=True)
    for journey in SignupJourney.objects.filter(user=user):
        journeys.try_now(journey.pk)


def _must_be_unverified(user: User) -> None:
    if EmailAddress.objects.filter(user=user, verified=True).exists():
        raise NotPossible(_("The e-mail address is confirmed: only its owner can change it."))


def _is_taken(address: str) -> bool:
    known = User.objects.filter(email__iexact=address).exists()
    return known or EmailAddress.objects.filter(email__iexact=address).exists()
