"""Why an order was not accepted, in words: for its customer, and for support."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import gettext as _

WITHDRAWN, TAKEN_BACK = "withdrawn", "taken_back"  # by its customer, by support (orders.withdrawing)
ENDED: frozenset[str] = frozenset({WITHDRAWN, TAKEN_BACK})  # wanted by a person: such an order is not placed again
FOR_SUPPORT: Mapping[str, str] = {
    "one_internet": "The customer has home internet already, or another order for it.",
    "sims": "The customer would have more SIMs than one customer can have.",
    "eligibility": "The plan is not available at the customer's address.",
}


def sentence(code: str) -> str:
    """What the customer is told, in the active language; a general sentence for what Salesforce refused."""
    told = {
        "one_internet": _("You already have home internet with us, or have ordered it, and there can be one line."),
        WITHDRAWN: _("You withdrew this order."),
        TAKEN_BACK: _("Customer support cancelled this order."),
        "sims": _("With this one you would have more than %(most)s SIMs, the most that one customer can have.")
        % {"most": settings.SIM_LIMIT},
        "eligibility": _("This plan is not available at your address. You can order another one that is."),
    }
    general = _("We could not accept this order as it is, and nothing was charged. Our team will write to you.")
    return f"{told[code]} {_('Nothing was charged.')}" if code in told else general
