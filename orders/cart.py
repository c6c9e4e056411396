"""The cart: a visitor's (its id is in the session) or a customer's; merged when the visitor turns out to be one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog import queries as catalog
from catalog.families import BY_CATEGORY
from catalog.models import Product
from catalog.pricing import LineRefused, PricedLine, Totals, price_line, total
from orders.models import Cart, CartLine

SESSION_KEY = "cart"
MOST_LINES = 10


@dataclass(frozen=True)
class LineView:
    """A line as the cart shows it: priced, or with the sentence that says why it cannot be ordered any more."""

    line: CartLine
    priced: PricedLine | None
    name: str
    problem: "str | Promise" = ""
    was: Totals | None = None  # what it cost when it was added, if that changed

    @property
    def slug(self) -> str:
        """The family's address, for the link back to the product page."""
        return BY_CATEGORY[self.priced.product.category].slug if self.priced else ""


@dataclass(frozen=True)
class CartView:
    """The whole cart, priced now. `cart` is None and `lines` empty when there is nothing in it."""

    cart: Cart | None
    lines: tuple[LineView, ...]

    @property
    def priced(self) -> tuple[PricedLine, ...]:
        return tuple(line.priced for line in self.lines if line.priced)

    @property
    def totals(self) -> Totals:
        return total(line.totals for line in self.priced)

    @property
    def can_order(self) -> bool:
        return bool(self.lines) and all(line.priced for line in self.lines)

    @property
    def repriced(self) -> tuple[LineView, ...]:
        return tuple(line for line in self.lines if line.was)


def cart_for(request: HttpRequest) -> Cart | None:
    """The open cart of whoever asks; a signed-in customer first gets what they chose as a visitor. Safe to repeat."""
    visitor_id = request.session.get(SESSION_KEY)
    if not isinstance(request.user, User):
        return Cart.objects.filter(pk=visitor_id, user=None, closed_at=None).first() if visitor_id else None
    if visitor_id:
        merge(user=request.user, visitor_cart_id=visitor_id)
        del request.session[SESSION_KEY]
    return Cart.objects.filter(user=request.user, closed_at=None).first()


def size(request: HttpRequest) -> int:
    """How many lines the header counts: no query for a visitor without a cart, one for everybody else."""
    visitor_id = request.session.get(SESSION_KEY)
    if isinstance(request.user, User):
        return CartLine.objects.filter(cart__user=request.user, cart__closed_at=None).count()
    return CartLine.objects.filter(cart=visitor_id, cart__user=None, cart__closed_at=None).count() if visitor_id else 0


def look(cart: Cart | None) -> CartView:
    """Prices every line as of now, in two queries; a line that cannot be ordered is explained, never dropped."""
    lines = list(cart.lines.all()) if cart else []
    products = catalog.by_sku(sku for line in lines for sku in (line.sku, *line.add_ons)) if lines else {}
    missing = {line.sku for line in lines} - products.keys()
    names = {product.sku: product.name for product in Product.objects.filter(sku__in=missing)} if missing else {}
    return CartView(cart, tuple(_look_at(line, products, names) for line in lines))


def add(
    *, request: HttpRequest, sku: str, quantity: Any = 1, options: Mapping[str, Any], add_ons: Sequence[str]
) -> CartLine:
    """Puts one checked line into the cart, making the cart when there is none. Raises LineRefused: nothing changed."""
    priced = price_line(
        products=catalog.by_sku([sku, *add_ons]), sku=sku, quantity=quantity, options=options, add_ons=add_ons
    )
    with transaction.atomic():
        cart = _locked(cart_for(request)) or _new_cart(request)
        _must_fit(priced, cart)
        return CartLine.objects.create(cart=cart, **_columns(priced))


