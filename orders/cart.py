"""The cart: a visitor's (its id is in the session) or a customer's; merged when the visitor turns out to be one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import User
from catalog import queries as catalog
from catalog.families import BY_CATEGORY
from catalog.models import Product
from catalog.pricing import LineRefused, PricedLine, Totals, price_line, total
from orders import rules
from orders.models import Cart, CartLine

SESSION_KEY = "cart"


@dataclass(frozen=True)
class LineView:
    """A line as the cart shows it: priced, or with the sentence that says why it cannot be ordered any more."""

    line: CartLine
    priced: PricedLine | None
    name: str
    slug: str  # the family's address; empty for a product nobody remembers
    problem: "str | Promise" = ""
    is_sold: bool = True  # False: no other choice of options helps, only another plan
    fits: bool = True  # False: nothing is wrong with it but what lies beside it
    was: Totals | None = None  # what it cost when it was added, if that changed

    @property
    def way_on(self) -> str:
        """Where a line that cannot be ordered is chosen again, or another plan instead; empty: it has to go."""
        if not self.fits:
            return ""
        if self.is_sold and self.slug:
            return reverse("cart_line", args=[self.line.pk])
        return reverse("category", args=[self.slug]) if self.slug else reverse("catalog")


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
        _tell(request, merge(user=request.user, visitor_cart_id=visitor_id))
        del request.session[SESSION_KEY]
    return Cart.objects.filter(user=request.user, closed_at=None).first()


def size(request: HttpRequest) -> int:
    """How many lines the header counts: no query for a visitor without a cart, one for everybody else."""
    visitor_id = request.session.get(SESSION_KEY)
    whose = [Q(cart=visitor_id, cart__user=None)] if visitor_id else []
    if isinstance(request.user, User):  # who has just signed in has both, until the next look at the cart
        whose.append(Q(cart__user=request.user))
    return CartLine.objects.filter(reduce(or_, whose), cart__closed_at=None).count() if whose else 0


def look(cart: Cart | None) -> CartView:
    """Prices every line as of now, in three queries at most; what cannot be ordered is explained, never dropped."""
    lines = list(cart.lines.all()) if cart else []
    products = catalog.by_sku(sku for line in lines for sku in (line.sku, *line.add_ons)) if lines else {}
    gone = {line.sku for line in lines} - products.keys()
    remembered = {product.sku: product for product in Product.objects.filter(sku__in=gone)} if gone else {}
    return CartView(cart, tuple(_within_limits(_look_at(line, products, remembered) for line in lines)))


def add(
    *, request: HttpRequest, sku: str, quantity: Any = 1, options: Mapping[str, Any], add_ons: Sequence[str]
) -> CartLine:
    """Puts one checked line into the cart, making the cart when there is none. Raises LineRefused: nothing changed."""
    priced = price_line(
        products=catalog.by_sku([sku, *add_ons]), sku=sku, quantity=quantity, options=options, add_ons=add_ons
    )
    own = cart_for(request)  # two carts become one whether or not the line fits
    with transaction.atomic():
        cart = _locked(own) or _new_cart(request)
        rules.joins(priced.product.category, list(_categories(cart).values()))
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


@dataclass(frozen=True)
class Merged:
    """What did not come along when two carts became one: the names of the plans."""

    replaced: tuple[str, ...] = ()  # the customer's own, by a newly chosen home internet plan
    left_out: tuple[str, ...] = ()  # the visitor's, by a limit


@transaction.atomic
def merge(*, user: User, visitor_cart_id: str | UUID) -> Merged:
    """Moves a visitor's lines into the customer's cart; safe to repeat, and harmless for a cart that is gone.

    What is there already in the same words is not doubled; a newly chosen home internet plan takes the old one's
    place, because there can be one; what a limit refuses is left out, and told.
    """
    visitor = Cart.objects.select_for_update().filter(pk=visitor_cart_id, user=None, closed_at=None).first()
    if visitor is None:
        return Merged()
    mine = _locked(_own_cart(user)) or _own_cart(user)
    replaced = _make_room_for_internet(mine, visitor)
    here = [_content(line) for line in mine.lines.all()]
    categories, left_out = _categories(mine), list[str]()
    # Internet first: it was made room for, and must not lose its place to what merely came earlier.
    for line, category in sorted(_categories(visitor).items(), key=lambda each: each[1] != Product.Category.INTERNET):
        if _content(line) in here:
            continue
        try:
            rules.joins(category, list(categories.values()))
        except LineRefused:
            left_out.append(line.sku)
        else:
            categories[line] = category
            CartLine.objects.filter(pk=line.pk).update(cart=mine)
    visitor.delete()
    names = {product.sku: product.name for product in Product.objects.filter(sku__in=[*replaced, *left_out])}
    return Merged(*(tuple(names.get(sku, sku) for sku in skus) for skus in (replaced, left_out)))


def _make_room_for_internet(mine: Cart, visitor: Cart) -> list[str]:
    if Product.Category.INTERNET not in _categories(visitor).values():
        return []
    old = [line for line, category in _categories(mine).items() if category == Product.Category.INTERNET]
    theirs = [_content(line) for line in visitor.lines.all()]
    CartLine.objects.filter(pk__in=[line.pk for line in old]).delete()
    return [line.sku for line in old if _content(line) not in theirs]


def _within_limits(views: Iterable[LineView]) -> Iterator[LineView]:
    """Lines that may not stand together do when a plan's family was mended after they were added: the first stays."""
    categories: list[str] = []
    for view in views:
        try:
            if view.priced:
                rules.joins(view.priced.product.category, categories)
                categories.append(view.priced.product.category)
        except LineRefused as refused:
            yield replace(view, priced=None, problem=refused.sentence, fits=False, was=None)
        else:
            yield view


