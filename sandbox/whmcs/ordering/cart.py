"""Turning AddOrder's parallel arrays into the lines of a cart (whmcs-wire §1.3, §3.3)."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sandbox.whmcs.answers import Refused
from sandbox.whmcs.arrays import encoded_array, field_values
from sandbox.whmcs.php import PhpArray, PhpValue, by_key, text, to_int
from sandbox.whmcs.products import Product, ProductOption, products
from sandbox.whmcs.records import Settings
from sandbox.whmcs.serialized import Value

_PID = re.compile(r"[0-9]{1,9}\Z")
_PERIODS = re.compile(r"[-\s]")


@dataclass(frozen=True)
class CartLine:
    """One thing ordered, with what it costs now and each period."""

    product: Product
    cycle: str
    first_payment: Decimal
    recurring: Decimal
    domain: str
    customfields: dict[str, str]
    options: dict[str, int]


def cart_lines(form: PhpArray, settings: Settings) -> list[CartLine]:
    """The lines joined by key; a pid that is no product adds nothing to the cart.

    `qty` changes nothing, since every product is sold one at a time (`allowqty` 0, §2). Raises Refused for a wrong
    cycle when the installation is set so.
    """
    columns = {name: by_key(form.get(name)) for name in ("billingcycle", "priceoverride", "domain")}
    encoded = {name: by_key(form.get(name)) for name in ("customfields", "configoptions")}
    lines = []
    for key, pid in by_key(form.get("pid")).items():
        product = _product(pid)
        if product is None:
            continue
        cycle = _cycle(product, text(columns["billingcycle"].get(key)), settings)
        options = _options(product, encoded["configoptions"].get(key))
        override = _override(columns["priceoverride"].get(key))
        price = _price(product, cycle, options) if override is None else override
        lines.append(
            CartLine(
                product=product,
                cycle=cycle,
                first_payment=price,
                recurring=price if product.paytype == "recurring" else Decimal(0),
                domain=text(columns["domain"].get(key)),
                customfields=_customfields(product, encoded["customfields"].get(key)),
                options=options,
            )
        )
    return lines


def _product(pid: PhpValue) -> Product | None:
    number = text(pid).strip()
    return products().get(int(number)) if _PID.match(number) else None


def _cycle(product: Product, sent: str, settings: Settings) -> str:
    """The cycle sent, if the product offers it; else its first one or an error, as the installation is set (§2)."""
    cycle = _PERIODS.sub("", sent.lower())
    if cycle in product.cycles:
        return cycle
    if settings.unknown_cycle_is_error:
        raise Refused("Invalid Billing Cycle")
    return next(iter(product.cycles))


def _override(sent: PhpValue | None) -> Decimal | None:
    """`priceoverride`: the whole price, options included. Zero is a price, and an empty value none (§3.3)."""
    if not text(sent):
        return None
    try:
        return Decimal(text(sent))
    except InvalidOperation:
        return None


def _price(product: Product, cycle: str, options: dict[str, int]) -> Decimal:
    extra = sum(_option_price(each, options[str(each.id)]) for each in product.options)
    return Decimal(product.cycles[cycle] + extra)


def _option_price(option: ProductOption, value: int) -> int:
    if option.word == "dropdown":
        return option.choice(value).price
    return option.choices[0].price * value


def _options(product: Product, encoded: PhpValue | None) -> dict[str, int]:
    """A value for every option of the product: the choice's id, the quantity, or 1 for yes."""
    sent = encoded_array(encoded)
    return {str(option.id): option_value(option, sent.get(option.id)) for option in product.options}


def option_value(option: ProductOption, sent: Value) -> int:
    """What was sent, made to fit; the first choice, the minimum or "no" without it."""
    number = to_int(str(sent)) if isinstance(sent, int | str) else 0
    if option.word == "quantity":
        return max(option.minimum, min(number, option.maximum))
    if option.word == "yesno":
        return int(number != 0)
    return option.choice(number).id


def _customfields(product: Product, encoded: PhpValue | None) -> dict[str, str]:
    values = field_values(encoded)
    return {str(number): values[number] for number in values if number == product.mark_field_id}
