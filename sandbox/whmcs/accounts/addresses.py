"""Countries, telephone numbers and e-mail addresses as WHMCS checks and shows them (whmcs-wire §3.1)."""

import json
import re
from functools import cache
from pathlib import Path

_EMAIL = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z", re.ASCII)
_PHONE = re.compile(r"[0-9 .()+-]*[0-9][0-9 .()+-]*\Z")
_NO_DIGIT = re.compile(r"[^0-9]")


@cache
def _countries() -> dict[str, tuple[str, int]]:
    found = json.loads(Path(__file__).with_name("countries.json").read_text("utf-8"))
    return {code: (name, calling) for code, (name, calling) in found.items()}


def is_email(text: str) -> bool:
    """Whether the text looks like an address; as for PHP, letters are ASCII."""
    return bool(_EMAIL.match(text))


def is_country(code: str) -> bool:
    """Whether this is a code of ISO 3166-1, in capitals."""
    return code in _countries()


def country_name(code: str) -> str:
    """The country's English name; what is no code stays as it is."""
    return _countries()[code][0] if is_country(code) else code


def calling_code(code: str) -> int:
    """What a number of this country begins with abroad, 0 where that is not known."""
    return _countries()[code][1] if is_country(code) else 0


def is_phone(text: str) -> bool:
    """Whether the text has digits and nothing that no number has."""
    return bool(_PHONE.match(text))


def digits(text: str) -> str:
    """Only the digits 0 to 9 of a text."""
    return _NO_DIGIT.sub("", text)


def formatted_phone(country: str, number: str) -> str:
    """`+81.9012345678`: the calling code split off, whether the number was kept with it or in its national form."""
    local, code = digits(number), str(calling_code(country))
    if not local:
        return ""
    return f"+{code}.{local.removeprefix(code).removeprefix('0')}"
