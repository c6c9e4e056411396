"""Managed event subscriptions: what may be configured, and what is kept."""

from typing import Any

import pytest

from sandbox.salesforce.managed import ManagedSubscriptions
from sandbox.world import World

TOPIC = "/event/OrderProvisionRequested__e"


@pytest.fixture
def managed(world: World) -> ManagedSubscriptions:
    return world.org.managed


def test_a_subscription_is_found_by_its_id_and_by_its_name(managed: ManagedSubscriptions) -> None:
    made = managed.create("Portal_Orders", {"topicName": TOPIC})
    assert made["Id"].startswith("18x")
    assert managed.get(made["Id"]) == managed.named("Portal_Orders") == made
    assert made["Metadata"] == {
        "label": "Portal_Orders",
        "topicName": TOPIC,
        "state": "RUN",
        "defaultReplay": "LATEST",
        "errorRecoveryReplay": "LATEST",
    }


@pytest.mark.parametrize("name", ["", "9lives", "two__scores", "ends_", "with space", "注文"])
def test_a_developer_name_is_a_word(managed: ManagedSubscriptions, name: str) -> None:
    with pytest.raises(ValueError, match="developer name"):
        managed.create(name, {"topicName": TOPIC})


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"topicName": 7},
        {"topicName": TOPIC, "state": "PAUSE"},
        {"topicName": TOPIC, "defaultReplay": "CUSTOM"},
        {"topicName": TOPIC, "errorRecoveryReplay": "newest"},
        {"topicName": TOPIC, "colour": "red"},
    ],
)
def test_wrong_metadata_is_refused_and_nothing_is_made(managed: ManagedSubscriptions, metadata: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        managed.create("Portal_Orders", metadata)
    assert managed.all() == []


def test_a_name_belongs_to_one(managed: ManagedSubscriptions) -> None:
    managed.create("Portal_Orders", {"topicName": TOPIC})
    with pytest.raises(ValueError, match="taken"):
        managed.create("portal_orders", {"topicName": TOPIC})


def test_a_change_keeps_what_it_does_not_name(managed: ManagedSubscriptions) -> None:
    made = managed.create("Portal_Orders", {"topicName": TOPIC, "defaultReplay": "EARLIEST"})
    changed = managed.change(made["Id"], {"state": "STOP"})
    assert changed["Metadata"]["state"] == "STOP"
    assert changed["Metadata"]["defaultReplay"] == "EARLIEST"
    with pytest.raises(LookupError):
        managed.change("18x000000000009AAA", {"state": "STOP"})


def test_the_committed_position_goes_with_the_subscription(managed: ManagedSubscriptions) -> None:
    made = managed.create("Portal_Orders", {"topicName": TOPIC})
    assert managed.committed(made["Id"]) is None
    managed.commit(made["Id"], 4711)
    assert managed.committed(made["Id"]) == 4711
    managed.delete(made["Id"])
    assert managed.get(made["Id"]) is None
    assert managed.committed(made["Id"]) is None
