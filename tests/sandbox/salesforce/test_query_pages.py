"""Long results: pages, the locators that lead to them, and whom a locator serves for how long."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.world import World
from tests.sandbox.salesforce.conftest import Api
from tests.sandbox.salesforce.soql_world import opened

SOQL = quote("SELECT LastName FROM Contact WHERE LastName LIKE 'Page %' ORDER BY LastName DESC")
NAMES = [f"Page {number:04d}" for number in range(450)][::-1]


def fill(world: World, account_id: str, number: int = 450) -> None:
    carol = world.org.user_named("carol.suzuki@sonixnet.example")
    with world.org.store.transaction():
        for at in range(number):
            world.org.create("Contact", {"LastName": f"Page {at:04d}", "AccountId": account_id}, carol)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, key_material: Path) -> Iterator[Api]:
    """An org where one account has 450 contacts."""
    with opened(tmp_path_factory.mktemp("full"), key_material) as api:
        fill(api.world, api.create("Account", Name="Crowd"))
        yield api


def page(api: Api, path: str, size: int = 200) -> dict[str, Any]:
    reply = api("GET", path, headers={"Sforce-Query-Options": f"batchSize={size}"})
    assert reply.status == 200, reply.text
    return dict(reply.json())


def test_every_record_comes_once_and_in_order(full: Api) -> None:
    found = page(full, f"query?q={SOQL}")
    names = [row["LastName"] for row in found["records"]]
    while not found["done"]:
        assert found["totalSize"] == 450
        assert found["nextRecordsUrl"].startswith("/services/data/v66.0/query/01g")
        found = page(full, found["nextRecordsUrl"])
        names += [row["LastName"] for row in found["records"]]
    assert names == NAMES
    assert "nextRecordsUrl" not in found


@pytest.mark.parametrize(("asked", "given"), [(1, 200), (300, 300), (2001, 450)])
def test_the_size_of_a_page_has_bounds(full: Api, asked: int, given: int) -> None:
    assert len(page(full, f"query?q={SOQL}", asked)["records"]) == given


def test_a_page_may_be_fetched_again(full: Api) -> None:
    url = page(full, f"query?q={SOQL}")["nextRecordsUrl"]
    assert page(full, url)["records"] == page(full, url)["records"]


def test_children_have_pages_of_their_own(full: Api) -> None:
    soql = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account WHERE Name = 'Crowd'"
    contacts = full.one(soql)["Contacts"]
    assert (contacts["totalSize"], contacts["done"], len(contacts["records"])) == (450, False, 200)
    names = [row["LastName"] for row in contacts["records"]]
    while not contacts["done"]:
        contacts = page(full, contacts["nextRecordsUrl"], 2000)
        names += [row["LastName"] for row in contacts["records"]]
    assert names == NAMES[::-1]


def test_the_index_that_leaves_least_leads(full: Api) -> None:
    account = full.one("SELECT Id FROM Account WHERE Name = 'Crowd'")["Id"]
    soql = f"SELECT Id FROM Contact WHERE AccountId = '{account}' AND {{}}"

    def plan(condition: str) -> tuple[int, list[str]]:
        first = full("GET", f"query?explain={quote(soql.format(condition))}").json()["plans"][0]
        return first["cardinality"], first["fields"]

    assert plan("Title = null") == (450, ["AccountId"])
    assert plan("Email = 'nobody@example.jp'") == (0, ["Email"])
    assert plan("(Email = 'nobody@example.jp' OR Account.Name = 'Crowd')") == (450, ["AccountId"])


def test_what_changed_meanwhile(api: Api, world: World, maria: str) -> None:
    fill(world, maria)
    url = page(api, f"query?q={SOQL}")["nextRecordsUrl"]
    gone, renamed = api.query(
        "SELECT Id FROM Contact WHERE LastName IN ('Page 0249', 'Page 0248') ORDER BY LastName DESC"
    )
    assert api("DELETE", f"sobjects/Contact/{gone['Id']}").status == 204
    api.update("Contact", renamed["Id"], LastName="Another")
    names = [row["LastName"] for row in page(api, url)["records"]]
    assert names == ["Another", *NAMES[202:400]]


def test_query_all_keeps_the_deleted_through_its_pages(api: Api, world: World, maria: str) -> None:
    fill(world, maria, 201)
    with world.org.store.transaction():
        for record in list(world.org.find("Contact", "AccountId", maria)):
            world.org.delete("Contact", record["Id"], world.org.user_named("carol.suzuki@sonixnet.example"))
    found = page(api, f"queryAll?q={quote('SELECT IsDeleted FROM Contact WHERE IsDeleted = true')}")
    rest = page(api, found["nextRecordsUrl"])
    assert {row["IsDeleted"] for row in found["records"] + rest["records"]} == {True}
    assert len(found["records"]) + len(rest["records"]) == found["totalSize"] == 202


def refused(api: Api, url: str) -> bool:
    error = api.error("GET", url)
    return (error["status"], error["errorCode"], error["message"]) == (
        400,
        "INVALID_QUERY_LOCATOR",
        "invalid query locator",
    )


def test_locators_that_lead_nowhere(full: Api) -> None:
    url = page(full, f"query?q={SOQL}")["nextRecordsUrl"]
    locator, _, _ = url.rpartition("-")
    for wrong in ("query/01gNOTHING-200", locator, f"{locator}-450", f"{locator}-x", f"{locator}-99999999999999999999"):
        assert refused(full, wrong), wrong


def test_a_locator_belongs_to_its_user(api: Api, world: World, maria: str, carol: str) -> None:
    fill(world, maria, 201)
    url = page(api, f"query?q={SOQL}")["nextRecordsUrl"]
    mine, api.token = api.token, world.org.sessions.open(carol).token
    assert refused(api, url)
    api.token = mine
    assert len(page(api, url)["records"]) == 1


def test_a_locator_lives_for_two_days(api: Api, world: World, maria: str) -> None:
    fill(world, maria, 201)
    user = world.org.sessions.find(api.token)
    url = page(api, f"query?q={SOQL}")["nextRecordsUrl"]
    assert user is not None
    world.clock.advance(timedelta(days=2, minutes=-1))
    api.token = world.org.sessions.open(user.user_id).token
    assert len(page(api, url)["records"]) == 1
    world.clock.advance(timedelta(minutes=2))
    assert refused(api, url)


def test_of_many_locators_the_oldest_is_let_go(api: Api, world: World, maria: str) -> None:
    fill(world, maria, 201)
    urls = [page(api, f"query?q={SOQL}")["nextRecordsUrl"] for _ in range(11)]
    assert refused(api, urls[0])
    assert len(page(api, urls[1])["records"]) == 1
