"""For a day after customer support removed a second factor, what an impostor would want is not to be had."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User

SENTENCE = _(
    "Our support removed your second factor. For 24 hours after that your e-mail address stays as it is and the "
    "billing service cannot be opened from here."
)
HOLD = timedelta(hours=24)  # decisions.md 37


def until(user: User) -> datetime | None:
    """When the e-mail address may be changed and the billing service opened again; None: now."""
    held = user.second_factor_hold_until
    return held if held is not None and held > timezone.now() else None


def begin(user: User) -> None:
    """Holds `user` from now on; in the caller's transaction."""
    user.second_factor_hold_until = timezone.now() + HOLD
    user.save(update_fields=["second_factor_hold_until"])
