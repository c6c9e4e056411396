"""Submitting a cart: once, at the price the customer saw, when everything needed is there (product.md §7).

The same cart sent twice (double click, two tabs, back button) makes one set of orders: the cart's row is locked,
its hash is unique per customer and line, and a repeat gets the first submit's orders back.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import get_language

from accounts.models import User
from catalog import options as catalog_options
from catalog.pricing import Item, PricedLine
from integrations import correlation
from orders import cart as carts
from orders import gate, matters, places, placing, telling
from orders.cart import CartView
from orders.gate import Task
from orders.models import Agreement, Cart, Order, OrderLine, new_number
from orders.places import Place
from orders.transitions import log_event

ASK_AGAIN_WITHIN = timedelta(hours=24)
HASH_PART = 40


class CartGone(Exception):
    """There is no such open cart of this customer, and nothing was ordered from it."""


class CartChanged(Exception):
    """Prices, contents or texts differ from what the customer saw; nothing was ordered. Show `view` and ask again."""

    def __init__(self, view: CartView) -> None:
        super().__init__("the cart changed")
        self.view = view


class NotReady(Exception):
    """Something needed is missing; nothing was ordered. `tasks` is the whole list."""

    def __init__(self, tasks: tuple[Task, ...]) -> None:
        super().__init__(", ".join(task.key for task in gate.open_tasks(tasks)))
        self.tasks = tasks


@dataclass(frozen=True)
class Accepted:
    """The versions of the two texts whose boxes the customer ticked; empty for one that was not."""

    terms: str = ""
    matters: str = ""

    def missing(self) -> tuple[str, ...]:
        """Which of the two was not accepted in the version in force."""
        return tuple(name for name, version in vars(self).items() if version != settings.TERMS_VERSION)


class TermsNotAccepted(Exception):
    """The customer did not confirm the texts that are in force; nothing was ordered. `missing`: Accepted.missing()."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(", ".join(missing))
        self.missing = missing


