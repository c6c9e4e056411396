"""A shop whose outside world is in memory, and an order of aiko's in it, for the walks over every address."""

import pytest

from accounts.models import User
from orders.models import Order
from tests.orders.conftest import salesforce, whmcs
from tests.orders.doubles import Salesforce, Whmcs
from tests.orders.steps import order_now

__all__ = ["salesforce", "whmcs"]


@pytest.fixture
def order(aiko: User, salesforce: Salesforce, whmcs: Whmcs) -> Order:
    """Placed by aiko."""
    (placed,) = order_now(aiko, "VPN-US")
    return placed
