"""What pages and other apps ask about orders."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import get_language

from accounts.models import User
from catalog import options as catalog_options
from catalog.models import Product
from catalog.pricing import COLUMN, SumLine, Totals, total
from orders.models import Order, OrderLine
from orders.status import StatusView, view


@dataclass(frozen=True)
class OrderContact:
    """Whom an e-mail about an order goes to; `url` is the order's page."""

    user_id: int
    email: str
    language: str
    number: str
    url: str


@dataclass(frozen=True)
class OrderRow:
    """An order as a list shows it."""

    order: Order
    name: str
    status: StatusView
    totals: Totals


def contact_for(sf_order_id: str) -> OrderContact | None:
    """The customer of an order of ours; None for an order we do not have or that has no user (any more)."""
    order = Order.objects.select_related("user").filter(sf_order_id=sf_order_id).first()
    if order is None or order.user is None:
        return None
    url = f"{settings.SITE_URL}{reverse('order', args=[order.number])}"
    return OrderContact(order.user.pk, order.user.email, order.user.language, order.number, url)


def of_user(user: User) -> list[OrderRow]:
    """All orders of a customer, newest first, in two queries."""
    return rows(Order.objects.for_user(user).prefetch_related("lines"))


def under_way(user: User, most: int = 5) -> list[OrderRow]:
    """Orders something still happens to, newest first, in two queries."""
    return rows(Order.objects.for_user(user).under_way().prefetch_related("lines")[:most])


def of_submission(user: User, submission: UUID) -> list[OrderRow]:
    """The orders of one submit; empty for somebody else's."""
    return rows(
        Order.objects.for_user(user).filter(submission=submission).order_by("cart_line").prefetch_related("lines")
    )


def rows(orders: Iterable[Order]) -> list[OrderRow]:
    """Orders (with their lines prefetched) as list rows."""
    return [
        OrderRow(
            order, name_of(order.lines.all()[0]) if order.lines.all() else "", view(order), totals(order.lines.all())
        )
        for order in orders
    ]


def with_lines(user: User, number: str) -> Order | None:
    """One order of this customer with its lines, in two queries; None when it is not theirs."""
    lines = Prefetch("lines", OrderLine.objects.order_by("position"))
    return Order.objects.for_user(user).filter(number=number).prefetch_related(lines).first()


def name_of(line: OrderLine) -> str:
    """The name it was sold by, in the active language."""
    return line.name_ja if get_language() == "ja" and line.name_ja else line.name_en


def totals(lines: Iterable[OrderLine]) -> Totals:
    """What an order costs, each cycle apart."""
    return total(
        Totals(**{COLUMN.get(line.billing_cycle, "one_time"): line.quantity * line.unit_price}) for line in lines
    )


def chosen_words(lines: Sequence[OrderLine]) -> dict[str, str]:
    """SKU -> the options chosen with it, in words; one query, none where nothing was chosen."""
    chosen = {line.sku: line.options for line in lines if line.options}
    plans = Product.objects.filter(sku__in=chosen, broken=[]).order_by("synced_at") if chosen else ()
    return {
        plan.sku: " · ".join(catalog_options.words_of(catalog_options.parse(plan.options), chosen[plan.sku]))
        for plan in plans
    }


def sum_lines(lines: Sequence[OrderLine], cycle: str, notes: Mapping[str, str]) -> list[SumLine]:
    """The lines of one cycle, for a sum, with their notes by SKU."""
    return [
        SumLine(name_of(line), line.quantity * line.unit_price, notes.get(line.sku, ""))
        for line in lines
        if line.billing_cycle == cycle
    ]
