"""What people do in the shop, as tests say it."""

import re
from typing import Any

from django.test import Client

from accounts.models import Address, User
from catalog.models import EligibilityRequest
from catalog.pricing import price_line
from orders import checkout
from orders.cart import look
from orders.models import Cart, CartLine, Order
from tests.catalog.goods import products

VPN: dict[str, Any] = {"sku": "VPN-US"}
INTERNET: dict[str, Any] = {"sku": "INT-APT-1G", "option-router": "wifi6"}
SIM: dict[str, Any] = {"sku": "SIM-D-3", "option-sim_type": "esim"}
VOICE: dict[str, Any] = {"sku": "SIM-VD-10", "option-sim_type": "esim"}
TERMS = "2026-10-01"
ACCEPTED = checkout.Accepted(terms=TERMS, matters=TERMS)


def lives(user: User) -> Address:
    """They told us where they live."""
    told = {"postal_code": "1080023", "prefecture": 13, "city": "港区", "street": "芝浦9-9-9"}
    return Address.objects.get_or_create(user=user, defaults=told)[0]


def fill(user: User, *skus: str, **options: str) -> Cart:
    """A cart of the customer, who told us an address, with these plans at today's prices."""
    lives(user)
    cart, _ = Cart.objects.get_or_create(user=user, closed_at=None)
    for sku in skus:
        chosen = options if sku.startswith(("SIM", "INT")) else {}
        line = price_line(products=products(), sku=sku, options=chosen)
        CartLine.objects.create(cart=cart, sku=sku, options=chosen, price_seen=line.totals.as_json())
    return cart


def seen(user: User, cart: Cart) -> str:
    """What the review page would carry."""
    return checkout.shown(user=user, cart=cart, lines=look(cart).priced)


def order_now(user: User, *skus: str, **options: str) -> list[Order]:
    """From an empty cart to placed orders."""
    cart = fill(user, *skus, **options)
    submission = checkout.submit(user=user, cart_id=cart.pk, seen=seen(user, cart), accepted=ACCEPTED, again=True)
    return list(Order.objects.filter(submission=submission).order_by("cart_line"))


def review_form(client: Client) -> dict[str, str]:
    """The hidden fields of the review page as the browser would send them, with the terms ticked."""
    page = client.get("/checkout/review/").content.decode()
    hidden = dict(re.findall(r'name="(cart|seen|again)" value="([^"]+)"', page))
    return {**hidden, "terms": TERMS, "matters": TERMS}


def a_check(user: User, **values: Any) -> EligibilityRequest:
    """An address check that said yes."""
    told = {"state": "answered", "answer": "Apartment 1G", "offered": True, "sf_account_id": user.link.sf_account_id}
    lives = {"postal_code": "1080023", "prefecture": 13, "city": "港区", "street": "芝浦9-9-9", "home": "flat"}
    return EligibilityRequest.objects.create(
        user=user, **{**lives, **told, "sf_opportunity_id": "006CHECK0000000AAA", **values}
    )
