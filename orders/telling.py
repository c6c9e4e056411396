"""The e-mails about an order that is not about to be provisioned: received, cancelled (product.md §11)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from accounts import links
from accounts.models import CustomerLink, User
from accounts.names import addressee
from catalog.pricing import shown_cycle
from notifications import outgoing
from orders import places, queries, refusals
from orders.models import Cancellation, Order
from orders.transitions import nth, times


def received(user: User, orders: Sequence[Order], submission: UUID) -> None:
    """One e-mail for all orders of a submit, with what they hold and cost; in the caller's transaction, once."""
    link = links.link_of(user)
    outgoing.queue(
        cause=f"order_received:{submission}",
        template="order_received",
        to=user.email,
        user_id=user.pk,
        language=user.language,
        context={
            "addressee": addressee(user, user.language),
            "orders": [_content(order, user.language) for order in orders],
            "numbers": [order.number for order in orders],
            "confirming": link is not None and link.state == CustomerLink.State.PROVISIONAL,
            "url": f"{settings.SITE_URL}{reverse('placed', args=[submission])}",
        },
    )


def cancelled(order: Order) -> None:
    """Whoever cancelled it, once for each time; in the caller's transaction, if there is a customer."""
    user = queries.customer_of(order)
    if user is None:
        return
    asked = Cancellation.objects.filter(order=order, state=Cancellation.State.DONE).exists()
    asked = asked or order.refusal == refusals.WITHDRAWN
    _about(user, order, "order_cancelled", again=nth(1 + times(order, "revived")), asked=asked)


def revived(order: Order, *, approved: bool) -> None:
    """A cancelled order goes on, or is only in review again; once for each time in its log.

    In the caller's transaction, if there is a customer.
    """
    user = queries.customer_of(order)
    if user is None:
        return
    asked = Cancellation.objects.filter(order=order, state=Cancellation.State.DONE).exists()
    _about(user, order, "order_revived", again=nth(times(order, "revived")), asked=asked, approved=approved)


def on_hold(user: User, order: Order) -> None:
    """Something that only the customer can bring is missing; once, and once more for each time that it is placed again.

    In the caller's transaction.
    """
    _about(user, order, "order_on_hold", again=nth(1 + times(order, Order.Local.REFUSED)))


def not_accepted(user: User, order: Order) -> None:
    """The order cannot be, and why; once for each refusal in its log, in the caller's transaction."""
    with translation.override(user.language):
        why = refusals.sentence(order.refusal)
    _about(user, order, "order_not_accepted", again=nth(times(order, Order.Local.REFUSED)), why=why)


def taken_up(order: Order) -> None:
    """An order that the customer was told is not accepted is placed again; once for each refusal in its log.

    In the caller's transaction, if there is a customer.
    """
    user = queries.customer_of(order)
    if user is not None:
        _about(user, order, "order_taken_up", again=nth(times(order, Order.Local.REFUSED)))


def _about(user: User, order: Order, template: str, *, again: str = "", **more: Any) -> None:
    url = f"{settings.SITE_URL}{reverse('order', args=[order.number])}"
    outgoing.queue(
        cause=f"{template}:{order.pk}{again}",
        template=template,
        to=user.email,
        user_id=user.pk,
        language=user.language,
        context={
            "addressee": addressee(user, user.language),
            "order": _content(order, user.language),
            "url": url,
            **more,
        },
    )


def _content(order: Order, language: str) -> dict[str, Any]:
    """Numbers, names and sums as the customer reads them; the template writes the money."""
    lines = list(order.lines.all())
    with translation.override(language):
        notes = queries.chosen_words(lines)
        rows = [
            {
                "name": queries.name_of(line),
                "note": notes[line.pk],
                "quantity": line.quantity,
                "price": line.quantity * line.unit_price,
                "cycle": shown_cycle(line.billing_cycle),
            }
            for line in lines
        ]
        place = places.kept(order.place)
        goes_to = {"place_label": place.label, "place": place.words} if place else {}
    return {"number": order.number, "rows": rows, **goes_to, **queries.totals(lines).as_json()}
