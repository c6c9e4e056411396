"""How far somebody is on the way to being a customer, in the words that every page uses for it."""

from collections.abc import Mapping
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerLink, SignupJourney
from accounts.signup import EMAIL_DIFFERS

State = SignupJourney.State


class Place(StrEnum):
    """Only READY and COMPARING may order; an order of the latter waits until support has decided."""

    READY = "ready"
    UNDER_WAY = "under_way"
    LATE = "late"  # something outside does not answer; it goes on by itself
    NUMBER = "number"  # the customer chooses another number, or none
    COMPARING = "comparing"  # the number is somebody's with another e-mail address
    SUPPORT = "support"  # nothing goes on before a person decides


MAY_ORDER = (Place.READY, Place.COMPARING)
SENTENCES: Mapping[Place, Promise] = {
    Place.READY: _("Everything is set up."),
    Place.UNDER_WAY: _("We are setting it up, which mostly takes less than a minute. Your cart is kept."),
    Place.LATE: _("Setting it up takes longer than usual. We keep trying by ourselves, and your cart is kept."),
    Place.NUMBER: _("We could not match your customer number. Choose how to go on."),
    Place.COMPARING: _("We are comparing your details by hand. You can order now; the order starts when that is done."),
    Place.SUPPORT: _(
        "Our team is looking at your sign-up by hand, usually within one working day. You can order when that is done; "
        "your cart is kept, and we write to you."
    ),
}


def place_of(link: CustomerLink | None, journey: SignupJourney | None) -> Place:
    """Where somebody with this link (a provisional one too) and this journey stands. Of a customer the journey may be
    left out; a claim is compared until support has decided, and what stops it afterwards is another matter."""
    if link is not None and link.state == CustomerLink.State.LINKED:
        return Place.READY
    goes_on = journey is None or journey.state in {State.RUNNING, State.DONE}
    if link is not None and (goes_on or (journey is not None and journey.error_code == EMAIL_DIFFERS)):
        return Place.COMPARING
    if journey is None:
        return Place.UNDER_WAY
    if journey.state == State.RUNNING and journey.error_code:
        return Place.LATE
    return {State.NUMBER_UNMATCHED.value: Place.NUMBER, State.WAITING_CS.value: Place.SUPPORT}.get(
        journey.state, Place.UNDER_WAY
    )
