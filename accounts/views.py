"""Pages about the customer's own account."""

from typing import Any

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts import payment, signup
from accounts.access import asked_next, customer_required, limited, setup_url, user_of
from accounts.forms import NumberForm
from accounts.journeys import NotAllowed
from accounts.links import link_of
from accounts.models import SignupJourney
from accounts.security import hold
from accounts.setting_up import MAY_ORDER, place_of
from integrations.errors import OutsideError

log = structlog.get_logger(__name__)

State = SignupJourney.State


@login_required
@require_GET
@never_cache
def account_setup(request: HttpRequest) -> HttpResponse:
    """What is being set up, what came of it, and the way back to what the customer came for."""
    journey = _journey_of(request)
    if journey is None:
        return HttpResponseRedirect(_next(request))
    return render(request, "accounts/account_setup.html", _setup(request, journey) | {"form": NumberForm()})


@login_required
@require_GET
@never_cache
def account_setup_status(request: HttpRequest) -> HttpResponse:
    """The part of `account_setup` that the script fetches again."""
    journey = _journey_of(request)
    if journey is None:
        return HttpResponse(status=204)
    return render(request, "accounts/_setup.html", _setup(request, journey) | {"form": NumberForm()})


@login_required
@require_POST
def account_number(request: HttpRequest) -> HttpResponse:
    """Another customer number, five a day."""
    journey = _journey_of(request)
    form = NumberForm(request.POST)
    if journey is None or journey.state != State.NUMBER_UNMATCHED:
        return redirect(setup_url(asked_next(request)))
    if not form.is_valid():
        context = _setup(request, journey) | {"form": form}
        return render(request, "accounts/account_setup.html", context, status=422)
    try:
        signup.retry_number(journey_id=journey.pk, number=form.cleaned_data["number"])
    except signup.TooManyTries:
        messages.warning(request, _("You have tried five numbers today. Try again tomorrow, or contact us."))
    except NotAllowed:
        log.info("number_came_late", journey=journey.pk)
    return redirect(setup_url(asked_next(request)))


@login_required
@require_POST
def account_as_new(request: HttpRequest) -> HttpResponse:
    """Goes on as a new customer."""
    journey = _journey_of(request)
    if journey is not None:
        try:
            signup.continue_as_new(journey.pk)
        except NotAllowed:
            log.info("choice_came_late", journey=journey.pk)
    return redirect(setup_url(asked_next(request)))


@customer_required
@require_GET
@never_cache
def payment_methods(request: HttpRequest) -> HttpResponse:
    """Which ways to pay WHMCS has; also as JSON (decisions.md 17)."""
    wants_json = request.headers.get("Accept", "").startswith("application/json")
    try:
        summary = payment.summary(user_of(request))
    except OutsideError:
        if wants_json:
            return JsonResponse({"error": "unavailable"}, status=503)
        return render(request, "accounts/payment_methods.html", {"unavailable": True})
    if wants_json:
        return JsonResponse(summary.as_json())
    return render(request, "accounts/payment_methods.html", {"summary": summary})


@customer_required
@require_POST
@limited("payment_sso")
@never_cache
def payment_sso(request: HttpRequest) -> HttpResponse:
    """Leaves for WHMCS' payment page, signed in: a fresh address for each click, never stored (security.md §2)."""
    if hold.until(user_of(request)):
        messages.error(request, hold.SENTENCE)
        return redirect("payment_methods")
    try:
        url = payment.sso_url(user_of(request))
    except OutsideError:
        messages.error(request, _("Our billing service cannot be reached just now. Try again in a few minutes."))
        return redirect("payment_methods")
    response = HttpResponseRedirect(url)
    response.status_code = 303  # the browser asks the other page by GET, without this form
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def _journey_of(request: HttpRequest) -> SignupJourney | None:
    return SignupJourney.objects.filter(user=user_of(request)).first()


def _setup(request: HttpRequest, journey: SignupJourney) -> dict[str, Any]:
    asked = asked_next(request)
    status_url = reverse("account_setup_status")
    return {
        "journey": journey,
        "state": journey.state if journey.state != State.WAITING_EMAIL else State.RUNNING,
        "is_late": bool(journey.error_code) and journey.state == State.RUNNING,
        "may_order": place_of(link_of(request.user), journey) in MAY_ORDER,
        "next": asked,
        "continue_url": _next(request),
        "status_url": setup_url(asked).replace(reverse("account_setup"), status_url, 1),
        "support_email": settings.SUPPORT_EMAIL,
    }


def _next(request: HttpRequest) -> str:
    return asked_next(request) or reverse("dashboard")
