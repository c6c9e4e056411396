"""A customer with orders under way and a full cart, for the pages behind the sign-in; made as tests make theirs."""

from dataclasses import dataclass
from uuid import uuid4

from django.conf import settings

from accounts.models import User
from integrations import gateway
from orders.models import Order
from tests.orders.doubles import Salesforce, Whmcs
from tests.orders.steps import fill, lives, order_now
from tests.people import make_customer, signed_in

ORDERS = 6  # more than the overview shows
ESIM = {"sim_type": "esim"}


@dataclass(frozen=True)
class SignedIn:
    """What a browser sends, and where the customer's newest order is."""

    cookie: str
    order: str


def prepare() -> SignedIn:
    """Writes the customer into the database. Outside systems answer from memory: what they take is not the page's."""
    salesforce, whmcs = Salesforce(), Whmcs()
    gateway.salesforce, gateway.whmcs = lambda: salesforce, lambda: whmcs  # type: ignore[assignment]
    user = make_customer(f"{uuid4()}@example.jp", has_payment_method=True)
    lives(user)
    orders = [order_now(user, "VPN-US")[0] for _ in range(ORDERS)]
    fill(user, "SIM-D-3", **ESIM)
    return SignedIn(_cookie(user), f"/orders/{_being_activated(orders[-1]).number}/")


def _being_activated(order: Order) -> Order:
    order.sf_status, order.sf_activation_status, order.progress = "Approved", "Activating", Order.Progress.ACTIVATING
    order.save()
    return order


def _cookie(user: User) -> str:
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={signed_in(user).cookies[name].value}"