class OrderedBefore(Exception):
    """The same was ordered within 24 hours from another cart; nothing was ordered. `order` is one of those."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.number)
        self.order = order


def digest(*, user: User, cart: Cart, lines: Sequence[PricedLine], terms_version: str, told: str) -> str:
    """The cart hash of decisions.md 11: equal if and only if customer, cart, contents, prices and texts are.

    `told`: matters.fingerprint of these lines.
    """
    content = [user.pk, str(cart.pk), [_canonical(line) for line in _in_order(lines)], terms_version, told]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def shown(*, user: User, cart: Cart, lines: Sequence[PricedLine], goes_to: Sequence[Place | None] | None = None) -> str:
    """The digest of what the review page shows of these lines now, in the active language.

    `goes_to`: places.of_lines of them, if the caller has asked already.
    """
    goes_to = places.of_lines(user, lines) if goes_to is None else goes_to
    pairs = sorted(zip(lines, goes_to, strict=True), key=lambda pair: _key(pair[0]))
    told = matters.fingerprint([line for line, _ in pairs], [place.as_json() if place else {} for _, place in pairs])
    return digest(user=user, cart=cart, lines=lines, terms_version=settings.TERMS_VERSION, told=told)


def submit(*, user: User, cart_id: UUID, seen: str, accepted: Accepted, again: bool = False) -> UUID:
    """Turns the cart into orders and places them; returns the submission's id (orders of one submit share it).

    `seen` is `shown` of what the review page showed; `accepted` what was confirmed there; `again`: yes, the same
    once more within 24 hours. What is kept of the important matters is in the active language. Safe to repeat: the
    same `seen` returns the first submission. Asks WHMCS and writes to Salesforce, so not to be called in a transaction.
    Raises TermsNotAccepted, CartGone, CartChanged, NotReady or OrderedBefore; then nothing changed.
    """
    if earlier := _earlier(user, seen):
        return earlier
    if missing := accepted.missing():
        raise TermsNotAccepted(missing)
    cart = Cart.objects.filter(pk=cart_id, user=user, closed_at=None).first()
    if cart is None:
        return _earlier_or_gone(user, seen)  # another tab closed it since we looked
    view = _as_seen(user, cart, seen)
    now = gate.situation(user=user, lines=view.priced)
    tasks = gate.tasks(now, view.priced)
    if gate.open_tasks(tasks):
        raise NotReady(tasks)
    if not again and (order := _ordered_before(user, view.priced, besides=seen)):
        raise OrderedBefore(order)
    submission = _store(user=user, cart_id=cart.pk, seen=seen, known=now.link is not None)
    placing.place_submission(submission)
    return submission


def _as_seen(user: User, cart: Cart, seen: str) -> CartView:
    view = carts.look(cart)
    if not view.can_order or seen != shown(user=user, cart=cart, lines=view.priced):
        raise CartChanged(view)
    return view


@transaction.atomic
def _store(*, user: User, cart_id: UUID, seen: str, known: bool) -> UUID:
    """`known`: who orders is a customer for certain, so nothing is left to be asked before placing."""
    cart = Cart.objects.select_for_update().get(pk=cart_id)
    if cart.closed_at is not None:
        return _earlier_or_gone(user, seen)
    view, submission = _as_seen(user, cart, seen), uuid.uuid4()
    lines = _in_order(view.priced)
    orders = [
        _store_order(user=user, line=line, number_in_cart=index, seen=seen, submission=submission, place=place)
        for index, (line, place) in enumerate(zip(lines, places.of_lines(user, lines), strict=True))
    ]
    if known:
        Order.objects.filter(submission=submission).update(cleared_at=timezone.now())
    _log_new_prices(orders, view)
    cart.closed_at = timezone.now()
    cart.save(update_fields=["closed_at", "updated_at"])
    telling.received(user, orders, submission)
    return submission


def _store_order(
    *, user: User, line: PricedLine, number_in_cart: int, seen: str, submission: UUID, place: Place | None
) -> Order:
    number = _free_number()
    order = Order.objects.create(
        number=number,
        user=user,
        submission=submission,
        cart_hash=seen,
        cart_line=number_in_cart,
        portal_ref=f"{number}:{seen[:HASH_PART]}-{number_in_cart}",
        correlation_id=correlation.current() or correlation.new_id(),
        category=line.product.category,
        place=place.as_json() if place else {},
        terms_version=settings.TERMS_VERSION,
        terms_accepted_at=timezone.now(),
    )
    OrderLine.objects.bulk_create(_order_line(order, place, item) for place, item in enumerate(line.items))
    Agreement.objects.create(order=order, language=get_language() or "en", matters=matters.summary([line]))
    agreed = {"version": order.terms_version, "totals": line.totals.as_json()}
    log_event(order, what="submitted", actor="customer", detail={"submission": str(submission), **agreed})
    return order


def _log_new_prices(orders: Sequence[Order], view: CartView) -> None:
    """A price that changed while it lay in the cart was shown and confirmed: both are written down."""
    was = {id(line.priced): line.was for line in view.lines}
    for order, line in zip(orders, _in_order(view.priced), strict=True):
        if before := was[id(line)]:
            detail = {"was": before.as_json(), "now": line.totals.as_json()}
            log_event(order, what="price_confirmed", actor="customer", detail=detail)


def _order_line(order: Order, position: int, item: Item) -> OrderLine:
    product = item.product
    return OrderLine(
        order=order,
        position=position,
        sku=product.sku,
        name_en=product.name_en,
        name_ja=product.name_ja,
        item_class=product.item_class,
        billing_cycle=product.billing_cycle,
        quantity=item.quantity,
        unit_price=item.unit_price,
        options=catalog_options.snapshot(item.chosen),
        options_in_words=_in_words(item),
        sf_pricebook_entry_id=product.sf_pricebook_entry_id,
    )


def _in_words(item: Item) -> dict[str, str]:
    """As the customer reads the choice, in every language of ours: the catalogue may say something else one day."""
    if not item.chosen:
        return {}
    words = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            words[language] = catalog_options.SEPARATOR.join(each.words for each in item.chosen)
    return words


def _free_number() -> str:
    """Ten million numbers are few enough to meet: the unique column is the judge, this only makes it rare."""
    number = new_number()
    while Order.objects.filter(number=number).exists():
        number = new_number()
    return number


def _earlier(user: User, seen: str) -> UUID | None:
    return Order.objects.for_user(user).filter(cart_hash=seen).values_list("submission", flat=True).first()


def _earlier_or_gone(user: User, seen: str) -> UUID:
    if earlier := _earlier(user, seen):
        return earlier
    raise CartGone


def _ordered_before(user: User, lines: Sequence[PricedLine], *, besides: str) -> Order | None:
    since = timezone.now() - ASK_AGAIN_WITHIN
    from_carts = Order.objects.for_user(user).not_cancelled().filter(sf_account_id="")
    recent = from_carts.filter(created_at__gte=since).exclude(cart_hash=besides)
    submissions: dict[UUID, list[Order]] = {}
    for order in recent.prefetch_related("lines"):
        submissions.setdefault(order.submission, []).append(order)
    wanted = sorted(_content(line.service.product.sku, _values(line), line.add_on_skus) for line in lines)
    for orders in submissions.values():
        if sorted(_content_of(order) for order in orders) == wanted:
            return orders[0]
    return None


def _content_of(order: Order) -> str:
    service, *others = order.lines.all()
    add_ons = [line.sku for line in others if line.item_class == "Add-on"]
    return _content(service.sku, _chosen(service.options), add_ons)


def _chosen(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a snapshot chose; support may have written the options by hand in Salesforce."""
    return {key: entry.get("value") if isinstance(entry, Mapping) else entry for key, entry in options.items()}


def _content(sku: str, values: dict[str, Any], add_ons: Sequence[str]) -> str:
    return json.dumps([sku, values, sorted(add_ons)], sort_keys=True)


def _values(line: PricedLine) -> dict[str, Any]:
    return {each.option.key: each.value for each in line.service.chosen}


def _in_order(lines: Sequence[PricedLine]) -> list[PricedLine]:
    return sorted(lines, key=_key)


def _key(line: PricedLine) -> str:
    return json.dumps(_canonical(line))


def _canonical(line: PricedLine) -> list[Any]:
    return [
        line.product.sku,
        line.service.quantity,
        sorted(_values(line).items()),
        [[item.product.sku, item.quantity, item.unit_price, item.product.billing_cycle] for item in line.items],
    ]
