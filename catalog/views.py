"""The catalogue pages. Everything comes from the local mirror; no page asks an outside system."""

import hashlib
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.views.decorators.http import condition, require_safe

from accounts import links
from accounts.models import CustomerLink, User
from catalog import queries
from catalog.eligibility import visits
from catalog.facts import facts, labels
from catalog.families import BY_SLUG, Family
from catalog.forms import ConfigurationForm, Posted
from catalog.models import Product
from catalog.pricing import sum_lines
from catalog.queries import Shelf


def _visitor_tag(request: HttpRequest, **_path: Any) -> str | None:
    """What a visitor's page depends on; None where it is a customer's page or has something of one moment in it."""
    if settings.SESSION_COOKIE_NAME in request.COOKIES or request.GET:
        return None
    cookies = sorted((name, value) for name, value in request.COOKIES.items())
    depends_on = repr((queries.version(), get_language(), settings.RELEASE, cookies))
    return f'"{hashlib.sha256(depends_on.encode()).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=_visitor_tag)
def catalog(request: HttpRequest) -> HttpResponse:
    """The three families."""
    return _kept(render(request, "catalog/catalog.html", {"families": queries.families()}))


@require_safe
@condition(etag_func=_visitor_tag)
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
    return _kept(render(request, "catalog/category.html", context))


@require_safe
@condition(etag_func=_visitor_tag)
def product(request: HttpRequest, slug: str, sku: str) -> HttpResponse:
    """One plan with its options; what was chosen may stand in the address, so that the price follows without script."""
    family = BY_SLUG.get(slug)
    shelf = queries.shelf(family.category) if family else None
    plan = shelf.plan(sku) if shelf else None
    if family is None or shelf is None or plan is None:
        raise Http404
    form = ConfigurationForm(plan, products_of(shelf), _chosen(request))
    return _kept(product_page(request, family=family, shelf=shelf, plan=plan, form=form))


def product_page(
    request: HttpRequest, *, family: Family, shelf: Shelf, plan: Product, form: ConfigurationForm, status: int = 200
) -> HttpResponse:
    """The product page with `form` as it stands; the cart answers with it (422) when it refuses what was chosen."""
    shown = form.as_shown()
    lines = [shown] if shown else []
    context = {
        "family": family,
        "plan": plan,
        "form": form,
        "facts": [(fact.label, fact.value) for fact in facts(plan.attributes, family.columns) if fact.value],
        "fee": shelf.fee_of(plan),
        "shown": shown,
        "monthly": sum_lines(lines, Product.BillingCycle.MONTHLY),
        "yearly": sum_lines(lines, Product.BillingCycle.ANNUALLY),
        "once": sum_lines(lines, Product.BillingCycle.ONE_TIME),
        "fits": _fits(plan, _link(request)),
        "check": visits.of(request) if plan.eligibility_values else None,
        "line": _line(request),
    }
    return render(request, "catalog/product.html", context, status=status)


def products_of(shelf: Shelf) -> dict[str, Product]:
    """Everything of a shelf by SKU, as catalog.pricing wants it."""
    return {product.sku: product for product in (*shelf.plans, *shelf.add_ons)} | shelf.fees


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
    names = set(request.GET) - {"line"}
    return request.GET if names else None


def _line(request: HttpRequest) -> str:
    line = request.POST.get("line") or request.GET.get("line") or ""
    return line if line.isascii() and line.isdigit() else ""


def _kept(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ["Cookie", "Accept-Language"])
    return response
