"""What pages and other apps ask about orders."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import get_language

from accounts import links
from accounts.models import CustomerLink, User
from accounts.names import addressee
from catalog import options as catalog_options
from catalog.models import Product
from catalog.pricing import COLUMN, SumLine, Totals, shown_cycle, total
from orders import held
from orders.board import StatusView, view
from orders.items import CHANGED
from orders.models import Order, OrderEvent, OrderLine, OrderQuerySet
from orders.status import Status, status_of
from orders.tasks import Task


@dataclass(frozen=True)
class OrderContact:
    """Whom an e-mail about an order goes to, and how it greets them; `url` is the order's page."""

    user_id: int
    email: str
    language: str
    addressee: str
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
    user = customer_of(order) if order else None
    if order is None or user is None:
        return None
    url = f"{settings.SITE_URL}{reverse('order', args=[order.number])}"
    return OrderContact(user.pk, user.email, user.language, addressee(user, user.language), order.number, url)


def is_cancelled(sf_order_id: str) -> bool:
    """Whether the customer of an order of ours was told that it is cancelled; False for one we do not have."""
    order = Order.objects.filter(sf_order_id=sf_order_id).first()
    return order is not None and status_of(order) is Status.CANCELLED


def customer_of(order: Order) -> User | None:
    """Who is written to about an order: its user, if the order is (still) theirs to see."""
    if order.user is None or not order.made_in_salesforce:
        return order.user
    return order.user if Order.objects.for_user(order.user).filter(pk=order.pk).exists() else None


def has_ordered(user: User, sku: str) -> bool:
    """Whether one of the customer's orders that was not refused or cancelled has this product, in one query."""
    alive = Order.objects.for_user(user).exclude(local_state=Order.Local.REFUSED).exclude(sf_status="Cancelled")
    return OrderLine.objects.filter(order__in=alive, sku=sku).exists()


@dataclass(frozen=True)
class Part:
    """A part of the list of orders, as the address names it."""

    key: str  # empty: all
    orders: Callable[[OrderQuerySet], OrderQuerySet]


PARTS = (
    Part("", lambda orders: orders),
    Part("under-way", OrderQuerySet.under_way),
    Part("active", OrderQuerySet.active),
    Part("cancelled", OrderQuerySet.cancelled),
)


def of_user(user: User, part: str = "") -> OrderQuerySet:
    """The orders of a customer in one of PARTS, newest first; an unknown part is all of them."""
    wanted = next((each for each in PARTS if each.key == part), PARTS[0])
    return wanted.orders(Order.objects.for_user(user)).prefetch_related("lines")


def under_way(user: User, most: int = 5) -> list[OrderRow]:
    """Orders something still happens to, newest first, in two queries."""
    return rows(user, of_user(user, "under-way")[:most])


def identity_asked(rows: Iterable[OrderRow]) -> frozenset[str]:
    """How those who ordered these must prove who they are, by the catalogue of today: values of Product.Identity. One
    query if a SIM is among them."""
    sims = [row.order for row in rows if row.order.category == Product.Category.SIM]
    skus = {line.sku for order in sims for line in order.lines.all()}
    if not skus:
        return frozenset()
    return frozenset(
        Product.objects.filter(sku__in=skus, category=Product.Category.SIM).values_list("identity", flat=True)
    )


def of_submission(user: User, submission: UUID) -> list[OrderRow]:
    """The orders of one submit; empty for somebody else's."""
    return rows(user, of_user(user).filter(submission=submission).order_by("cart_line"))


def rows(user: User, orders: Iterable[Order]) -> list[OrderRow]:
    """The customer's orders (with their lines prefetched) as list rows; several on hold cost no more than one."""
    listed = list(orders)
    tasks = held.tasks_of(user, listed)
    views = [_view(user, order, tasks.get(order.pk, ())) for order in listed]
    return [
        OrderRow(order, title_of(order), status, totals(order.lines.all()))
        for order, status in zip(listed, views, strict=True)
    ]


def view_for(user: User, order: Order) -> StatusView:
    """What its customer is told. One more query while the order is not in Salesforce yet, some more if on hold."""
    return _view(user, order, held.tasks_of(user, [order]).get(order.pk, ()))


def _view(user: User, order: Order, tasks: tuple[Task, ...]) -> StatusView:
    link = links.link_of(user) if order.local_state == Order.Local.SUBMITTED else None
    confirming = link is not None and link.state == CustomerLink.State.PROVISIONAL
    return view(order, confirming=confirming, tasks=tasks)


def title_of(order: Order) -> str:
    """What it is called in a list: by its service, else by its number in Salesforce."""
    lines = order.lines.all()
    return name_of(lines[0]) if lines else order.sf_order_number


def of_number(user: User, number: str) -> OrderQuerySet:
    """One order of this customer as its page shows it, or none: with its agreement, if it has one (though without the
    words), and when support last changed it. Its lines are one query more."""
    events = OrderEvent.objects.filter(order=OuterRef("pk"), what=CHANGED).order_by("-at")
    orders = Order.objects.for_user(user).filter(number=number)
    with_agreement = orders.select_related("agreement").defer("agreement__matters")
    return with_agreement.annotate(changed_at=Subquery(events.values("at")[:1]))


def with_lines(user: User, number: str) -> Order | None:
    """One order of this customer (`of_number`) with its lines, in two queries; None when it is not theirs."""
    return of_number(user, number).prefetch_related("lines").first()


def changed_by_support(order: Order) -> datetime | None:
    """When support last changed what was ordered; for an order from `of_number`, no query."""
    changed_at: datetime | None = vars(order)["changed_at"]
    return changed_at


def name_of(line: OrderLine) -> str:
    """The name it was sold by, in the active language."""
    return line.name_ja if get_language() == "ja" and line.name_ja else line.name_en


def totals(lines: Iterable[OrderLine]) -> Totals:
    """What an order costs, each cycle apart."""
    return total(Totals(**{COLUMN[shown_cycle(line.billing_cycle)]: line.quantity * line.unit_price}) for line in lines)


def chosen_words(lines: Sequence[OrderLine]) -> dict[int, str]:
    """Id of a line -> the options chosen with it, in words of the active language.

    As they were when it was ordered; for older lines, and those that support chose, as the catalogue has them now, in
    one query.
    """
    unkept = {line.sku for line in lines if line.options and not line.options_in_words}
    plans = Product.objects.filter(sku__in=unkept, broken=[]).order_by("synced_at") if unkept else ()
    offered = {plan.sku: catalog_options.parse(plan.options) for plan in plans}
    return {line.pk: _chosen_words(line, offered.get(line.sku, ())) for line in lines}


def _chosen_words(line: OrderLine, offered: Sequence[catalog_options.Option]) -> str:
    if line.options_in_words:
        return str(line.options_in_words.get(get_language(), ""))
    return catalog_options.SEPARATOR.join(catalog_options.words_of(offered, line.options))


def sum_lines(lines: Sequence[OrderLine], cycle: str, notes: Mapping[int, str]) -> list[SumLine]:
    """The lines of one cycle, for a sum, with their notes by id."""
    return [
        SumLine(name_of(line), line.quantity * line.unit_price, notes.get(line.pk, ""))
        for line in lines
        if shown_cycle(line.billing_cycle) == cycle
    ]
