"""The signed-in customer's first page: what to do now, orders under way, where everything is."""

from collections.abc import Sequence

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import user_of
from orders import queries
from orders.models import Order
from orders.queries import OrderRow
from portal.next_steps import to_do


@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """No remote call: what the outside systems said last is in the mirror and on the link."""
    user = user_of(request)
    under_way = queries.under_way(user)
    proofs = queries.identity_asked(under_way)
    context = {
        "tasks": to_do(user, has_orders=bool(under_way), proofs=proofs, held=_on_hold(under_way)),
        "first": under_way[0] if under_way else None,
    }
    return render(request, "portal/dashboard.html", context | {"others": under_way[1:]})


def _on_hold(rows: Sequence[OrderRow]) -> Order | None:
    """The oldest of these orders that waits for something of the customer's; what others are at is no to-do."""
    return next((row.order for row in reversed(rows) if any(task.state == "todo" for task in row.status.tasks)), None)
