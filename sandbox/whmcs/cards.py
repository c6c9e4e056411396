"""Cards that a customer stores in the client area: the number is looked at once and never kept."""

import re
import secrets

from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.records import PayMethod

TEST_NUMBER = "4242 4242 4242 4242"
_EXPIRY = re.compile(r"(0[1-9]|1[0-2]) ?/ ?([0-9]{2})\Z")
_NUMBER = re.compile(r"[0-9]{12,19}\Z")
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
    digits = without_gaps(number)
    if not is_card_number(digits):
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


def stored(whmcs: Whmcs, client_id: int) -> list[PayMethod]:
    """A client's payment methods in the order in which they are charged."""
    return sorted(whmcs.pay_methods.find("client_id", client_id), key=lambda each: (each.rank, each.id))


def chargeable(whmcs: Whmcs, client_id: int, gateway: str) -> PayMethod | None:
    """The card that the payment module charges: its own, or any that WHMCS itself keeps if the module takes those."""
    local = whmcs.settings.card_storage.get(gateway) == "local"
    cards = (each for each in stored(whmcs, client_id) if each.type.endswith("CreditCard"))
    return next((each for each in cards if each.gateway == gateway or (local and each.type == "CreditCard")), None)


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


def without_gaps(number: str) -> str:
    """A card's number as people write it, without blanks and hyphens."""
    return re.sub(r"[ -]", "", number)


def is_card_number(digits: str) -> bool:
    """Whether this is a number that a card can have."""
    return bool(_NUMBER.match(digits)) and _luhn(digits)


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
