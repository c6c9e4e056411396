"""When a product was on offer at which price, from the versions the sync has kept."""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from catalog.models import Product


@dataclass(frozen=True)
class Validity:
    """A price in yen, tax included, and the time it was valid; None as price: not on offer. `until` None: still so."""

    price: int | None
    since: datetime
    until: datetime | None
    by: str  # which kind of run noticed


def validities(product: Product) -> list[Validity]:
    """The newest first, in one query. A price is valid while product and pricebook entry are active (decisions.md 9),
    as far as the sync noticed it."""
    versions = product.history.order_by("history_date", "history_id")
    found: list[Validity] = []
    for version in versions:
        price = _offered(version)
        if not found or found[-1].price != price:
            found.append(Validity(price, version.history_date, None, version.history_user_id))
    ended = [replace(one, until=after.since) for one, after in pairwise(found)]
    return [*reversed([*ended, *found[-1:]])]


def _offered(version: Any) -> int | None:
    price: int | None = version.price
    return price if version.withdrawn_at is None else None
