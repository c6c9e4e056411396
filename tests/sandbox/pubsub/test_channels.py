"""Topics that join others, and change events, on the wire."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from tests.sandbox.pubsub.raw import TOPIC, WITHIN_S, Raw
from tests.sandbox_process import Sandbox

CHANNEL = "/event/Portal__chn"
Rest = Callable[..., Any]


def test_changes_of_records_arrive_as_they_are_made(raw: Raw, rest: Rest, bus: Sandbox) -> None:
    stream = raw.subscribe(topic_name="/data/ChangeEvents").accepted()
    account = rest("POST", "Account", Name="Hikari Works")["id"]
    rest("PATCH", f"Account/{account}", Phone="03-9")
    rest("DELETE", f"Account/{account}")
    bus.control(f"/control/desk/records/{account}/restore")
    events = [raw.decode(each.event) for each in stream.read_events(4)]
    headers = [each["ChangeEventHeader"] for each in events]
    assert [each["changeType"] for each in headers] == ["CREATE", "UPDATE", "DELETE", "UNDELETE"]
    assert [each["recordIds"] for each in headers] == [[account]] * 4
    assert headers[1]["changeOrigin"] == "com/salesforce/api/rest/66.0;client=portal"
    assert headers[1]["changedFields"][0].startswith("0x")
    assert events[1]["Phone"] == "03-9"
    stream.close()


def test_the_topic_of_one_type_brings_no_other(raw: Raw, rest: Rest) -> None:
    stream = raw.subscribe(topic_name="/data/Product2ChangeEvent").accepted()
    rest("POST", "Account", Name="Hikari Works")
    product = rest("POST", "Product2", Name="A plan")["id"]
    (event,) = stream.read_events(1)
    assert raw.decode(event.event)["ChangeEventHeader"]["recordIds"] == [product]
    info = raw.topic("/data/Product2ChangeEvent")
    assert (info.can_publish, info.can_subscribe, info.schema_id) == (False, True, event.event.schema_id)
    stream.close()


def test_a_custom_channel_can_be_subscribed_to_and_has_no_schema_of_its_own(
    raw: Raw, bus: Sandbox, publish: Callable[..., dict[str, Any]]
) -> None:
    bus.control("/control/pubsub/channel", {"name": CHANNEL, "members": [TOPIC]})
    info = raw.topic(CHANNEL)
    assert (info.can_publish, info.can_subscribe, info.schema_id) == (False, True, "")
    stream = raw.subscribe(topic_name=CHANNEL).accepted()
    published = publish()
    (event,) = stream.read_events(1)
    assert event.event.id == published["event_id"]
    assert event.event.schema_id
    stream.close()
    resumed = raw.subscribe(topic_name=CHANNEL, replay_preset=wire.CUSTOM, replay_id=event.replay_id)
    later = publish()
    assert resumed.read_events(1)[0].event.id == later["event_id"]
    resumed.close()
    assert CHANNEL in [each["name"] for each in bus.get("/control/pubsub/topics")]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("channel", {"name": "/event/X", "members": []}),
        ("permit", {"topic": "/event/Nothing__e"}),
        ("managed", {"developer_name": "9", "metadata": {"topicName": TOPIC}}),
        ("managed", {"developer_name": "New", "metadata": {}}),
        ("publish", {"topic": TOPIC, "fields": {"Version__c": "three"}}),
        ("publish", {"topic": TOPIC, "fields": {}, "count": 0}),
        ("pace", {"colour": 3}),
        ("publish", {}),
        ("mute", {"colour": 3}),
        ("freeze", {"colour": 3}),
        ("cut", {"colour": 3}),
        ("renumber", {"colour": 3}),
        ("schema", {"topic": TOPIC, "add": {"X__c": "blob"}}),
        ("renumber", {"start": 0}),
        ("cut", {"status": "MAYBE"}),
        ("refuse", {"operation": "Publish", "code": "no.such.code"}),
    ],
)
def test_a_button_that_is_pressed_wrongly_says_so_and_does_nothing(
    bus: Sandbox, path: str, body: dict[str, Any]
) -> None:
    before = bus.get("/control/pubsub/topics"), bus.get("/control/pubsub/streams")["tip"]
    answer = requests.post(f"{bus.urls['people_url']}/control/pubsub/{path}", json=body, timeout=WITHIN_S)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert (bus.get("/control/pubsub/topics"), bus.get("/control/pubsub/streams")["tip"]) == before