def change(
    *, cart: Cart, line_id: int, quantity: Any = 1, options: Mapping[str, Any], add_ons: Sequence[str]
) -> CartLine:
    """Other options or add-ons for a line. Raises CartLine.DoesNotExist, or LineRefused: nothing changed."""
    with transaction.atomic():
        line = CartLine.objects.select_for_update().get(pk=line_id, cart=_locked(cart))
        priced = price_line(
            products=catalog.by_sku([line.sku, *add_ons]),
            sku=line.sku,
            quantity=quantity,
            options=options,
            add_ons=add_ons,
        )
        for name, value in _columns(priced).items():
            setattr(line, name, value)
        line.save()
    return line


def remove(*, cart: Cart, line_id: int) -> bool:
    """Takes a line out; False when it was not there (any more)."""
    return bool(CartLine.objects.filter(pk=line_id, cart=cart, cart__closed_at=None).delete()[0])


@transaction.atomic
def merge(*, user: User, visitor_cart_id: str | UUID) -> None:
    """Moves a visitor's lines into the customer's cart; safe to repeat, and harmless for a cart that is gone.

    What is there already in the same words is not doubled; a newly chosen home internet plan takes the old one's
    place, because there can be one.
    """
    visitor = Cart.objects.select_for_update().filter(pk=visitor_cart_id, user=None, closed_at=None).first()
    if visitor is None:
        return
    mine = Cart.objects.select_for_update().filter(user=user, closed_at=None).first()
    if mine is None:
        Cart.objects.filter(pk=visitor.pk).update(user=user)
        return
    lines = list(visitor.lines.all())
    internet = _internet_skus()
    if any(line.sku in internet for line in lines):
        mine.lines.filter(sku__in=internet).delete()
    here = [_content(line) for line in mine.lines.all()]
    new = [line for line in lines if _content(line) not in here][: max(0, MOST_LINES - len(here))]
    CartLine.objects.filter(pk__in=[line.pk for line in new]).update(cart=mine)
    visitor.delete()


def _look_at(line: CartLine, products: Mapping[str, Product], names: Mapping[str, str]) -> LineView:
    product = products.get(line.sku)
    name = product.name if product else names.get(line.sku, line.sku)
    try:
        priced = price_line(
            products=products, sku=line.sku, quantity=line.quantity, options=line.options, add_ons=line.add_ons
        )
    except LineRefused as refused:
        return LineView(line, None, name, refused.sentence)
    was = Totals(**{"monthly": 0, "yearly": 0, "one_time": 0, **line.price_seen})
    return LineView(line, priced, name, was=was if was != priced.totals else None)


def _must_fit(priced: PricedLine, cart: Cart) -> None:
    others = list(cart.lines.values_list("sku", flat=True))
    if len(others) >= MOST_LINES:
        raise LineRefused(
            "cart_full",
            _("Your cart holds %(count)s services, the most for one order. Place it first, then order the rest.")
            % {"count": MOST_LINES},
        )
    if priced.product.category == Product.Category.INTERNET and _internet_skus() & set(others):
        raise LineRefused(
            "second_internet",
            _("Your cart already has a home internet plan, and there can be one. Remove it to choose another."),
        )


def _internet_skus() -> set[str]:
    plans = Product.objects.filter(category=Product.Category.INTERNET, item_class=Product.ItemClass.SERVICE)
    return set(plans.values_list("sku", flat=True))


def _columns(priced: PricedLine) -> dict[str, Any]:
    return {
        "sku": priced.product.sku,
        "quantity": priced.service.quantity,
        "options": {each.option.key: each.value for each in priced.service.chosen},
        "add_ons": list(priced.add_on_skus),
        "price_seen": priced.totals.as_json(),
    }


def _content(line: CartLine) -> tuple[Any, ...]:
    return (line.sku, line.quantity, sorted(line.options.items()), sorted(line.add_ons))


def _locked(cart: Cart | None) -> Cart | None:
    if cart is None:
        return None
    return Cart.objects.select_for_update().filter(pk=cart.pk, closed_at=None).first()


def _new_cart(request: HttpRequest) -> Cart:
    if isinstance(request.user, User):
        return Cart.objects.get_or_create(user=request.user, closed_at=None)[0]
    cart = Cart.objects.create()
    request.session[SESSION_KEY] = str(cart.pk)
    return cart
