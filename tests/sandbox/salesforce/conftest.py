"""A fresh org and a client of its REST API, as the integration user."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.authority import open_authority
from sandbox.config import Config
from sandbox.salesforce.app import app
from sandbox.salesforce.seed import AGENT_USERNAME, INTEGRATION_USERNAME
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Reply, send

BASE = "/services/data/v66.0"


class Api:
    """Calls the org over HTTP, in process."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.app = app(world)
        self.token = world.org.sessions.open(world.org.user_named(INTEGRATION_USERNAME)).token

    def __call__(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Reply:
        """`path` is below the version's root unless it begins with a slash."""
        url = path if path.startswith("/") else f"{BASE}/{path}"
        sent = {"authorization": f"Bearer {self.token}", "content-type": "application/json", **(headers or {})}
        chunks = [] if body is None else [json.dumps(body).encode()]
        return send(self.app, method, url, headers=sent, chunks=chunks)

    def query(self, soql: str) -> list[dict[str, Any]]:
        reply = self("GET", f"query?q={quote(soql)}")
        assert reply.status == 200, reply.text
        return list(reply.json()["records"])

    def one(self, soql: str) -> dict[str, Any]:
        (record,) = self.query(soql)
        return record

    def error(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The single error of a call that must fail, with its status added."""
        reply = self(method, path, body)
        (error,) = reply.json()
        return {"status": reply.status, **error}

    def create(self, kind: str, **fields: Any) -> str:
        reply = self("POST", f"sobjects/{kind}", fields)
        assert reply.status == 201, reply.text
        return str(reply.json()["id"])

    def update(self, kind: str, record_id: str, **fields: Any) -> None:
        reply = self("PATCH", f"sobjects/{kind}/{record_id}", fields)
        assert reply.status == 204, reply.text


@pytest.fixture(scope="session")
def key_material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and certificates, made once: each test's world gets a copy."""
    state = tmp_path_factory.mktemp("keys")
    open_authority(state)
    return state


@pytest.fixture
def world(tmp_path: Path, key_material: Path) -> Iterator[World]:
    shutil.copytree(key_material, tmp_path, dirs_exist_ok=True)
    opened = World(Config(state=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.fixture
def carol(world: World) -> str:
    """The CS agent's user id."""
    return world.org.user_named(AGENT_USERNAME)


@pytest.fixture
def maria(api: Api) -> str:
    """Maria's account id."""
    return str(api.one("SELECT Id FROM Account WHERE SF_Account_No__c = '104882'")["Id"])


def entry_of(api: Api, sku: str, pricebook: str = "Portal") -> str:
    """The price book entry of a product."""
    soql = (
        f"SELECT Id FROM PricebookEntry WHERE Product2.StockKeepingUnit = '{sku}' AND Pricebook2.Name = '{pricebook}'"
    )
    return str(api.one(soql)["Id"])


def place(api: Api, account_id: str, *, ref: str = "ref-1", sku: str = "INT-APT-1G", **fields: Any) -> str:
    """An order of one item that waits for review; its id."""
    pricebook = api.one("SELECT Id FROM Pricebook2 WHERE Name = 'Portal'")["Id"]
    head = {
        "AccountId": account_id,
        "Pricebook2Id": pricebook,
        "EffectiveDate": "2026-11-21",
        "Status": "Pending Review",
        "Activation_Status__c": "Pending Review",
        "Portal_Ref__c": ref,
        "Portal_Correlation_Id__c": f"corr-{ref}",
        **fields,
    }
    order_id = api.create("Order", **head)
    api.create("OrderItem", OrderId=order_id, PricebookEntryId=entry_of(api, sku), Quantity=1, UnitPrice=4730)
    return order_id


@pytest.fixture
def order(api: Api, maria: str) -> str:
    """An order of Maria's that waits for review."""
    return place(api, maria)
