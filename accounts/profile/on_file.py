"""The address that Salesforce has of somebody who was a customer before: offered on their address form, once."""

import unicodedata
from typing import Any

import phonenumbers

from accounts.profile import postal_codes
from accounts.profile.prefectures import NUMBERS
from integrations.salesforce.schemas import AddressOnFile

LONGEST = {"city": 40, "street": 120}


def for_the_form(on_file: AddressOnFile) -> dict[str, Any]:
    """What of it fits the fields of AddressForm; empty without a postal code that Japan Post knows. The prefecture is
    that of the code (of a code in two, the one that stands there), the rest as it stands there, on one line."""
    digits = postal_codes.digits(on_file.postal_code)
    stands = NUMBERS.get(on_file.state.strip())
    place = postal_codes.place_of(digits, stands) if len(digits) == 7 and digits.isdecimal() else None
    if place is None:
        return {}
    found = {"postal_code": f"{digits[:3]}-{digits[3:]}", "prefecture": place.prefecture}
    typed = {"city": _one_line(on_file.city) or place.city, "street": _one_line(on_file.street)}
    return found | {name: text[: LONGEST[name]] for name, text in typed.items()} | _phone(on_file.phone)


def _one_line(text: str) -> str:
    """Without what no form would take: line ends become blanks, other invisible characters and brackets go."""
    words = " ".join(text.split())
    return "".join(sign for sign in words if not unicodedata.category(sign).startswith("C") and sign not in "<>")


def _phone(text: str) -> dict[str, str]:
    """The number as people in Japan write it, if it is one of Japan."""
    try:
        number = phonenumbers.parse(text, "JP")
    except phonenumbers.NumberParseException:
        return {}
    if number.country_code != 81 or not phonenumbers.is_valid_number(number):
        return {}
    return {"phone": str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))}
