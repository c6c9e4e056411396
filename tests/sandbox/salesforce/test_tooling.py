"""The Tooling query that clients of managed event subscriptions make, and what else is asked of it."""

from typing import Any
from urllib.parse import quote

import pytest

from sandbox.world import World
from tests.sandbox.salesforce.conftest import Api

TOPIC = "/event/OrderProvisionRequested__e"


@pytest.fixture
def subscriptions(world: World) -> list[str]:
    """Ids of two managed event subscriptions: Orders runs, Stopped does not."""
    made = [
        world.org.managed.create("Orders", {"topicName": TOPIC}),
        world.org.managed.create("Stopped", {"topicName": TOPIC, "state": "STOP", "label": "No more"}),
    ]
    return [str(each["Id"]) for each in made]


def asked(api: Api, soql: str, version: str = "62.0") -> Any:
    return api("GET", f"/services/data/v{version}/tooling/query/?q={quote(soql)}").json()


def test_a_subscription_by_its_name(api: Api, subscriptions: list[str]) -> None:
    soql = "SELECT Id, DeveloperName, Metadata FROM ManagedEventSubscription WHERE DeveloperName='{}' LIMIT 1"
    answer = asked(api, soql.format("Orders"))
    assert (answer["size"], answer["totalSize"], answer["done"]) == (1, 1, True)
    assert answer["entityTypeName"] == "ManagedEventSubscription"
    (record,) = answer["records"]
    assert record["attributes"] == {
        "type": "ManagedEventSubscription",
        "url": f"/services/data/v62.0/tooling/sobjects/ManagedEventSubscription/{subscriptions[0]}",
    }
    assert (record["Id"], record["DeveloperName"]) == (subscriptions[0], "Orders")
    assert (record["Metadata"]["topicName"], record["Metadata"]["state"]) == (TOPIC, "RUN")
    assert asked(api, soql.format("Nobody")) | {"queryLocator": None} == {
        "size": 0, "totalSize": 0, "done": True, "queryLocator": None, "entityTypeName": None, "records": [],
    }  # fmt: skip


@pytest.mark.usefixtures("subscriptions")
def test_by_other_fields(api: Api) -> None:
    rows = asked(api, "SELECT MasterLabel FROM ManagedEventSubscription WHERE State = 'STOP' ORDER BY DeveloperName")
    assert [row["MasterLabel"] for row in rows["records"]] == ["No more"]
    assert asked(api, "SELECT COUNT() FROM ManagedEventSubscription")["size"] == 2
    grouped = asked(api, "SELECT State, COUNT(Id) n FROM ManagedEventSubscription GROUP BY State ORDER BY State")
    assert [(row["State"], row["n"]) for row in grouped["records"]] == [("RUN", 1), ("STOP", 1)]


REFUSED = [
    ("SELECT Metadata FROM ManagedEventSubscription", "MALFORMED_QUERY", "one row for retrieval. Result size: 2"),
    ("SELECT Id FROM ManagedEventSubscription WHERE Metadata = 'x'", "INVALID_FIELD", "can not be filtered"),
    ("SELECT Id FROM FlowDefinition", "INVALID_TYPE", "sObject type 'FlowDefinition' is not supported."),
    ("SELECT Id FROM Account", "INVALID_TYPE", "sObject type 'Account' is not supported."),
]  # fmt: skip


@pytest.mark.usefixtures("subscriptions")
@pytest.mark.parametrize(("soql", "code", "words"), REFUSED)
def test_refused(api: Api, soql: str, code: str, words: str) -> None:
    (error,) = asked(api, soql)
    assert error["errorCode"] == code
    assert words in error["message"]


def test_the_rest_of_the_tooling_api_is_not_there(api: Api) -> None:
    for path in ("tooling", "tooling/sobjects", "tooling/sobjects/ManagedEventSubscription", "tooling/search?q=x"):
        assert api.error("GET", path)["errorCode"] == "NOT_FOUND"
    assert api.error("GET", "tooling/query")["message"] == "A query string has to be specified"
    assert api.query("SELECT Id FROM Account LIMIT 1")
    assert (
        api.error("GET", f"query?q={quote('SELECT Id FROM ManagedEventSubscription')}")["errorCode"] == "INVALID_TYPE"
    )
