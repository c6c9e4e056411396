"""Platform events of another org's schema file: published by REST, typed on the bus, joined by channels."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.config import Config
from sandbox.salesforce.events import UnknownTopic
from sandbox.salesforce.schema_files import SchemaError
from sandbox.world import World
from tests.sandbox.salesforce.conftest import Api

SCHEMA: dict[str, Any] = {
    "events": {
        "Sample__e": {
            "label": "Sample",
            "fields": [
                {"name": "Message__c", "type": "string", "length": 20, "required": True},
                {"name": "Amount__c", "type": "double", "precision": 9, "scale": 2},
                {"name": "Urgent__c", "type": "boolean"},
                {"name": "Day__c", "type": "date"},
                {"name": "Moment__c", "type": "datetime"},
            ],
        },
        "Other__e": {"label": "Other", "fields": [{"name": "Message__c", "type": "string"}]},
    },
    "channels": {"/event/All__chn": ["/event/Sample__e", "/event/Other__e"]},
    "managedEventSubscriptions": {"Managed_Sample": {"topicName": "/event/Sample__e", "defaultReplay": "EARLIEST"}},
}


def file_with(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "schema.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def world(tmp_path: Path, key_material: Path) -> Iterator[World]:
    opened = World(Config(state=tmp_path / "state", schemas=(file_with(tmp_path, SCHEMA),)))
    yield opened
    opened.close()


def published(world: World, topic: str) -> list[dict[str, Any]]:
    return [world.schemas.decode(each.schema_id, each.payload) for each in world.bus.after(topic, 0, 100)]


def test_fields_arrive_with_the_types_of_the_wire(api: Api, world: World) -> None:
    fields = {"Message__c": "hello", "Amount__c": 3, "Urgent__c": True}
    times = {"Day__c": "2026-12-31", "Moment__c": "2026-12-31T09:30:00+0900"}
    answer = api("POST", "sobjects/Sample__e", {**fields, **times})
    assert answer.status == 201
    (event,) = published(world, "/event/Sample__e")
    assert (event["Message__c"], event["Amount__c"], event["Urgent__c"]) == ("hello", 3.0, True)
    assert isinstance(event["Amount__c"], float)
    assert event["Day__c"] == 1_798_675_200_000
    assert event["Moment__c"] == 1_798_677_000_000
    assert event["CreatedById"].startswith("005")
    assert event["CreatedDate"] > 1_700_000_000_000
    assert world.bus.after("/event/Sample__e", 0, 1)[0].event_id == answer.json()["errors"][0]["message"]


def test_what_is_left_out_is_null_even_where_setup_says_that_it_is_required(api: Api, world: World) -> None:
    schema = world.schemas.current("/event/Sample__e").parsed
    created, customs = schema["fields"][:2], schema["fields"][2:]
    assert [each["name"] for each in created] == ["CreatedDate", "CreatedById"]
    assert [each["type"] for each in created] == ["long", "string"]
    kinds = {each["name"]: each["type"] for each in customs}
    assert kinds["Message__c"] == ["null", "string"]
    assert kinds["Moment__c"] == kinds["Day__c"] == ["null", "long"]
    assert api.error("POST", "sobjects/Sample__e", {"Amount__c": 1})["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert published(world, "/event/Sample__e") == []


def test_a_channel_delivers_its_members_in_the_order_of_the_bus(api: Api, world: World) -> None:
    for kind, text in (("Sample__e", "1"), ("Other__e", "2"), ("Sample__e", "3"), ("Other__e", "4")):
        api.create(kind, Message__c=text)
    channel = world.topics.find("/event/All__chn")
    events = world.bus.next_of(channel.members, 0, 3)
    texts = [world.schemas.decode(each.schema_id, each.payload)["Message__c"] for each in events]
    assert texts == ["1", "2", "3"]
    assert [each.replay for each in events] == sorted(each.replay for each in events)
    assert len({each.schema_id for each in events}) == 2
    assert (channel.schema_id, channel.can_publish, channel.can_subscribe) == ("", False, True)


def test_managed_subscriptions_of_the_file_are_there_and_keep_what_was_changed(world: World) -> None:
    record = world.org.managed.named("Managed_Sample")
    assert record is not None
    assert record["Metadata"]["defaultReplay"] == "EARLIEST"
    world.org.managed.change(record["Id"], {"state": "STOP"})
    world.close()
    again = World(world.config)
    try:
        kept = again.org.managed.named("Managed_Sample")
        assert kept is not None
        assert (kept["Id"], kept["Metadata"]["state"]) == (record["Id"], "STOP")
    finally:
        again.close()


def test_a_schema_that_evolved_is_still_in_use_after_a_restart(world: World) -> None:
    first = world.schemas.current("/event/Sample__e").schema_id
    evolved = world.schemas.evolve("/event/Sample__e", {"Added__c": "string"})
    assert evolved.schema_id != first
    with pytest.raises(ValueError, match="cannot be added"):
        world.schemas.evolve("/event/Sample__e", {"Added__c": "string"})
    world.close()
    again = World(world.config)
    try:
        assert again.schemas.current("/event/Sample__e").schema_id == evolved.schema_id
        assert again.schemas.by_id(first).parsed["name"] == "Sample__e"
    finally:
        again.close()


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("/event/All", ["/event/Sample__e"]),
        ("/data/All__chn", ["/event/Sample__e"]),
        ("/event/All__chn", ["/event/Nothing__e"]),
        ("/event/All__chn", ["/data/OrderChangeEvent"]),
        ("/event/All__chn", ["/event/All__chn"]),
    ],
)
def test_a_channel_that_cannot_be_is_refused(world: World, name: str, members: list[str]) -> None:
    before = world.topics.names()
    with pytest.raises(ValueError, match=r"channel|member"):
        world.topics.put_channel(name, members)
    assert world.topics.names() == before


def test_a_wrong_channel_in_a_file_stops_the_start_with_a_sentence(tmp_path: Path, key_material: Path) -> None:
    wrong = {**SCHEMA, "channels": {"/event/All__chn": ["/event/Nothing__e"]}}
    with pytest.raises(SchemaError, match="/event/Nothing__e cannot be a member of /event/All__chn"):
        World(Config(state=tmp_path / "state", schemas=(file_with(tmp_path, wrong),)))


def test_all_changes_are_one_channel(api: Api, world: World, maria: str) -> None:
    api.update("Account", maria, Phone="03-1")
    api.create("Product2", Name="A plan")
    topic = world.topics.find("/data/ChangeEvents")
    assert topic.schema_id == ""
    events = world.bus.next_of(topic.members, 0, 10)
    assert [each.topic for each in events] == ["/data/AccountChangeEvent", "/data/Product2ChangeEvent"]
    assert not topic.can_publish
    with pytest.raises(UnknownTopic):
        world.topics.find("/event/ChangeEvents")
