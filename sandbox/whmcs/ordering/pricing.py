"""What things cost: products with their options, and promotions (whmcs-wire §3.2, §3.3)."""

import re
from decimal import Decimal

from sandbox.whmcs.dates import NO_DATE
from sandbox.whmcs.money import ZERO, rounded
from sandbox.whmcs.ordering.records import Promotion
from sandbox.whmcs.products import Product, ProductOption

_FILLING = re.compile(r"[-\s]")


def price(product: Product, cycle: str, options: dict[str, int]) -> Decimal:
    """One unit for one period, options included."""
    extra = sum(option_price(each, options.get(str(each.id), 0)) for each in product.options)
    return Decimal(product.cycles[cycle] + extra)


def option_price(option: ProductOption, value: int) -> int:
    """What the chosen value of one option adds."""
    if option.word == "dropdown":
        return option.choice(value).price
    return option.choices[0].price * value


def plain_cycle(sent: str) -> str:
    """A cycle's name without case, blanks and hyphens: both spellings of One Time occur (§2)."""
    return _FILLING.sub("", sent.lower())


def applies(promotion: Promotion, product: Product, cycle: str, today: str) -> bool:
    """Whether the code may be used for this product now."""
    started = promotion.starts in (NO_DATE, "") or promotion.starts <= today
    over = promotion.expires not in (NO_DATE, "") and promotion.expires < today
    used_up = 0 < promotion.max_uses <= promotion.uses
    fits = not promotion.pids or product.pid in promotion.pids
    in_cycle = not promotion.cycles or cycle in map(plain_cycle, promotion.cycles)
    return started and not over and not used_up and fits and in_cycle


def discount(promotion: Promotion, amount: Decimal) -> Decimal:
    """How much the code takes off an amount, never more than all of it."""
    value = Decimal(promotion.value)
    if promotion.type == "Percentage":
        value = rounded(amount * value / 100)
    elif promotion.type == "Price Override":
        value = amount - value
    return max(ZERO, min(value, amount))
