"""What makes a password good enough, decided without asking anybody outside.

zxcvbn carries the 30,000 passwords seen most often in breaches, common words and names, and knows the ways people
change them: capitals, digits for letters, repetitions, dates, rows of keys. It estimates how many guesses a password
stands; Django's own list of 20,000 is asked besides. A breached password outside those lists, long and at random, is
not recognised: that would need a download of many gigabytes or a question to an outside service.
"""

import threading
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

LONGEST = 128
LOOKED_AT = 72  # characters; the rest can only make it better, and the work grows with the square
FEWEST_GUESSES = 10**9
_one_at_a_time = threading.Lock()  # zxcvbn keeps the words of the person in a global dictionary


def guesses(password: str, words: list[str]) -> int:
    """About how many guesses somebody needs who knows `words` (the person's and the company's)."""
    with _one_at_a_time:
        return int(zxcvbn(password[:LOOKED_AT], user_inputs=words)["guesses"])


class LongestLength:
    """Refuses what is longer than we hash; nothing is ever cut."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        if len(password) > LONGEST:
            raise ValidationError(too_long(), code="password_too_long")

    def get_help_text(self) -> str:
        return too_long()


class HardToGuess(CommonPasswordValidator):
    """Refuses common and breached passwords, and those made of the person's own words or our names."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        is_common = password.lower().strip() in self.passwords
        if is_common or guesses(password, [settings.BRAND_NAME, *_words_of(user)]) < FEWEST_GUESSES:
            raise ValidationError(self.get_help_text(), code="password_guessable")

    def get_help_text(self) -> str:
        return _("This password is easy to guess, or known from a break-in elsewhere. Choose a few unrelated words.")


def too_long() -> str:
    return _("Use at most %(longest)s characters.") % {"longest": LONGEST}


def _words_of(user: Any) -> list[str]:
    email = str(getattr(user, "email", "") or "")
    names = [str(getattr(user, name, "") or "") for name in ("given_name", "family_name")]
    return [word for word in (email, *email.replace("@", ".").split("."), *names) if len(word) > 2]
