"""How staff find an order: by anything that a caller can read out.

Whole values only, each by its own query in one UNION: one OR over all columns would read the whole table.
"""

import re

from django.db.models import QuerySet

from orders.models import Order

MOST = 500
IDS = (
    "sf_order_id",
    "sf_order_number",
    "sf_opportunity_id",
    "portal_ref",
    "user__email",
    "user__link__sf_account_no",
    "user__link__sf_account_id",
)
NUMBERS = ("whmcs_order_id", "user__link__whmcs_client_id")
NAMES = ("user__family_name__iexact", "user__given_name__iexact")
POSTAL_CODE = re.compile(r"〒?(\d{3})[-‐ー−]?(\d{4})")


def matching(term: str) -> list[int]:
    """Ids of at most MOST orders that `term` names: a number, an id, e-mail address, phone, postal code or name."""
    found = [*_by_number_or_id(term), *_by_name(term), *_by_phone(term), *_by_postal_code(term)]
    first, *others = (orders.order_by().values("pk") for orders in found)
    return [row["pk"] for row in first.union(*others)[:MOST]]


def _by_number_or_id(term: str) -> list[QuerySet[Order]]:
    found: list[QuerySet[Order]] = [Order.objects.filter(number=term.upper())]
    found += [Order.objects.filter(**{column: term.lower() if "@" in term else term}) for column in IDS]
    if term.isascii() and term.isdigit() and len(term) < 18:
        found += [Order.objects.filter(**{column: int(term)}) for column in NUMBERS]
    return found


def _by_name(term: str) -> list[QuerySet[Order]]:
    """A family or given name, or both in either order."""
    parts = term.split()
    if any(sign.isdigit() or sign == "@" for sign in term):
        return []
    if len(parts) == 1:
        return [Order.objects.filter(**{column: term}) for column in NAMES]
    if len(parts) != 2:
        return []
    return [Order.objects.filter(**dict(zip(NAMES, pair, strict=True))) for pair in (parts, parts[::-1])]


def _by_phone(term: str) -> list[QuerySet[Order]]:
    """As it is kept (E.164) or as it is said in Japan."""
    digits = re.sub(r"[\s()‐ー−-]", "", term)
    if not re.fullmatch(r"(\+81|0)\d{9,10}", digits):
        return []
    return [Order.objects.filter(user__phone=f"+81{digits.removeprefix('+81').removeprefix('0')}")]


def _by_postal_code(term: str) -> list[QuerySet[Order]]:
    code = POSTAL_CODE.fullmatch(term)
    return [Order.objects.filter(user__address__postal_code=code[1] + code[2])] if code else []
