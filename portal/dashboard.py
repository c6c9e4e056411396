"""The signed-in customer's first page: what to do now, orders under way, where everything is."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import links
from accounts.access import user_of
from accounts.identity.standing import Standing, standing
from accounts.models import Address, CustomerLink, SignupJourney, User
from catalog.eligibility import asking
from catalog.models import EligibilityRequest, Product
from orders import queries
from orders.gate import Task

NEWS = timedelta(days=14)
NEVER = datetime.min.replace(tzinfo=UTC)


@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """No remote call: what the outside systems said last is in the mirror and on the link."""
    user = user_of(request)
    under_way = queries.under_way(user)
    waits = any(row.order.category == Product.Category.SIM for row in under_way)
    context = {
        "tasks": to_do(user, has_orders=bool(under_way), has_sim=waits),
        "first": under_way[0] if under_way else None,
    }
    return render(request, "portal/dashboard.html", context | {"others": under_way[1:]})


def to_do(user: User, *, has_orders: bool, has_sim: bool = False) -> list[Task]:
    """What the customer has to do or wait for now, the most urgent first; nothing that is done.

    `has_orders`: some order is under way; `has_sim`: one of a SIM.
    """
    link = links.link_of(user)
    if link is not None and link.state == CustomerLink.State.LINKED:
        tasks = [] if Address.objects.filter(user=user).exists() else [_address()]
        tasks += [_payment(has_orders=has_orders)] if link.has_payment_method is False else []
        tasks += _identity(standing(user), has_sim=has_sim)
        return tasks + _address_check(user, has_orders=has_orders)
    if link is not None:
        text = _("We are comparing your details by hand. You can browse and order meanwhile.")
        return [Task("account", "wait", _("Your customer account"), text), *_address_check(user)]
    return [_account(SignupJourney.objects.filter(user=user).first()), *_address_check(user)]


def _address() -> Task:
    text = _("For deliveries, bills and the check of your identity.")
    return Task("address", "todo", _("Add your address"), text, _("Add your address"), reverse("address"))


def _payment(*, has_orders: bool) -> Task:
    text = (
        _("Your order cannot start without one.")
        if has_orders
        else _("With one on file, your next order starts without delay.")
    )
    return Task(
        "payment", "todo", _("Add a payment method"), text, _("Add a payment method"), reverse("payment_methods")
    )


def _address_check(user: User, *, has_orders: bool = True) -> list[Task]:
    """The check that is under way, or for two weeks the plans it found."""
    check, title = asking.latest(user), _("Fibre at your address")
    if check is None:
        return []
    page = reverse("eligibility")
    if check.state == EligibilityRequest.State.KEPT:
        text = _("We look it up as soon as your account is set up. It goes on by itself, and nothing is lost.")
        return [Task("eligibility", "wait", title, text, _("See your check"), page)]
    if check.is_open:
        text = _("We are looking up your building, usually within one working day. We write to you.")
        return [Task("eligibility", "wait", title, text, _("See your check"), page)]
    if not check.offered or has_orders or (check.answered_at or NEVER) < timezone.now() - NEWS:
        return []
    return [Task("eligibility", "todo", title, _("It is available. Choose the plan you like."), _("See plans"), page)]


def _identity(now: Standing, *, has_sim: bool) -> list[Task]:
    if now.place == "checking":
        return [Task("identity", "wait", _("Proof of identity"), _("We have your documents and are checking them."))]
    if now.refused:
        name = _("Please send your identity documents again")
        text = _("We could not confirm your identity with what you sent.")
    elif now.place == "open" and has_sim:
        name, text = _("Send identity documents"), _("Your SIM is activated once we have confirmed who you are.")
    else:
        return []
    return [Task("identity", "todo", name, text, _("Send identity documents"), reverse("identity"))]


def _account(journey: SignupJourney | None) -> Task:
    url = reverse("account_setup")
    if journey is not None and journey.state == SignupJourney.State.NUMBER_UNMATCHED:
        text = _("We could not match your customer number. Choose how to go on.")
        return Task("account", "todo", _("Complete your account"), text, _("Complete your account"), url)
    text = _("We are setting it up, which mostly takes less than a minute.")
    return Task("account", "wait", _("Your customer account"), text, _("See how far it is"), url)
