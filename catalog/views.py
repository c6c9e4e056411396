"""The catalogue pages. Everything comes from the local mirror; no page asks an outside system."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import links
from accounts.models import CustomerLink, User
from catalog import queries
from catalog.caching import visitors_may_keep
from catalog.eligibility import visits
from catalog.facts import facts, labels
from catalog.families import BY_SLUG, Family
from catalog.forms import ConfigurationForm, Posted, is_chosen_in
from catalog.holders import holds
from catalog.models import Product
from catalog.pricing import sum_lines
from catalog.queries import Shelf
from catalog.search import LONGEST, search

GONE, NOT_FOUND = 410, 404


@require_safe
@visitors_may_keep
def catalog(request: HttpRequest) -> HttpResponse:
    """The three families."""
    return render(request, "catalog/catalog.html", {"families": queries.families()})


@require_safe
@visitors_may_keep
def search_plans(request: HttpRequest) -> HttpResponse:
    """Plans and add-ons with the words of `q`; without words the form alone."""
    words = request.GET.get("q", "")[:LONGEST].strip()
    return render(request, "catalog/search.html", {"words": words, "found": search(words)})


@require_safe
@visitors_may_keep
def category(request: HttpRequest, slug: str) -> HttpResponse:
    """One family: its plans side by side, and its add-ons."""
    family = BY_SLUG.get(slug)
    if family is None:
        raise Http404
    shelf, link = queries.shelf(family.category), _link(request)
    rows = [_row(plan, shelf, family, link) for plan in shelf.plans]
    asks_address = any(plan.eligibility_values for plan in shelf.plans)
    context = {
        "family": family,
        "rows": rows,
        "columns": [labels()[key] for key in family.columns],
        "add_ons": shelf.add_ons,
        "asks_address": asks_address,
        "check": visits.of(request) if asks_address else None,
        "answer": queries.checked_answer(link),
        "fitting": any(row["fits"] for row in rows),
    }
    return render(request, "catalog/category.html", context)


@require_safe
@visitors_may_keep
def product(request: HttpRequest, slug: str, sku: str) -> HttpResponse:
    """One plan with its options; what was chosen may stand in the address, so that the price follows without script."""
    family = BY_SLUG.get(slug)
    if family is None:
        raise Http404
    shelf = queries.shelf(family.category)
    plan = shelf.plan(sku)
    if plan is None:
        return _not_sold(request, family, sku)
    form = ConfigurationForm(plan, products_of(shelf), _chosen(request))
    return product_page(request, family=family, shelf=shelf, plan=plan, form=form)


def _not_sold(request: HttpRequest, family: Family, sku: str) -> HttpResponse:
    """The page of a withdrawn plan stays for those who hold it; others read that it is gone, and of one that is hidden
    as little as of one that never was."""
    plan = queries.once_sold(family.category, sku)
    if plan and holds(request.user, sku):
        context = {"family": family, "plan": plan, "facts": _facts(plan, family)}
        return render(request, "catalog/held.html", context)
    gone = plan if plan and plan.withdrawn_at else None
    status = GONE if gone else NOT_FOUND
    return render(request, "catalog/not_sold.html", {"family": family, "gone": gone}, status=status)


def product_page(
    request: HttpRequest,
    *,
    family: Family,
    shelf: Shelf,
    plan: Product,
    form: ConfigurationForm,
    status: int = 200,
    line: str = "",
) -> HttpResponse:
    """The product page with `form` as it stands. The cart answers with it, too: with the price of what was chosen, with
    what it refuses (422), and for `line` of the cart, whose changes it takes."""
    shown = form.as_shown()
    lines = [shown] if shown else []
    context = {
        "family": family,
        "plan": plan,
        "form": form,
        "facts": _facts(plan, family),
        "fee": shelf.fee_of(plan),
        "shown": shown,
        "monthly": sum_lines(lines, Product.BillingCycle.MONTHLY),
        "yearly": sum_lines(lines, Product.BillingCycle.ANNUALLY),
        "once": sum_lines(lines, Product.BillingCycle.ONE_TIME),
        "fits": _fits(plan, _link(request)),
        "check": visits.of(request) if plan.eligibility_values else None,
        "line": line,
    }
    return render(request, "catalog/product.html", context, status=status)


def products_of(shelf: Shelf) -> dict[str, Product]:
    """Everything of a shelf by SKU, as catalog.pricing wants it."""
    return {product.sku: product for product in (*shelf.plans, *shelf.add_ons)} | shelf.fees


def _facts(plan: Product, family: Family) -> list[tuple[str, str]]:
    return [(fact.label, fact.value) for fact in facts(plan.attributes, family.columns) if fact.value]


def _row(plan: Product, shelf: Shelf, family: Family, link: CustomerLink | None) -> dict[str, Any]:
    return {
        "plan": plan,
        "facts": facts(plan.attributes, family.columns),
        "fee": shelf.fee_of(plan),
        "fits": _fits(plan, link),
    }


def _fits(plan: Product, link: CustomerLink | None) -> bool | None:
    """Whether the plan is known to be available at the customer's address; None where nobody checked one."""
    if not plan.eligibility_values or not queries.checked_answer(link):
        return None
    return queries.offered_to(plan, link)


def _link(request: HttpRequest) -> CustomerLink | None:
    return links.linked(request.user) if isinstance(request.user, User) else None


def _chosen(request: HttpRequest) -> Posted | None:
    return request.GET if is_chosen_in(request.GET) else None
