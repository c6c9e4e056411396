"""The signed-in customer's first page: what to do now, orders under way, where everything is."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import user_of
from catalog.models import Product
from orders import queries
from portal.next_steps import to_do


@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """No remote call: what the outside systems said last is in the mirror and on the link."""
    user = user_of(request)
    under_way = queries.under_way(user)
    has_sim = any(row.order.category == Product.Category.SIM for row in under_way)
    context = {
        "tasks": to_do(user, has_orders=bool(under_way), has_sim=has_sim),
        "first": under_way[0] if under_way else None,
    }
    return render(request, "portal/dashboard.html", context | {"others": under_way[1:]})
