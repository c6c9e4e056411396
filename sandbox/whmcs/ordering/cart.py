"""Turning AddOrder's parallel arrays into the lines of a cart (whmcs-wire §1.3, §3.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sandbox.whmcs.answers import Refused
from sandbox.whmcs.arrays import encoded_array, field_values
from sandbox.whmcs.money import ZERO, sent_amount
from sandbox.whmcs.ordering.addons import AddonLine, addons_of_line
from sandbox.whmcs.ordering.pricing import plain_cycle, price
from sandbox.whmcs.ordering.records import Promotion
from sandbox.whmcs.ordering.switches import OrderingSwitches
from sandbox.whmcs.php import PhpArray, PhpValue, by_key, text, to_int
from sandbox.whmcs.products import Product, ProductOption
from sandbox.whmcs.serialized import Value

# The sandbox's own bound: WHMCS has none, and one request must not make a million services.
MOST = 100
_PID = re.compile(r"[0-9]{1,9}\Z")
_PLAIN_COLUMNS = ("billingcycle", "priceoverride", "domain", "qty", "addons", "addonsqty")
_ENCODED_COLUMNS = ("customfields", "configoptions")


@dataclass(frozen=True)
class CartLine:
    """One thing ordered. `amount` is what one period costs before a promotion, for the whole quantity."""

    product: Product
    cycle: str
    qty: int
    amount: Decimal
    domain: str
    customfields: dict[str, str]
    options: dict[str, int]
    addons: tuple[AddonLine, ...] = ()
    promotion: Promotion | None = None

    @property
    def recurring(self) -> Decimal:
        """What later periods cost, before a promotion."""
        return self.amount if self.product.paytype == "recurring" else ZERO


def cart_lines(products: Mapping[int, Product], form: PhpArray, switches: OrderingSwitches) -> list[CartLine]:
    """The lines joined by key; a pid that is no product adds nothing to the cart.

    A quantity counts as the product allows it: not at all, as so many services, or as one service in that quantity
    (§2). Raises Refused for a wrong cycle when the installation is set so.
    """
    columns = {name: by_key(form.get(name)) for name in (*_PLAIN_COLUMNS, *_ENCODED_COLUMNS)}
    lines: list[CartLine] = []
    for key, pid in by_key(form.get("pid")).items():
        product = _product(products, pid)
        if product is not None:
            row = {name: column[key] for name, column in columns.items() if key in column}
            lines += _lines(product, row, switches)
    return lines


def _lines(product: Product, row: dict[str, PhpValue], switches: OrderingSwitches) -> list[CartLine]:
    """The line of one key, as often as its quantity makes separate services of it."""
    allowed = switches.allow_qty.get(str(product.pid), 0)
    wanted = max(1, min(to_int(row.get("qty")), MOST)) if allowed else 1
    cycle = _cycle(product, text(row.get("billingcycle")), switches)
    options = _options(product, row.get("configoptions"))
    override = sent_amount(row.get("priceoverride"))
    unit = price(product, cycle, options) if override is None or override < 0 else override
    qty = wanted if allowed == 2 else 1
    line = CartLine(
        product=product,
        cycle=cycle,
        qty=qty,
        amount=unit * qty,
        domain=text(row.get("domain")),
        customfields=_customfields(product, row.get("customfields")),
        options=options,
        addons=addons_of_line(product, text(row.get("addons")), text(row.get("addonsqty")), switches),
    )
    return [line] * (wanted if allowed == 1 else 1)


def _product(products: Mapping[int, Product], pid: PhpValue) -> Product | None:
    number = text(pid).strip()
    return products.get(int(number)) if _PID.match(number) else None


def _cycle(product: Product, sent: str, switches: OrderingSwitches) -> str:
    """The cycle sent, if the product offers it; else its first one or an error, as the installation is set (§2)."""
    cycle = plain_cycle(sent)
    if cycle in product.cycles:
        return cycle
    if switches.unknown_cycle_is_error:
        raise Refused("Invalid Billing Cycle")
    return next(iter(product.cycles))


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
