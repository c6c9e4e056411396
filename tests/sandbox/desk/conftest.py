"""A world of its own and a browser at its desk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import people
from sandbox.config import Config
from sandbox.salesforce.seed import INTEGRATION_USERNAME
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Browser


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(Config(state=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(people.app(world))


@pytest.fixture
def account(world: World) -> str:
    """Maria, the first of the seeded customers."""
    return str(next(iter(world.org.records("Account")))["Id"])


@pytest.fixture
def order(world: World, account: str) -> str:
    """An order of Maria's that waits for review."""
    org, user = world.org, world.org.user_named(INTEGRATION_USERNAME)
    pricebook = org.find("Pricebook2", "Name", "Portal")[0]["Id"]
    product = org.find("Product2", "StockKeepingUnit", "INT-APT-1G")[0]["Id"]
    entries = org.find("PricebookEntry", "Product2Id", product)
    entry = next(each["Id"] for each in entries if each["Pricebook2Id"] == pricebook)
    head = {
        "AccountId": account,
        "Pricebook2Id": pricebook,
        "EffectiveDate": "2026-11-21",
        "Status": "Pending Review",
        "Portal_Ref__c": "SX-4827-193:abc-0",
        "Portal_Correlation_Id__c": "c-9",
    }
    made = org.create("Order", head, user)
    org.create("OrderItem", {"OrderId": made, "PricebookEntryId": entry, "Quantity": 1, "UnitPrice": 4730}, user)
    return made
