"""The pages from cart to order. Prices, rules and states come from the flows; nothing is decided here."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import user_of
from accounts.models import User
from catalog import queries as catalog
from catalog.families import BY_CATEGORY
from catalog.forms import ADD_ON, PREFIX, ConfigurationForm, Posted, chosen_in
from catalog.models import Product
from catalog.pricing import LineRefused, sum_lines, total
from catalog.views import product_page, products_of
from orders import cart as carts
from orders import checkout as flow
from orders import gate, matters, places, refusals
from orders.cart import CartView
from orders.models import CartLine, Order
from orders.places import Place
from orders.queries import of_submission

REFUSED = 422
CONFLICT = 409


@require_safe
def cart(request: HttpRequest) -> HttpResponse:
    """The cart, priced now; what changed since it was filled is said above it."""
    view = carts.look(carts.cart_for(request))
    return render(request, "orders/cart.html", {"view": view, "steps": _steps(0), **_sums(view)})


@require_POST
def cart_add(request: HttpRequest) -> HttpResponse:
    """Adds a configured plan. "Update price" comes here too, since what is typed belongs into no address."""
    sku = request.POST.get("sku", "")
    if request.POST.get("intent") == "price":
        return _priced(request, sku)
    try:
        carts.add(request=request, sku=sku, **chosen_in(request.POST))
    except LineRefused as refused:
        return _refused(request, sku, refused)
    return redirect("cart")


@require_http_methods(["GET", "HEAD", "POST"])
def cart_line(request: HttpRequest, line_id: int) -> HttpResponse:
    """Shows, changes or removes a line of one's own cart; a line of somebody else's is simply not there."""
    own, intent = carts.cart_for(request), request.POST.get("intent")
    if request.method != "POST":
        return _line_page(request, get_object_or_404(CartLine, pk=line_id, cart=own, cart__isnull=False))
    if intent == "price":
        return _priced(request, request.POST.get("sku", ""), line=str(line_id))
    if own is None:
        return redirect("cart")
    if intent == "remove":
        carts.remove(cart=own, line_id=line_id)
        return redirect("cart")
    try:
        carts.change(cart=own, line_id=line_id, **chosen_in(request.POST))
    except CartLine.DoesNotExist:
        messages.warning(request, _("That line is no longer in your cart."))
    except LineRefused as refused:
        return _refused(request, request.POST.get("sku", ""), refused, line=str(line_id))
    return redirect("cart")


@login_required
@require_safe
def checkout(request: HttpRequest) -> HttpResponse:
    """What is still needed before the order can be placed, asked now."""
    view = carts.look(carts.cart_for(request))
    if not view.can_order:
        return redirect("cart")
    tasks = gate.tasks(gate.situation(user=user_of(request), lines=view.priced), view.priced)
    return _checkout_page(request, view, tasks)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest) -> HttpResponse:
    """Everything once more, then the button that orders. Only what the server knows is ordered."""
    if request.method == "POST":
        return _submit(request, user_of(request))
    view = carts.look(carts.cart_for(request))
    if not view.can_order:
        return redirect("cart")
    tasks = gate.tasks(gate.situation(user=user_of(request), lines=view.priced), view.priced)
    if gate.open_tasks(tasks):
        return redirect("checkout")
    return _review_page(request, view)


@login_required
@require_safe
def placed(request: HttpRequest, submission: UUID) -> HttpResponse:
    """The orders of one submit; a single one is shown at once."""
    rows = of_submission(user_of(request), submission)
    if not rows:
        raise Http404
    if len(rows) == 1:
        return redirect("order", rows[0].order.number)
    states = {row.order.local_state for row in rows if row.order.refusal not in refusals.ENDED}
    context = {
        "rows": rows,
        "waiting": Order.Local.SUBMITTED in states,
        "refused": Order.Local.REFUSED in states,
        "totals": total(row.totals for row in rows),
        "steps": _steps(3),
    }
    return render(request, "orders/placed.html", context)


@login_required
@require_safe
def agreement(request: HttpRequest, number: str) -> HttpResponse:
    """What the customer confirmed with one order, word for word, whatever the texts say today."""
    order = Order.objects.for_user(user_of(request)).select_related("agreement").filter(number=number).first()
    if order is None or not hasattr(order, "agreement"):
        raise Http404
    return render(request, "orders/agreement.html", {"order": order, "agreement": order.agreement})


def _submit(request: HttpRequest, user: User) -> HttpResponse:
    posted = request.POST
    try:
        submission = flow.submit(
            user=user,
            cart_id=_uuid(posted.get("cart", "")),
            seen=posted.get("seen", ""),
            accepted=flow.Accepted(terms=posted.get("terms", ""), matters=posted.get("matters", "")),
            again=posted.get("again") == "yes",
        )
    except flow.TermsNotAccepted as refused:
        view = carts.look(carts.cart_for(request))
        return _review_page(request, view, unconfirmed=refused.missing, status=REFUSED)
    except flow.CartGone:
        messages.info(request, _("This cart is closed already. Your orders are listed here."))
        return redirect("orders")
    except flow.CartChanged as changed:
        return _after_change(request, changed.view)
    except flow.NotReady as missing:
        return _checkout_page(request, carts.look(carts.cart_for(request)), missing.tasks, status=CONFLICT)
    except flow.OrderedBefore as before:
        return _review_page(request, carts.look(carts.cart_for(request)), before=before.order.number, status=CONFLICT)
    messages.success(request, _("Thank you. A confirmation is on its way to %(email)s.") % {"email": user.email})
    return redirect("placed", submission)


def _after_change(request: HttpRequest, view: CartView) -> HttpResponse:
    if not view.can_order:
        messages.warning(request, _("Your cart changed, so nothing was ordered. Look at it again."))
        return redirect("cart")
    return _review_page(request, view, changed=True, status=CONFLICT)


def _review_page(
    request: HttpRequest, view: CartView, *, unconfirmed: tuple[str, ...] = (), status: int = 200, **notices: Any
) -> HttpResponse:
    if view.cart is None or not view.can_order:
        return redirect("cart")
    version, goes_to = settings.TERMS_VERSION, places.of_lines(user_of(request), view.priced)
    context = {
        "view": view,
        "steps": _steps(2),
        "seen": flow.shown(user=user_of(request), cart=view.cart, lines=view.priced, goes_to=goes_to),
        "terms_version": version,
        "matters": matters.summary(view.priced),
        "places": _places(view, goes_to),
        "unconfirmed": unconfirmed,
        "boxes": {name: _box(request, name, unconfirmed) for name in ("matters", "terms")},
        **_sums(view),
        **notices,
    }
    return render(request, "orders/review.html", context, status=status)


def _box(request: HttpRequest, name: str, unconfirmed: tuple[str, ...]) -> dict[str, bool]:
    ticked = request.POST.get(name) == settings.TERMS_VERSION and bool(unconfirmed)  # a changed cart is confirmed anew
    return {"wrong": name in unconfirmed, "ticked": ticked}


def _checkout_page(
    request: HttpRequest, view: CartView, tasks: tuple[gate.Task, ...], *, status: int = 200
) -> HttpResponse:
    open_ones = gate.open_tasks(tasks)
    todo = [task for task in open_ones if task.state == "todo"]
    context = {
        "view": view,
        "tasks": tasks,
        "places": _places(view, places.of_lines(user_of(request), view.priced)),
        "blocked": bool(open_ones),
        "title": _checkout_title(len(todo), len(open_ones)),
        "steps": _steps(1),
        **_sums(view),
    }
    return render(request, "orders/checkout.html", context, status=status)


def _places(view: CartView, goes_to: Sequence[Place | None]) -> list[dict[str, Any]]:
    """The lines that go somewhere, each with its plan's name."""
    found = zip(view.priced, goes_to, strict=True)
    return [{"name": line.product.name, "place": place} for line, place in found if place]


