"""The credit log of a client."""

from decimal import Decimal

from sandbox.whmcs.billing.records import Credit
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import ZERO, written


def balance(whmcs: Whmcs, client_id: int) -> Decimal:
    """The credit a client has now."""
    return sum((Decimal(each.amount) for each in whmcs.credits.find("client_id", client_id)), ZERO)


def enter(
    whmcs: Whmcs, client_id: int, amount: Decimal, description: str, *, day: str = "", invoice_id: int = 0
) -> Credit:
    """Adds an entry to the log: a positive amount gives credit, a negative one takes it."""
    number = whmcs.credits.next_id()
    entry = Credit(number, client_id, day or whmcs.today(), description, written(amount), invoice_id)
    return whmcs.credits.put(entry)
