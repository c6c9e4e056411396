"""A sync while people shop: nobody waits for it, nobody sees half of it."""

import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client

from catalog.sync import sync
from integrations.failpoints import arm
from tests.catalog.goods import Shop


@pytest.mark.django_db(transaction=True)
def test_shopping_goes_on_while_the_mirror_is_written(shop: Shop) -> None:
    shop.edit("VPN-US", price=Decimal("660"))
    shop.edit("ACT-VPN", price=Decimal("1100"))
    shop.drop("VPN-UK")
    seen: list[str] = []

    def shopping() -> None:
        visitor = Client()
        seen.append(visitor.get("/plans/vpn/").content.decode())
        visitor.post("/cart/add/", {"sku": "VPN-UK"})
        seen.append(visitor.get("/cart/").content.decode())
        connection.close()

    def meanwhile() -> None:
        shopper = threading.Thread(target=shopping)
        shopper.start()
        shopper.join(timeout=30)
        assert not shopper.is_alive(), "shopping waited for the sync"

    with arm("catalog.sync:before=call", meanwhile):
        sync(full=False)
    family, cart = seen
    assert "¥550" in family
    assert "¥660" not in family
    assert "VPN United Kingdom" in cart
    after = Client().get("/plans/vpn/").content.decode()
    assert "¥660" in after
    assert "¥1,100 once" in after
    assert "VPN United Kingdom" not in after
