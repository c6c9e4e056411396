"""Seed files: what somebody else's sandbox begins with, and what is said about one that cannot be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.config import Config
from sandbox.seed_file import SeedError
from sandbox.world import World
from tests.sandbox.core.conftest import Control

OURS = Path(__file__).parent / "files" / "our-records.json"

Open = Callable[..., World]


@pytest.fixture
def open_world(state: Path, request: pytest.FixtureRequest) -> Open:
    def open_it(*seeds: Path, **more: Any) -> World:
        world = World(Config(state=state, seeds=seeds, **more))
        request.addfinalizer(world.close)
        return world

    return open_it


def test_an_empty_org_has_its_users_and_a_standard_price_book(open_world: Open) -> None:
    world = open_world(seed_data="none")
    assert [len(world.org.table(name)) for name in ("Account", "Product2", "PricebookEntry")] == [0, 0, 0]
    assert [each["IsStandard"] for each in world.org.records("Pricebook2")] == [True]
    assert world.org.user_named("portal.integration@sonixnet.example")


def test_records_and_calls_of_a_file_are_carried_out_in_both_systems(open_world: Open) -> None:
    world = open_world(OURS, seed_data="none")
    (account,) = world.org.records("Account")
    assert (account["Name"], account["Phone"]) == ("Tanaka Aiko", "+81 3-5550-0100")
    (contact,) = world.org.find("Contact", "AccountId", account["Id"])
    assert contact["Email"] == "aiko@example.jp"
    (entry,) = world.org.records("PricebookEntry")
    assert (entry["UnitPrice"], entry["Name"]) == (990.0, "Our SIM")
    (client,) = world.whmcs.clients.all()
    assert client.customfields == {"12": "200001"}
    (order,) = world.whmcs.orders.all()
    fibre, set_up = world.whmcs.services.find("order_id", order.id)
    assert (fibre.pid, fibre.recurring, fibre.options, fibre.provisioned) == (
        901,
        "6050.00",
        {"91": 912, "92": 1},
        True,
    )
    assert (set_up.pid, set_up.first_payment, set_up.provisioned) == (902, "3300.00", False)
    assert [(each.pid, each.paytype) for each in world.whmcs.products.values()] == [
        (901, "recurring"),
        (902, "onetime"),
    ]
    assert (order.client_id, order.status, order.notes) == (client.id, "Active", "@desk")


def test_products_of_a_file_stand_beside_those_of_the_shop_or_in_their_place(open_world: Open, tmp_path: Path) -> None:
    path = tmp_path / "products.json"
    ours = [{"pid": 101, "name": "Ours", "cycles": {"free": 0}}, {"pid": 999, "name": "New", "cycles": {"monthly": 1}}]
    path.write_text(json.dumps({"whmcs": {"products": ours}}))
    world = open_world(path)
    names = {each.pid: each.name for each in world.whmcs.products.values()}
    assert (names[101], names[999]) == ("Ours", "New")
    assert len(names) > 20
    world.close()
    assert open_world().whmcs.products[101].name == "Ours"


def test_a_state_that_exists_is_left_alone_until_it_is_reset(open_world: Open) -> None:
    open_world(seed_data="none").close()
    world = open_world(OURS, seed_data="none")
    assert len(world.org.table("Account")) == 0
    assert Control(world).post("/control/state/reset").status == 200
    assert len(world.org.table("Account")) == 1
    assert len(world.whmcs.orders) == 1


def record(**fields: Any) -> dict[str, Any]:
    return {"salesforce": [{"type": "Contact", "fields": fields}]}


def call(action: str, **fields: Any) -> dict[str, Any]:
    return {"whmcs": {"calls": [{"action": action, "fields": fields}]}}


def product(**fields: Any) -> dict[str, Any]:
    return {"whmcs": {"products": [{"pid": 1, "name": "A", "cycles": {"monthly": 1}, **fields}]}}


WRONG: list[tuple[str, Any]] = [
    ("Input should be", []),
    ("salesfroce: Extra inputs", {"salesfroce": []}),
    ("salesforce[0].type: Field required", {"salesforce": [{"fields": {}}]}),
    ("salesforce[0].update: String should match", {"salesforce": [{"update": "aiko", "fields": {}}]}),
    ("salesforce[0]: there is no object Ghost__c", {"salesforce": [{"type": "Ghost__c"}]}),
    ("salesforce[0], LastName: Required fields are missing: [LastName]", record(FirstName="Aiko")),
    ("salesforce[0]: No such column 'Shoe__c' on", record(LastName="T", Shoe__c=1)),
    ("salesforce[0]: no record before this one has the ref “nobody”", record(LastName="T", AccountId="@nobody")),
    ("salesforce[0]: no record before this one has the ref “”", record(LastName="T", AccountId="@")),
    ("AccountId: 0 records have the Name 'X', not 1", record(LastName="T", AccountId={"Name": "X"})),
    (
        "salesforce[1]: the ref “a” stands twice",
        {"salesforce": [{"ref": "a", "type": "Account", "fields": {"Name": "A"}}] * 2},
    ),
    ("whmcs.settings: unknown settings: shoes", {"whmcs": {"settings": {"shoes": 2}}}),
    ("whmcs.products[0].cycles: Dictionary should have at least 1", product(cycles={})),
    ("whmcs.products[0].cycles.weekly", product(cycles={"weekly": 1})),
    ("whmcs.products[0]: Value error, free and onetime go with no other", product(cycles={"free": 0, "monthly": 1})),
    ("whmcs.products[0].options[0].kind", product(options=[{"id": 1, "name": "x", "kind": "text", "choices": []}])),
    ("whmcs.calls[0] (AddShoe): there is no such action", call("AddShoe")),
    ("whmcs.calls[0] (AcceptOrder): Order ID", call("AcceptOrder", orderid=7)),
    ("(AcceptOrder): no call before this one has the ref “o”", call("AcceptOrder", orderid="@o.orderid")),
]


@pytest.mark.parametrize(("sentence", "content"), WRONG, ids=[sentence for sentence, _ in WRONG])
def test_a_wrong_file_is_named_with_the_place_that_is_wrong(
    open_world: Open, tmp_path: Path, sentence: str, content: Any
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(content))
    with pytest.raises(SeedError) as refused:
        open_world(OURS, path)
    assert str(refused.value).startswith(f"{path}: ")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(open_world: Open, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"salesforce": [\n}')
    for name, sentence in (("missing.json", "No such file"), ("broken.json", "line 2 column 1"), (".", "directory")):
        with pytest.raises(SeedError, match=sentence):
            open_world(tmp_path / name)


def test_nothing_is_left_of_a_seed_that_fails_at_its_end(open_world: Open, tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(call("AcceptOrder", orderid=7)))
    with pytest.raises(SeedError):
        open_world(OURS, path)
    world = open_world(seed_data="none")
    assert len(world.org.table("Account")) == len(world.whmcs.clients) == 0
    assert world.ledger.read("whmcs") == []


def test_a_reset_whose_seed_has_become_wrong_changes_nothing(open_world: Open, tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    path.write_text(OURS.read_text())
    world = open_world(path)
    path.write_text("{")
    refused = Control(world).post("/control/state/reset")
    assert refused.status == 409
    assert str(path) in refused.json()["error"]
    assert len(world.whmcs.orders) == 1
