"""Amounts: two decimals in every currency on the wire (whmcs-wire §1), exact decimals inside."""

import re
from decimal import ROUND_HALF_UP, Decimal

from sandbox.whmcs.php import PhpValue, text

ZERO = Decimal(0)
CENT = Decimal("0.01")
PREFIX, SUFFIX = "¥", " JPY"
# More digits than any price has, so few that no sum of them leaves the precision of a decimal.
_AMOUNT = re.compile(r"[+-]?([0-9]{1,11}(\.[0-9]{0,8})?|\.[0-9]{1,8})\Z")


def rounded(amount: Decimal) -> Decimal:
    """To two decimals, halves away from zero, as PHP's round()."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def written(amount: Decimal) -> str:
    """`1200.00`."""
    return f"{rounded(amount) + ZERO:.2f}"


def sent_amount(value: PhpValue | None) -> Decimal | None:
    """The amount that a parameter carries; None when it is missing, empty or no plain decimal number."""
    sent = text(value).strip()
    return Decimal(sent) if _AMOUNT.match(sent) else None


def formatted(amount: Decimal) -> str:
    """For people, as the currency's format 4 has it: no decimals, with prefix and suffix (§1, §2)."""
    return f"{PREFIX}{amount.quantize(Decimal(1), ROUND_HALF_UP) + ZERO:,}{SUFFIX}"
