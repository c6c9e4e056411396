"""Who may open a page."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from allauth.account.decorators import reauthentication_required
from allauth.core import ratelimit
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.links import linked
from accounts.models import CustomerLink, User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def customer_required(view: View[P]) -> View[P]:
    """Lets customers in who are known in all three systems.

    Visitors are sent to sign in; users whose account is still being set up to the page that says so. A provisional
    link does not open anything (decisions.md 2).
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if linked(request.user) is None:
            return HttpResponseRedirect(setup_url(request.get_full_path() if request.method == "GET" else ""))
        return view(request, *args, **kwargs)

    return cast("View[P]", login_required(guarded))


def recently_authenticated(view: View[P]) -> View[P]:
    """A form behind it is carried out only by somebody who proved a moment ago who they are; else allauth asks for the
    password or a passkey first and goes on afterwards. Opening the page asks for nothing."""
    return cast("View[P]", reauthentication_required(view, allow_get=True))


def limited(action: str) -> Callable[[View[P]], View[P]]:
    """Forms are taken as often as ACCOUNT_RATE_LIMITS allows for `action`; beyond it the page with status 429 says so.
    Opening the page is not counted. Goes behind whatever asks who it is, so that being asked costs nothing."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            refusal = ratelimit.consume_or_429(request, action=action)
            return refusal or view(request, *args, **kwargs)

        return cast("View[P]", guarded)

    return decorate


def setup_url(next_url: str = "") -> str:
    """The page that follows the journey; `next_url` is where the customer wanted to go (already checked)."""
    return reverse("account_setup") + (f"?{urlencode({'next': next_url})}" if next_url else "")


def is_ours(request: HttpRequest, url: str) -> bool:
    """Whether a browser that follows `url` stays on the host it is on, and on https if it is there (security.md §3)."""
    return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())


def asked_next(request: HttpRequest) -> str:
    """Where a form or a link says to go afterwards (`next`), if that is an address of ours; else empty.

    To be given to HttpResponseRedirect: `redirect` would take it for the name of a view first.
    """
    url = request.POST.get("next") or request.GET.get("next") or ""
    return url if is_ours(request, url) else ""


def user_of(request: HttpRequest) -> User:
    """The signed-in user, behind login_required or customer_required only."""
    if not isinstance(request.user, User):
        raise TypeError("nobody is signed in")
    return request.user


def link_of_customer(request: HttpRequest) -> CustomerLink:
    """The link of the signed-in customer, behind customer_required only."""
    link = linked(request.user)
    if link is None:
        raise TypeError("not a customer")
    return link
