"""What may stand together in one order: limits as data, judged by one pure function.

That a plan brings its activation item, and that a VPN has one country, are rules of a single line: catalog/pricing.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import Product
from catalog.pricing import LineRefused

MOST_LINES = 10


@dataclass(frozen=True)
class Limit:
    """At most `most` lines of `category` (empty: of any) in one order; `sentence` says so, with %(count)s."""

    code: str
    category: str
    most: int
    sentence: Promise


def limits() -> tuple[Limit, ...]:
    """The limits in force, in the order in which they are told."""
    return (
        Limit(
            "second_internet",
            Product.Category.INTERNET,
            1,
            _("Your cart already has a home internet plan, and there can be one. Remove it to choose another."),
        ),
        Limit(
            "too_many_sims",
            Product.Category.SIM,
            settings.SIM_LIMIT,
            _("A customer can have %(count)s SIMs, and your cart holds that many. Remove one to choose another."),
        ),
        Limit(
            "cart_full",
            "",
            MOST_LINES,
            _("Your cart holds %(count)s services, the most for one order. Place it first, then order the rest."),
        ),
    )


def joins(category: str, others: Sequence[str]) -> None:
    """May a line of `category` stand beside lines of the categories `others`? Raises LineRefused if not."""
    for limit in limits():
        if limit.category not in {"", category}:
            continue
        if sum(limit.category in {"", other} for other in others) >= limit.most:
            raise LineRefused(limit.code, limit.sentence % {"count": limit.most})
