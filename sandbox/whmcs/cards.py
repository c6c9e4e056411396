"""Cards that a customer stores in the client area: the number is looked at once and never kept."""

import re
import secrets

from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.records import PayMethod

TEST_NUMBER = "4242 4242 4242 4242"
_EXPIRY = re.compile(r"(0[1-9]|1[0-2]) ?/ ?([0-9]{2})\Z")
_BRANDS = (
    (re.compile(r"4"), "Visa"),
    (re.compile(r"5[1-5]|2[2-7]"), "MasterCard"),
    (re.compile(r"3[47]"), "American Express"),
    (re.compile(r"35"), "JCB"),
)


class CardRefused(ValueError):
    """The gateway would not take this card; the message is for the customer, `field` says where it belongs."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def add_card(whmcs: Whmcs, client_id: int, number: str, expiry: str, *, note: str = "paymethod.add") -> PayMethod:
    """Stores brand, last four digits and expiry. Raises CardRefused."""
    digits = re.sub(r"[ -]", "", number)
    if not (digits.isascii() and digits.isdigit() and 12 <= len(digits) <= 19 and _luhn(digits)):
        raise CardRefused("card_number", "The card number is not valid. Check its digits.")
    method = PayMethod(
        id=whmcs.pay_methods.next_id(),
        client_id=client_id,
        brand=brand_of(digits),
        last_four=digits[-4:],
        expiry=_valid_expiry(whmcs, expiry),
        description=f"{brand_of(digits)} ending in {digits[-4:]}",
        token=f"pm_{secrets.token_hex(12)}",
        updated=f"{whmcs.server_now():%d/%m/%Y %H:%M}",
    )
    whmcs.pay_methods.put(method)
    whmcs.note(note, str(client_id), {"paymethod": method.id, "brand": method.brand})
    return method


def remove_card(whmcs: Whmcs, client_id: int, number: int) -> PayMethod | None:
    """Forgets a card of this client; None when the client has no such card."""
    method = whmcs.pay_methods.get(number)
    if method is None or method.client_id != client_id:
        return None
    whmcs.pay_methods.delete(number)
    whmcs.note("paymethod.remove", str(client_id), {"paymethod": number})
    return method


def brand_of(digits: str) -> str:
    """The brand behind the first digits."""
    return next((brand for pattern, brand in _BRANDS if pattern.match(digits)), "Card")


def _valid_expiry(whmcs: Whmcs, sent: str) -> str:
    match = _EXPIRY.match(sent.strip())
    if not match:
        raise CardRefused("card_expiry", "Write the expiry date as month and year, for example 08/30.")
    month, year = match.groups()
    if (int(year), int(month)) < (whmcs.server_now().year % 100, whmcs.server_now().month):
        raise CardRefused("card_expiry", "This card has expired. Use another one.")
    return f"{month}/{year}"


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (2 if position % 2 else 1) for position, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
