"""What an order waits for that could not be asked when it was submitted (decisions.md 2)."""

from dataclasses import dataclass, replace

from django.urls import reverse

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
    sku = order.lines.all()[0].sku
    newest = Product.objects.filter(sku=sku).order_by("-synced_at").first()
    return OrderedPlan(newest or Product(sku=sku, category=order.category))


def tasks(order: Order) -> tuple[Task, ...]:
    """What keeps `order` from being placed, and what of it is done meanwhile; empty when nothing does. Asks nobody."""
    if not order.on_hold or order.user is None or order.local_state != Order.Local.SUBMITTED:
        return ()
    plans = [plan_of(order)]
    found = gate.tasks(gate.known_here(user=order.user, lines=plans), plans, back=reverse("order", args=[order.number]))
    return tuple(_in_words(task) for task in found if task.key in order.on_hold)


def _in_words(task: Task) -> Task:
    """In the language of now, so that two looks can be compared."""
    return replace(task, name=str(task.name), text=str(task.text), action=str(task.action), word=str(task.word))
