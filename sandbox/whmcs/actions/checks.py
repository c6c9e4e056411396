"""Values that cannot be what they stand for, and the words WHMCS has for them in the actions that check."""

from decimal import Decimal

from sandbox.whmcs.answers import Refused
from sandbox.whmcs.dates import NO_DATE, is_date
from sandbox.whmcs.money import sent_amount, written
from sandbox.whmcs.php import PhpArray, PhpValue, text

WRONG_AMOUNT = "Amount must be in decimal format: ### or ###.##"
WRONG_DATE = "Invalid Date Format"


def date_of(sent: PhpValue) -> str:
    """A day, or no day as `0000-00-00`. Raises Refused."""
    if text(sent) != NO_DATE and not is_date(text(sent)):
        raise Refused(WRONG_DATE)
    return text(sent)


def day_or(form: PhpArray, name: str, default: str) -> str:
    """The day under this name; the default when it was not sent. A time of day behind it is dropped. Raises Refused."""
    sent = text(form.get(name))
    if not sent:
        return default
    if not is_date(sent[:10]):
        raise Refused(WRONG_DATE)
    return sent[:10]


def amount_of(sent: PhpValue) -> str:
    """An amount as it is kept. Raises Refused."""
    amount = sent_amount(sent)
    if amount is None:
        raise Refused(WRONG_AMOUNT)
    return written(amount)


def amount_or(form: PhpArray, name: str, default: Decimal) -> Decimal:
    """The amount under this name; the default when it was not sent. Raises Refused."""
    if not text(form.get(name)):
        return default
    amount = sent_amount(form[name])
    if amount is None:
        raise Refused(WRONG_AMOUNT)
    return amount
