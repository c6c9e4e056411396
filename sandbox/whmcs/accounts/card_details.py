"""What is taken from the parameters of a card, and what a payment module says to it. No full number is ever kept."""

import re

from sandbox.whmcs.accounts.switches import AccountSwitches
from sandbox.whmcs.answers import Refused
from sandbox.whmcs.cards import brand_of, is_card_number, stored, without_gaps
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, truthy
from sandbox.whmcs.records import PayMethod

_MONTH = re.compile(r"(0[1-9]|1[0-2])/?([0-9]{2})\Z")
_NUMBER = re.compile(r"[0-9]{12,19}\Z")


def now(whmcs: Whmcs) -> str:
    """The moment as `last_updated` has it: day first, server-local."""
    return f"{whmcs.server_now():%d/%m/%Y %H:%M}"


def take_card(method: PayMethod, form: PhpArray, *, adding: bool) -> None:
    """Copies what was sent about a card; its number leaves brand and last digits behind. Raises Refused."""
    number = without_gaps(text(form.get("card_number")))
    if _NUMBER.match(number):
        method.brand, method.last_four = brand_of(number), number[-4:]
    elif adding or text(form.get("card_number")):
        raise Refused("Card Number is required for 'CreditCard' or 'RemoteCreditCard' type")
    if adding and not text(form.get("card_expiry")):
        raise Refused("Expiry Date is required for 'CreditCard' or 'RemoteCreditCard' type")
    method.expiry = _month(form, "card_expiry", "Expiry Date is invalid") or method.expiry
    method.start = _month(form, "card_start", "Start Date is invalid") or method.start
    issue = text(form.get("card_issue_number"))
    if issue and not issue.isdecimal():
        raise Refused("Issue Number is invalid")
    method.issue_number = issue or method.issue_number


def _month(form: PhpArray, name: str, complaint: str) -> str:
    """`MMYY` as `MM/YY`; whether it is over is for whoever charges the card."""
    sent = text(form.get(name))
    match = _MONTH.match(sent)
    if sent and not match:
        raise Refused(complaint)
    return f"{match[1]}/{match[2]}" if match else ""


def rank(whmcs: Whmcs, client_id: int, form: PhpArray, default: int = 0) -> int:
    """Before all others when `set_as_default` was sent."""
    if not truthy(form.get("set_as_default")):
        return default
    return min((each.rank for each in stored(whmcs, client_id)), default=0) - 1


def remote_error(settings: AccountSwitches, number: str) -> str:
    """Why the payment module will not have a card, "" if it will; it looks at the number, unlike WHMCS."""
    if settings.storage_error:
        return settings.storage_error
    return "" if not number or is_card_number(without_gaps(number)) else "Your card number is incorrect."
