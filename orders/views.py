"""The customer's orders: list, one order, and the part of it that renews itself."""

import hashlib
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from accounts import links
from accounts.access import user_of
from catalog.models import Product
from orders import queries, watched
from orders.models import Order
from orders.status import StatusView, view


@login_required
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """All orders of the customer, newest first."""
    return render(request, "orders/orders.html", {"rows": queries.of_user(user_of(request))})


@login_required
@require_safe
def order(request: HttpRequest, number: str) -> HttpResponse:
    """One order: its state, its line, what was ordered, the numbers to quote. JSON for those who ask for it."""
    found = queries.with_lines(user_of(request), number)
    if found is None:
        raise Http404
    status = view(found)
    if _wants_json(request):
        response: HttpResponse = JsonResponse(as_json(found, status))
    else:
        _note(found, status)
        response = render(request, "orders/order.html", _context(request, found, status))
    patch_vary_headers(response, ["Accept"])
    return response


@login_required
@require_safe
def order_status(request: HttpRequest, number: str) -> HttpResponse:
    """The board and the line alone, for the script that asks every 5 s: one query; 304 while nothing changed."""
    found = Order.objects.for_user(user_of(request)).filter(number=number).first()
    if found is None:
        raise Http404
    status = view(found)
    _note(found, status)
    tag = f'"{hashlib.sha256(repr((status, get_language())).encode()).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = render(request, "orders/_status.html", _board(found, status))
    response["ETag"] = tag
    return response


@login_required
@require_safe
def order_by_sf_id(request: HttpRequest, sf_order_id: str) -> HttpResponse:
    """An address with Salesforce's id leads to the order's own address (decisions.md 12)."""
    found = Order.objects.for_user(user_of(request)).filter(sf_order_id__startswith=sf_order_id[:15]).first()
    if found is None:
        raise Http404
    return redirect("order", found.number)


def as_json(found: Order, status: StatusView) -> dict[str, Any]:
    """The order's state as decisions.md 13 fixes it."""
    return {
        "number": found.number,
        "sf_order_id": found.sf_order_id,
        "status": str(status.status),
        "activation_status": found.sf_activation_status,
        "label": status.label,
        "updated": found.updated_at.isoformat(),
        "final": status.final,
    }


def _context(request: HttpRequest, found: Order, status: StatusView) -> dict[str, Any]:
    lines = list(found.lines.all())
    chosen = queries.chosen_words(lines)
    return {
        **_board(found, status),
        "link": links.linked(user_of(request)),
        "totals": queries.totals(lines),
        "monthly": queries.sum_lines(lines, Product.BillingCycle.MONTHLY, chosen),
        "yearly": queries.sum_lines(lines, Product.BillingCycle.ANNUALLY, chosen),
        "once": queries.sum_lines(lines, Product.BillingCycle.ONE_TIME, chosen),
    }


def _board(found: Order, status: StatusView) -> dict[str, Any]:
    return {"order": found, "status": status, "checked_at": None if status.final else timezone.now()}


def _note(found: Order, status: StatusView) -> None:
    if not status.final:
        watched.note(found.pk)


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
