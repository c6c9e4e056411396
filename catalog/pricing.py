"""What a line of the cart is, checked and priced: the service, its activation item and its add-ons. Integer yen only.

Prices come from the mirror and the chosen options, never from what a browser sent (decisions.md 10).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog import options as catalog_options
from catalog.models import Product
from catalog.options import REGION, Chosen, OptionRefused

LARGEST_QUANTITY = 99


class LineRefused(Exception):
    """A line that cannot be ordered. `code` for programs, `sentence` for the customer, `field` where it was chosen."""

    def __init__(self, code: str, sentence: "str | Promise", *, field: str = "") -> None:
        super().__init__(code)
        self.code, self.sentence, self.field = code, sentence, field


@dataclass(frozen=True)
class Totals:
    """Yen, tax included; what is paid every month, every year and once is never added together."""

    monthly: int = 0
    yearly: int = 0
    one_time: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(self.monthly + other.monthly, self.yearly + other.yearly, self.one_time + other.one_time)

    def as_json(self) -> dict[str, int]:
        """The shape kept in CartLine.price_seen."""
        return {"monthly": self.monthly, "yearly": self.yearly, "one_time": self.one_time}


@dataclass(frozen=True)
class Item:
    """One future OrderItem: a product, how many, and its unit price with the chosen options in yen."""

    product: Product
    quantity: int
    unit_price: int
    chosen: tuple[Chosen, ...] = ()

    @property
    def amount(self) -> int:
        return self.quantity * self.unit_price

    @property
    def totals(self) -> Totals:
        return Totals(**{COLUMN[self.product.billing_cycle]: self.amount})


@dataclass(frozen=True)
class PricedLine:
    """A whole line: items[0] is the service, then its activation item if it has one, then its add-ons."""

    items: tuple[Item, ...]
    add_on_skus: tuple[str, ...] = field(default=())

    @property
    def service(self) -> Item:
        return self.items[0]

    @property
    def product(self) -> Product:
        return self.items[0].product

    @property
    def activation(self) -> Item | None:
        return next((item for item in self.items if item.product.item_class == Product.ItemClass.ACTIVATION), None)

    @property
    def add_ons(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.product.item_class == Product.ItemClass.ADD_ON)

    @property
    def totals(self) -> Totals:
        return total(item.totals for item in self.items)

    def of_cycle(self, cycle: str) -> tuple[Item, ...]:
        """The items paid in this cycle, for a sum; the order stays."""
        return tuple(item for item in self.items if item.product.billing_cycle == cycle)


@dataclass(frozen=True)
class SumLine:
    """One line of a sum, as components/_sum.html wants it."""

    name: str
    amount: int
    note: str = ""


COLUMN: Mapping[str, str] = {
    Product.BillingCycle.MONTHLY: "monthly",
    Product.BillingCycle.ANNUALLY: "yearly",
    Product.BillingCycle.ONE_TIME: "one_time",
}


def shown_cycle(cycle: str) -> str:
    """The cycle under which something is listed and counted: support may write one that we do not know."""
    return cycle if cycle in COLUMN else Product.BillingCycle.ONE_TIME


def total(parts: Iterable[Totals]) -> Totals:
    """The sum of several totals, each kind apart."""
    return sum(parts, Totals())


def price_line(
    *,
    products: Mapping[str, Product],
    sku: str,
    quantity: Any = 1,
    options: Mapping[str, Any] | None = None,
    add_ons: Sequence[str] = (),
) -> PricedLine:
    """Checks and prices one line; the activation item is added by rule and cannot be left out.

    `products` maps SKU to sound products (catalog.queries.by_sku); `quantity` may be text as it was posted.
    Raises LineRefused; changes nothing.
    """
    product = _buyable(products.get(sku))
    count = _quantity(quantity)
    try:
        chosen = catalog_options.choose(catalog_options.parse(product.options), options or {})
    except OptionRefused as refused:
        raise LineRefused("option", refused.sentence, field=f"option-{refused.key}") from refused
    service = Item(product, count, (product.price or 0) + catalog_options.price_of(chosen), chosen)
    extra = tuple(_add_on(products.get(each), product) for each in _once(add_ons))
    _in_one_region(product, chosen, extra)
    return PricedLine((service, *_activation(product, products), *extra), tuple(item.product.sku for item in extra))


def _buyable(product: Product | None) -> Product:
    if product is None or not product.accessible:
        raise LineRefused("not_sold", _("This plan is no longer sold. Choose another one."))
    if product.item_class != Product.ItemClass.SERVICE:
        raise LineRefused("not_a_plan", _("This can only be ordered together with a plan. Choose a plan first."))
    return product


def _quantity(value: Any) -> int:
    text = str(value).strip()
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 0 < count <= LARGEST_QUANTITY:
        raise LineRefused("quantity", _("This number cannot be ordered. Order one at a time."), field="quantity")
    if count != 1:
        raise LineRefused(
            "quantity_one",
            _("Each line of your order holds one service. Add the plan again for a second one."),
            field="quantity",
        )
    return count


def _activation(product: Product, products: Mapping[str, Product]) -> tuple[Item, ...]:
    if not product.activation_sku:
        return ()
    fee = products.get(product.activation_sku)
    if fee is None:
        raise LineRefused("not_sold", _("This plan is no longer sold. Choose another one."))
    return (Item(fee, 1, fee.price or 0),)


def _add_on(product: Product | None, service: Product) -> Item:
    if product is None or not product.accessible or product.item_class != Product.ItemClass.ADD_ON:
        raise LineRefused("add_on", _("One of the add-ons is no longer sold. Choose again."), field="add_on")
    if product.category != service.category:
        raise LineRefused("add_on_misfit", _("One of the add-ons does not go with this plan."), field="add_on")
    return Item(product, 1, product.price or 0)


def _in_one_region(product: Product, chosen: Sequence[Chosen], extra: Sequence[Item]) -> None:
    """A VPN leads to one country: the plan's own, or the one chosen as the option `region`; add-ons of another do not
    go with it."""
    if product.category != Product.Category.VPN:
        return
    own = {str(product.attributes[REGION]).casefold()} if product.attributes.get(REGION) else set()
    picked = {str(each.value).casefold() for each in chosen if each.option.key == REGION}
    if not own | picked:
        raise LineRefused("region", _("Choose the country of your VPN."), field=f"option-{REGION}")
    if len(own | picked) > 1:
        raise LineRefused("region", _("This plan does not lead to that country."), field=f"option-{REGION}")
    theirs = {str(item.product.attributes.get(REGION) or "").casefold() for item in extra} - {""}
    if not theirs <= own | picked:
        raise LineRefused("add_on_misfit", _("One of the add-ons does not go with this plan."), field="add_on")


def _once(skus: Sequence[str]) -> list[str]:
    return sorted(set(skus))


def sum_lines(lines: Iterable[PricedLine], cycle: str) -> list[SumLine]:
    """What is paid in this cycle, item by item; options that cost something stand on their own."""
    return [part for line in lines for item in line.of_cycle(cycle) for part in _parts(item)]


def _parts(item: Item) -> list[SumLine]:
    options = [SumLine(each.words, each.price * item.quantity) for each in item.chosen if each.price]
    note = gettext("Always part of this plan") if item.product.item_class == Product.ItemClass.ACTIVATION else ""
    return [SumLine(item.product.name, item.amount - sum(option.amount for option in options), note), *options]
