"""Numbers and codes as esim.md describes them: well formed, and of no use to a real phone."""

import re
from random import Random

SMDP_ADDRESS = "smdp.sim.invalid"  # a reserved name: nothing can be downloaded from it
ISSUER = "898110"  # telecom, Japan, an issuer of our own making
MATCHING_ID_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
MSISDN = re.compile(r"0[6-9]0\d{8}")
MNP = re.compile(r"\d{10}")


def luhn_digit(digits: str) -> str:
    """The check digit that belongs behind `digits` (ITU-T E.118)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def iccid(number: int) -> str:
    """The `number`-th card of the issuer: 19 digits, the last of them Luhn's."""
    digits = f"{ISSUER}{number:012d}"
    return digits + luhn_digit(digits)


def is_eid(text: str) -> bool:
    """Whether `text` has 32 digits and is 1 modulo 97 (ISO 7064)."""
    return len(text) == 32 and text.isascii() and text.isdigit() and int(text) % 97 == 1


def is_msisdn(text: str) -> bool:
    """Whether `text` is a Japanese mobile number: 060, 070, 080 or 090 and eight digits."""
    return MSISDN.fullmatch(text) is not None


def is_mnp(text: str) -> bool:
    """Whether `text` is a number-portability reservation: ten digits."""
    return MNP.fullmatch(text) is not None


def msisdn(number: int) -> str:
    """The `number`-th phone number the provider gives out."""
    return f"070{50000000 + number:08d}"


def activation_code(number: int, issue: int) -> str:
    """The code of one issue of the `number`-th card: the same each time it is asked for, another after a reissue."""
    letters = Random(f"{number}/{issue}")
    groups = ("".join(letters.choice(MATCHING_ID_ALPHABET) for _ in range(5)) for _ in range(4))
    return f"LPA:1${SMDP_ADDRESS}${'-'.join(groups)}"
