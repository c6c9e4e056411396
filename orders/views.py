"""The customer's orders: list, one order, and the part of it that renews itself."""

import hashlib
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import links
from accounts.access import user_of
from catalog.models import Product
from integrations.errors import OutsideError
from orders import cancelling, places, queries, watched, withdrawing
from orders.board import StatusView
from orders.models import Cancellation, Order
from orders.status import can_be_withdrawn

PAGE = 20  # orders of a list


@login_required
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """The customer's orders, newest first: all, or a part of them."""
    user, part = user_of(request), request.GET.get("show", "")
    page = Paginator(queries.of_user(user, part), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": queries.rows(user, page.object_list), "parts": _parts(part), "part": part}
    return render(request, "orders/orders.html", context)


def _parts(shown: str) -> list[dict[str, Any]]:
    names = {
        "": pgettext("orders", "All"),
        "under-way": pgettext("orders", "Under way"),
        "active": pgettext("orders", "Active"),
        "cancelled": pgettext("orders", "Cancelled"),
    }
    known = shown if shown in names else ""
    return [{"key": key, "name": name, "current": key == known} for key, name in names.items()]


@login_required
@require_safe
def order(request: HttpRequest, number: str) -> HttpResponse:
    """One order: its state, its line, what was ordered, the numbers to quote. JSON for those who ask for it."""
    found = queries.with_lines(user_of(request), number)
    if found is None:
        raise Http404
    status = queries.view_for(user_of(request), found)
    _note(found, status)
    if _wants_json(request):
        response: HttpResponse = JsonResponse(as_json(found, status))
    else:
        response = render(request, "orders/order.html", _context(request, found, status))
    patch_vary_headers(response, ["Accept"])
    return response


@login_required
@require_safe
def order_status(request: HttpRequest, number: str) -> HttpResponse:
    """What can change of the page, for the script that asks every 5 s; 304 while nothing did.

    One query then, and one more while the order is not in Salesforce.
    """
    found = queries.of_number(user_of(request), number).first()
    if found is None:
        raise Http404
    status = queries.view_for(user_of(request), found)
    _note(found, status)
    tag = _tag(found, status)
    if request.headers.get("If-None-Match") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = render(request, "orders/_live.html", _context(request, found, status))
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


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def order_cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Says what cancelling means, and takes the wish; a job carries it out, and the order's page tells how it went.

    An order that is still here is taken back at once.
    """
    found = queries.with_lines(user_of(request), number)
    if found is None:
        raise Http404
    status = queries.view_for(user_of(request), found)
    if status.wish == Cancellation.State.ASKED:  # a second click
        return redirect("order", number)
    if not status.can_cancel:
        messages.info(request, _("This order cannot be cancelled here. Its page says how it stands."))
        return redirect("order", number)
    if request.method != "POST":
        context = {"order": found, "title": queries.title_of(found), "at_once": can_be_withdrawn(found)}
        return render(request, "orders/cancel.html", context)
    try:
        (withdrawing if can_be_withdrawn(found) else cancelling).ask(user_of(request), number)
    except cancelling.TooLate:
        messages.info(request, _("This order cannot be cancelled here. Its page says how it stands."))
    except OutsideError:
        messages.error(request, _("This does not work just now, and nothing was changed. Try again in a few minutes."))
    return redirect("order", number)


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
        "changed_at": queries.changed_by_support(found),
        "place": places.kept(found.place),
        "has_agreement": hasattr(found, "agreement"),
        "link": links.linked(user_of(request)),
        "totals": queries.totals(lines),
        "monthly": queries.sum_lines(lines, Product.BillingCycle.MONTHLY, chosen),
        "yearly": queries.sum_lines(lines, Product.BillingCycle.ANNUALLY, chosen),
        "once": queries.sum_lines(lines, Product.BillingCycle.ONE_TIME, chosen),
    }


def _board(found: Order, status: StatusView) -> dict[str, Any]:
    checked_at = None if status.final else timezone.now()
    return {"order": found, "status": status, "tag": _tag(found, status), "checked_at": checked_at}


def _tag(found: Order, status: StatusView) -> str:
    """Another one whenever the page would say something else: the clock counts too, through `status`."""
    said = repr((status, found.updated_at, get_language()))
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'


def _note(found: Order, status: StatusView) -> None:
    if not status.final:
        watched.note(found.pk)


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
