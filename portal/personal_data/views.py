"""What we hold about the customer, as a file; and closing the account."""

import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import closing
from accounts.access import limited, recently_authenticated, user_of
from audit import trail
from orders import queries
from portal.personal_data.collecting import held_about


@login_required
@require_GET
@never_cache
def your_data(request: HttpRequest) -> HttpResponse:
    """Says what can be had and done."""
    user = user_of(request)
    context = {"closing": closing.open_request(user), "under_way": queries.under_way(user)}
    return render(request, "portal/your_data.html", context)


@login_required
@require_POST
@recently_authenticated
@limited("data_download")
@never_cache
def download(request: HttpRequest) -> HttpResponse:
    """The file. The password or a passkey is asked for again first, since it tells everything."""
    user = user_of(request)
    trail.record_request(request, "data_exported", user_id=user.pk)
    text = json.dumps(held_about(user), ensure_ascii=False, indent=2)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="your-data-{timezone.localdate():%Y-%m-%d}.json"'
    return response


@login_required
@require_http_methods(["GET", "POST"])
@recently_authenticated
@never_cache
def close_account(request: HttpRequest) -> HttpResponse:
    """What closing means, and the button that asks for it; who has asked already sees how that stands, uncounted."""
    if closing.open_request(user_of(request)) is not None:
        return redirect("your_data")
    return _close_account(request)


@limited("closing")
def _close_account(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    if request.method == "POST":
        closing.ask(user)
        words = _("We have your request. Support looks at what is still running and writes to you before it is closed.")
        messages.success(request, words)
        return redirect("your_data")
    return render(request, "portal/close_account.html", {"under_way": queries.under_way(user)})


@login_required
@require_POST
@limited("keeping")
def keep_account(request: HttpRequest) -> HttpResponse:
    """Takes the wish back."""
    if closing.take_back(user_of(request)):
        messages.success(request, _("Good to have you: your account stays open."))
    return redirect("your_data")
