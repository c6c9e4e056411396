"""What an invoice adds up to: tax inside of the prices or on top of them, credit taken off (whmcs-wire §3.5, §3.7)."""

from collections.abc import Iterable
from decimal import Decimal

from sandbox.whmcs.billing.records import Invoice
from sandbox.whmcs.billing.switches import BillingSwitches
from sandbox.whmcs.money import ZERO, rounded, written

_HUNDRED = Decimal(100)


def add_up(invoice: Invoice, switches: BillingSwitches) -> Invoice:
    """Sets the sums of the invoice from its lines, rates and credit, and returns it.

    With inclusive prices the subtotal is what remains without tax, so that all three give the sum of the lines.
    """
    rates = [Decimal(invoice.tax_rate) / _HUNDRED, Decimal(invoice.tax_rate2) / _HUNDRED]
    inclusive = switches.tax_type == "Inclusive"
    taxed = [Decimal(each.amount) for each in invoice.lines if each.taxed]
    if not switches.tax_per_line:
        taxed = [sum(taxed, ZERO)]
    tax, tax2 = (_tax(taxed, rate, sum(rates) if inclusive else ZERO) for rate in rates)
    charged = sum((Decimal(each.amount) for each in invoice.lines), ZERO)
    subtotal = charged - tax - tax2 if inclusive else charged
    invoice.subtotal, invoice.tax, invoice.tax2 = written(subtotal), written(tax), written(tax2)
    invoice.total = written(subtotal + tax + tax2 - Decimal(invoice.credit))
    return invoice


def _tax(amounts: Iterable[Decimal], rate: Decimal, contained: Decimal | int) -> Decimal:
    """The tax of one rate on these amounts, which contain tax of the given rate already; each is rounded by itself."""
    return sum((rounded(amount / (1 + contained) * rate) for amount in amounts), ZERO)
