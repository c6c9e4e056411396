"""The stops of an order's line, as the customer reads them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from catalog.models import Product
from orders.models import Order

Category = Product.Category
QUICK = frozenset({Category.SIM, Category.VPN})
StopState = Literal["done", "now", "next", "late", "failed"]


@dataclass(frozen=True)
class Stop:
    """One stop of the line (components/_line.html): passed `at`, or `when` in words."""

    state: StopState
    name: str
    text: str = ""
    at: datetime | None = None
    when: str = ""


def received(order: Order, state: StopState, text: str = "") -> Stop:
    """We have it; Salesforce may not."""
    return Stop(state, _("Order received"), text, order.created_at)


def placed(order: Order) -> Stop:
    """Salesforce has it, by whomever it was placed."""
    text = (
        _("Customer support placed it for you.")
        if order.made_in_salesforce
        else _("We have everything we need from you.")
    )
    return Stop("done", _("Order placed"), text, order.created_at)


def reviewed(order: Order) -> Stop:
    """Support approved it; without a time as long as nobody told us."""
    return Stop("done", _("Reviewed and approved"), _("Checked by our customer support team."), order.approved_at)


def to_come(order: Order) -> tuple[Stop, Stop]:
    """What follows the review."""
    return Stop("next", _("Activation"), doing(order), when=_how_long(order)), active_to_come()


def setting_up(order: Order) -> str:
    """What happens once it is approved, with the time it takes; a line to the home has to wait for its engineer."""
    if order.category == Category.INTERNET:
        return _(
            "Your order was approved. We are setting up your line; it works from the engineer’s date, usually within "
            "14 days."
        )
    if order.category in QUICK:
        return _("Your order was approved. We are setting up your service now, which mostly takes a few minutes.")
    return _("Your order was approved. We are setting up your service now.")


def _how_long(order: Order) -> str:
    """Nothing is said of a kind of service that is not ours."""
    if order.category == Category.INTERNET:
        return _("on the engineer’s date, usually within 14 days")
    return _("mostly a few minutes") if order.category in QUICK else ""


def active_to_come() -> Stop:
    """The end of the line, not reached yet."""
    return Stop("next", pgettext("stop", "Active"), _("We write to you as soon as it works."))


def doing(order: Order) -> str:
    """What is done to activate it; empty for a kind of service that is not ours."""
    return {
        "Internet": _("We register your home line."),
        "SIM": _("We set up your SIM. Keep your old SIM until the new one works."),
        "VPN": _("We set up your VPN account."),
    }.get(order.category, "")
