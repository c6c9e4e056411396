"""The page that asks for an address, and the page that says how its check stands. No remote call is made here."""

from typing import Any
from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import drafts
from accounts.links import linked
from accounts.models import User
from accounts.profile.forms import place_of_user, with_place
from catalog import queries
from catalog.eligibility import asking, places, visits
from catalog.eligibility.forms import CheckForm
from catalog.eligibility.status import stops_ahead, view
from catalog.families import FAMILIES
from catalog.models import EligibilityRequest


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def eligibility(request: HttpRequest) -> HttpResponse:
    """Asks for the address. Who has asked already sees that first, unless they want to ask about another one."""
    if "find" in request.POST:
        typed = {name: request.POST[name] for name in CheckForm.base_fields if name in request.POST}
        return _form_page(request, with_place(CheckForm, typed, {}))
    if request.method == "POST":
        return _asked(request)
    standing = visits.of(request)
    if standing is not None and "another" not in request.GET:
        return redirect("eligibility_request", standing.ref)
    return _form_page(request, CheckForm(initial=_lives(request) | _typed(request)))


@require_safe
@never_cache
def eligibility_request(request: HttpRequest, ref: UUID) -> HttpResponse:
    """How one's own request stands, what happens next, and what came of it."""
    found = visits.named(request, ref)
    if found is None and not isinstance(request.user, User):
        return redirect_to_login(request.get_full_path())
    if found is None:
        raise Http404
    context = {
        "check": found,
        "view": view(found),
        "address": places.one_line(found),
        "plans": queries.plans_for(_answer(found)) if found.offered else (),
        "others": [family for family in FAMILIES if family.slug != "internet"] if found.offered is False else (),
    }
    return render(request, "catalog/eligibility_request.html", context)


def _answer(check: EligibilityRequest) -> str:
    """What is true now about the customer's address; of an earlier one, what was found then."""
    if check.user is None or asking.latest(check.user) != check:
        return check.answer
    return queries.checked_answer(linked(check.user))


def _asked(request: HttpRequest) -> HttpResponse:
    form = CheckForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form)
    if not isinstance(request.user, User) and not ratelimit.consume(request, action="address_check"):
        form.add_error(
            None, _("There were many checks from where you are. Wait a few minutes, or sign in and ask again.")
        )
        return _form_page(request, form, status=429)
    try:
        asked = visits.ask(request, form.cleaned_data)
    except asking.TooManyAddresses:
        form.add_error(None, _("You have asked about five addresses today. Ask again tomorrow, or contact us."))
        return _form_page(request, form)
    if not asked.is_new:
        messages.info(request, _("You have asked about this address already. This is what we know."))
    return redirect("eligibility_request", asked.request.ref)


def _lives(request: HttpRequest) -> dict[str, Any]:
    return place_of_user(request.user) if isinstance(request.user, User) else {}


def _typed(request: HttpRequest) -> dict[str, str]:
    """What was sent after the session had ended; a visitor's request needs no session (`visits`)."""
    return drafts.typed(request) if isinstance(request.user, User) else {}


def _form_page(request: HttpRequest, form: CheckForm, *, status: int = 0) -> HttpResponse:
    context = {"form": form, "stops": stops_ahead(), "email": getattr(request.user, "email", "")}
    return render(request, "catalog/eligibility.html", context, status=status or (422 if form.errors else 200))
