"""The product configuration of the installation: the shared catalogue, and what a seed file adds to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from sandbox import catalogue
from sandbox.store import Store

MODULE = "sonixprov"
CURRENCY = "JPY"
CURRENCY_ID = 1
MARK_FIELD_BASE = 5000
CYCLES = ("monthly", "quarterly", "semiannually", "annually", "biennially", "triennially")
INPUT_CYCLES = ("free", "onetime", *CYCLES)
DISPLAY_CYCLES = {
    "free": "Free Account",
    "onetime": "One Time",
    "monthly": "Monthly",
    "quarterly": "Quarterly",
    "semiannually": "Semi-Annually",
    "annually": "Annually",
    "biennially": "Biennially",
    "triennially": "Triennially",
}
# WHMCS's numbers of the types of options, by the words it has for them.
OPTION_TYPES = {"dropdown": "1", "yesno": "3", "quantity": "4"}
_OPTION_WORDS = {number: word for word, number in OPTION_TYPES.items()}
_CATALOGUE_TYPES = {"choice": "1", "yes_no": "3", "quantity": "4"}
_GROUPS = {"Internet": (1, "Home Internet"), "SIM": (2, "Mobile"), "VPN": (3, "VPN")}


@dataclass(frozen=True)
class OptionChoice:
    """One choice of a configurable option; `price` is added to each period's price."""

    id: int
    name: str
    price: int


@dataclass(frozen=True)
class ProductOption:
    """A configurable option; `type` is WHMCS's number for it (whmcs-wire §2)."""

    id: int
    name: str
    type: str
    minimum: int
    maximum: int
    choices: tuple[OptionChoice, ...]

    @property
    def word(self) -> str:
        """The type as GetClientsProducts spells it."""
        return _OPTION_WORDS[self.type]

    def choice(self, number: int) -> OptionChoice:
        """The chosen one; an id this option does not have falls back to the first, which is the default."""
        return next((each for each in self.choices if each.id == number), self.choices[0])


@dataclass(frozen=True)
class Product:
    """A product as its administrator configured it; `cycles` are the billing cycles offered, with their prices."""

    pid: int
    gid: int
    group: str
    name: str
    description: str
    module: str
    paytype: str
    cycles: dict[str, int]
    mark_field_id: int
    mark_field: str
    options: tuple[ProductOption, ...]


_PRODUCT: TypeAdapter[Product] = TypeAdapter(Product)
_CLOSED = "shop closed"


def mark_field_id(pid: int) -> int:
    """The id of the custom field that carries the mark: each product has one of its own."""
    return MARK_FIELD_BASE + pid


class Products(Mapping[int, Product]):
    """The installation's products by pid: those of the shop, and in their place or besides those it was given."""

    def __init__(self, store: Store) -> None:
        self._own = store.table("whmcs.product")
        self._marks = store.table("whmcs.product marks")

    def __getitem__(self, pid: int) -> Product:
        own = self._own.get(str(pid))
        return _PRODUCT.validate_python(own) if own else self._shop()[pid]

    def __iter__(self) -> Iterator[int]:
        return iter(sorted({*map(int, (each["pid"] for each in self._own.all())), *self._shop()}))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def put(self, product: Product) -> None:
        """Add a product, or put it in the place of the one with its pid."""
        self._own.put(str(product.pid), _PRODUCT.dump_python(product, mode="json"))

    def close_shop(self) -> None:
        """Sell nothing of the shop's from now on."""
        self._marks.put(_CLOSED, {})

    def _shop(self) -> Mapping[int, Product]:
        return {} if self._marks.get(_CLOSED) is not None else shop_products()


@cache
def shop_products() -> dict[int, Product]:
    """Every product of the shop by pid."""
    shop = catalogue.load()
    return {each.whmcs_pid: _product(each, shop.whmcs_mark_field) for each in shop.products}


def _product(source: catalogue.CatalogueProduct, mark_field: str) -> Product:
    gid, group = _GROUPS[source.category]
    once = source.cycle == "One-time"
    return Product(
        pid=source.whmcs_pid,
        gid=gid,
        group=group,
        name=source.name.en,
        description=source.description.en,
        module="" if once and source.item_class != "Service" else MODULE,
        paytype="onetime" if once else "recurring",
        cycles={"onetime" if once else source.cycle.lower(): source.price},
        mark_field_id=mark_field_id(source.whmcs_pid),
        mark_field=mark_field,
        options=tuple(_option(each) for each in source.options if each.kind in _CATALOGUE_TYPES),
    )


def _option(source: catalogue.ConfigOption) -> ProductOption:
    return ProductOption(
        id=source.whmcs_option_id,
        name=source.label.en,
        type=_CATALOGUE_TYPES[source.kind],
        minimum=int(source.raw.get("minimum", 0)),
        maximum=int(source.raw.get("maximum", 0)),
        choices=tuple(OptionChoice(each.whmcs_choice_id, each.label.en, each.price) for each in source.choices),
    )


def yen(amount: int) -> str:
    """An amount as WHMCS writes it in any currency: two decimals (§1)."""
    return f"{amount}.00"
