"""Pages about what the customer has."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import customer_required, user_of
from integrations.errors import OutsideError
from subscriptions.services import services_of


@customer_required
@require_GET
@never_cache
def services(request: HttpRequest) -> HttpResponse:
    """The customer's services, or a calm word when WHMCS cannot be asked."""
    try:
        cards = services_of(user_of(request))
    except OutsideError:
        return render(request, "subscriptions/services.html", {"unavailable": True})
    return render(request, "subscriptions/services.html", {"cards": cards})
