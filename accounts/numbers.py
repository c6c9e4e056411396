"""Customer numbers: how people type them, and how the portal makes them when Salesforce does not."""

import re
import unicodedata

from django.conf import settings

SHAPE = re.compile(r"[0-9]{4,20}")
PREFIX = "9"  # keeps the portal's own numbers apart from those that Salesforce has given out


def read(text: str) -> str | None:
    """The digits of a typed customer number, or None when it cannot be one.

    Spaces, hyphens and full-width digits are tolerated, because bills print numbers in groups.
    """
    digits = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text))
    return digits if SHAPE.fullmatch(digits) else None


def made_here(sequence: int) -> str:
    """A number for a new customer: prefix, six or more digits of `sequence`, check digit.

    Empty when SF_ACCOUNT_NO_SOURCE leaves it to Salesforce (decisions.md 4). The same sequence gives the same number.
    """
    if settings.SF_ACCOUNT_NO_SOURCE != "portal":
        return ""
    body = f"{PREFIX}{sequence:06d}"
    return body + check_digit(body)


def check_digit(digits: str) -> str:
    """Luhn's: catches every single mistyped digit and most swapped neighbours."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