def _look_at(line: CartLine, products: Mapping[str, Product], remembered: Mapping[str, Product]) -> LineView:
    product = products.get(line.sku) or remembered.get(line.sku)
    family = BY_CATEGORY.get(product.category) if product else None  # none: a product that became broken
    name, slug = product.name if product else line.sku, family.slug if family else ""
    try:
        priced = price_line(
            products=products, sku=line.sku, quantity=line.quantity, options=line.options, add_ons=line.add_ons
        )
    except LineRefused as refused:
        return LineView(line, None, name, slug, refused.sentence, is_sold=refused.code != "not_sold")
    was = Totals(**{"monthly": 0, "yearly": 0, "one_time": 0, **line.price_seen})
    return LineView(line, priced, name, slug, was=was if was != priced.totals else None)


def _categories(cart: Cart) -> dict[CartLine, str]:
    """The cart's lines with their families; of products that are withdrawn too."""
    lines = list(cart.lines.all())
    known = dict(Product.objects.filter(sku__in={line.sku for line in lines}).values_list("sku", "category"))
    return {line: known.get(line.sku, "") for line in lines}


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


def _tell(request: HttpRequest, merged: Merged) -> None:
    for name in merged.replaced:
        messages.info(
            request,
            _("%(name)s was in your cart before. The home internet plan you chose now took its place.")
            % {"name": name},
        )
    for name in merged.left_out:
        messages.warning(
            request, _("%(name)s did not fit in your cart. Place this order first, then order it.") % {"name": name}
        )


def _locked(cart: Cart | None) -> Cart | None:
    if cart is None:
        return None
    return Cart.objects.select_for_update().filter(pk=cart.pk, closed_at=None).first()


def _own_cart(user: User) -> Cart:
    return Cart.objects.get_or_create(user=user, closed_at=None)[0]


def _new_cart(request: HttpRequest) -> Cart:
    if isinstance(request.user, User):
        return _own_cart(request.user)
    cart = Cart.objects.create()
    request.session[SESSION_KEY] = str(cart.pk)
    return cart
