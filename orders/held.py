"""What an order waits for that could not be asked when it was submitted (decisions.md 2)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.urls import reverse

from accounts import links
from accounts.models import User
from catalog.models import Product
from orders import gate
from orders.gate import Task
from orders.models import Order


@dataclass(frozen=True)
class OrderedPlan:
    """The plan of an order, as the gate wants it."""

    product: Product


def plan_of(order: Order) -> OrderedPlan:
    """The plan as the catalogue has it now, for sale or not. The order has at least its service's line."""
    return _plans([order])[0]


def tasks(order: Order) -> tuple[Task, ...]:
    """What keeps `order` from being placed, and what of it is done meanwhile; empty when nothing does. Asks nobody."""
    return tasks_of(order.user, [order]).get(order.pk, ()) if order.user else ()


def tasks_of(user: User, orders: Iterable[Order]) -> Mapping[int, tuple[Task, ...]]:
    """By id, the same of several orders of `user`, with their lines prefetched, in as many queries as for one.

    Whoever has no account yet, or not any more, waits for that with each order.
    """
    submitted = [order for order in orders if order.local_state == Order.Local.SUBMITTED]
    if submitted and links.link_of(user) is None:
        now = gate.known_here(user=user, lines=())
        return {order.pk: gate.open_tasks(_tasks(now, order)) for order in submitted}
    kept = [order for order in submitted if order.on_hold]
    if not kept:
        return {}
    plans = _plans(kept)
    now = gate.known_here(user=user, lines=plans)
    found = {order.pk: _tasks(now, order, plan) for order, plan in zip(kept, plans, strict=True)}
    return {order.pk: tuple(task for task in found[order.pk] if task.key in order.on_hold) for order in kept}


def _tasks(now: gate.Situation, order: Order, *plans: OrderedPlan) -> tuple[Task, ...]:
    found = gate.tasks(now, plans, back=reverse("order", args=[order.number]))
    return tuple(_in_words(task) for task in found)


def _plans(orders: Sequence[Order]) -> list[OrderedPlan]:
    skus = [order.lines.all()[0].sku for order in orders]
    newest = {product.sku: product for product in Product.objects.filter(sku__in=skus).order_by("synced_at")}
    found = zip(skus, orders, strict=True)
    return [OrderedPlan(newest.get(sku) or Product(sku=sku, category=order.category)) for sku, order in found]


def _in_words(task: Task) -> Task:
    """In the language of now, so that two looks can be compared."""
    return replace(task, name=str(task.name), text=str(task.text), action=str(task.action), word=str(task.word))