def _checkout_title(todo: int, blocked: int) -> str:
    if todo:
        return ngettext("One thing is still missing", "%(count)s things are still missing", todo) % {"count": todo}
    return _("We need a moment") if blocked else _("We have everything we need")


def _refused(request: HttpRequest, sku: str, refused: LineRefused, *, line: str = "") -> HttpResponse:
    answer = _product(request, sku, request.POST, line=line, refused=refused)
    if answer is None:
        messages.error(request, str(refused.sentence))
    return answer or redirect("catalog")


def _priced(request: HttpRequest, sku: str, *, line: str = "") -> HttpResponse:
    return _product(request, sku, request.POST, line=line) or redirect("catalog")


def _line_page(request: HttpRequest, line: CartLine) -> HttpResponse:
    chosen = QueryDict(mutable=True)
    chosen.update({f"{PREFIX}{key}": str(value) for key, value in line.options.items()})
    chosen.setlist(ADD_ON, line.add_ons)
    return _product(request, line.sku, chosen, line=str(line.pk)) or redirect("cart")


def _product(
    request: HttpRequest, sku: str, chosen: Posted, *, line: str, refused: LineRefused | None = None
) -> HttpResponse | None:
    """The plan's page with this choice; None for a plan that is not for sale."""
    product = Product.objects.filter(sku=sku).first()
    family = BY_CATEGORY.get(product.category) if product else None
    shelf = catalog.shelf(family.category) if family else None
    plan = shelf.plan(sku) if shelf else None
    if family is None or shelf is None or plan is None:
        return None
    form = ConfigurationForm(plan, products_of(shelf), chosen, refused=refused)
    status = REFUSED if refused else 200
    return product_page(request, family=family, shelf=shelf, plan=plan, form=form, status=status, line=line)


def _sums(view: CartView) -> dict[str, Any]:
    return {
        "monthly": sum_lines(view.priced, Product.BillingCycle.MONTHLY),
        "yearly": sum_lines(view.priced, Product.BillingCycle.ANNUALLY),
        "once": sum_lines(view.priced, Product.BillingCycle.ONE_TIME),
    }


def _steps(current: int) -> list[dict[str, str]]:
    names = (_("Cart"), _("What we need"), _("Review"), _("Placed"))
    return [
        {"name": name, "state": "done" if place < current else "now" if place == current else "next"}
        for place, name in enumerate(names)
    ]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
