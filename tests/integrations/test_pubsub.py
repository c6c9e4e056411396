"""The portal's side of the Pub/Sub API against the sandbox on the wire."""

import base64
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.errors import Misconfigured
from integrations.salesforce.pubsub import EventStream, Start
from integrations.salesforce.stream_errors import (
    AuthRefused,
    Fatal,
    QuotaUsedUp,
    ReplayIdLost,
    StreamEnded,
    StreamSilent,
    StreamTrouble,
    Throttled,
    Transient,
)
from tests.integrations.streams import (
    Calls,
    event_stream,
    events,
    read_on,
    received_until_the_end,
    result,
    token_source,
)
from tests.sandbox.pubsub.raw import TOPIC
from tests.sandbox_process import Sandbox
from tests.waiting import until

Publish = Callable[..., dict[str, Any]]


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def stream(bus: Sandbox, calls: Calls) -> Iterator[EventStream]:
    found = event_stream(bus, calls)
    yield found
    found.close()


def test_events_come_decoded_with_their_own_id_and_position(stream: EventStream, publish: Publish) -> None:
    with stream.open(TOPIC, Start.LATEST) as subscription:
        assert subscription.wait_until_accepted(5)
        sent = publish("801000000000001AAA")
        (event,) = events(subscription, 1)
    assert event.event_uuid == sent["event_id"]
    assert event.replay_id == bytes.fromhex(sent["replay_id"])
    assert event.fields is not None
    assert event.fields["OrderId__c"] == "801000000000001AAA"
    assert not event.error


def test_a_quiet_topic_gives_keep_alives_with_a_position(stream: EventStream, publish: Publish) -> None:
    with stream.open(TOPIC, Start.LATEST) as subscription:
        found = result(subscription)
    assert found.events == ()
    sent = publish()
    with stream.open(TOPIC, found.latest_replay_id) as subscription:
        assert [each.event_uuid for each in events(subscription, 1)] == [sent["event_id"]]


def test_credit_is_asked_for_ahead_so_that_any_number_of_events_comes_in_order(
    stream: EventStream, publish: Publish
) -> None:
    start = bytes.fromhex(publish()["replay_id"])
    sent = [publish()["event_id"] for _ in range(330)]
    with stream.open(TOPIC, start) as subscription:
        assert [each.event_uuid for each in events(subscription, len(sent))] == sent


def test_no_more_is_asked_for_than_can_be_held(stream: EventStream, publish: Publish, bus: Sandbox) -> None:
    start = bytes.fromhex(publish()["replay_id"])
    for _ in range(330):
        publish()
    bus.control("/control/pubsub/pace", {"idle_s": 0.5})
    with stream.open(TOPIC, start) as subscription:
        until(lambda: bus.get("/control/pubsub/streams")["streams"] == 0, what="the credit to run out")
        subscription.finish()
        assert sum(len(each.events) for each in received_until_the_end(subscription)) < 330


def test_one_response_may_mix_schemas_and_each_is_asked_for_once(
    stream: EventStream, publish: Publish, calls: Calls, bus: Sandbox
) -> None:
    start = bytes.fromhex(publish()["replay_id"])
    publish("801000000000001AAA")
    bus.control("/control/pubsub/schema", {"topic": TOPIC, "add": {"Campaign__c": "string"}})
    for order in ("801000000000002AAA", "801000000000003AAA"):
        publish(fields={"OrderId__c": order, "Campaign__c": "spring"})
    for _ in range(2):
        with stream.open(TOPIC, start) as subscription:
            found = events(subscription, 3)
    orders = [(each.fields or {})["OrderId__c"] for each in found]
    assert orders == ["801000000000001AAA", "801000000000002AAA", "801000000000003AAA"]
    assert found[0].schema_id != found[1].schema_id
    assert [name for name, _ in calls.made].count("GetSchema") == 2


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"payload": base64.b64encode(b"\xff" * 40).decode()}, "does not fit"),
        ({"payload": ""}, "does not fit"),
        ({"schema_id": ""}, "names no schema"),
        ({"schema_id": "K98aAtiNFBjA-PJlcvaQ2g"}, "no schema of the id"),
    ],
)
def test_what_cannot_be_read_is_handed_out_with_the_reason_and_the_stream_goes_on(
    stream: EventStream, publish: Publish, odd: dict[str, Any], reason: str
) -> None:
    start = bytes.fromhex(publish()["replay_id"])
    bad, good = publish(**odd), publish()
    with stream.open(TOPIC, start) as subscription:
        first, second = events(subscription, 2)
    assert (first.event_uuid, first.fields) == (bad["event_id"], None)
    assert reason in first.error
    assert second.event_uuid == good["event_id"]
    assert second.fields is not None


def test_bytes_behind_the_datum_make_it_unreadable(stream: EventStream, publish: Publish) -> None:
    with stream.open(TOPIC, Start.LATEST) as subscription:
        subscription.wait_until_accepted(5)
        publish()
        (whole,) = events(subscription, 1)
        publish(payload=base64.b64encode(whole.payload + b"\0").decode())
        (longer,) = events(subscription, 1)
    assert longer.fields is None
    assert "longer" in longer.error


def test_a_schema_that_cannot_be_had_now_is_no_fault_of_the_event(
    stream: EventStream, publish: Publish, bus: Sandbox
) -> None:
    start = bytes.fromhex(publish()["replay_id"])
    sent = publish()
    bus.control("/control/pubsub/refuse", {"operation": "GetSchema", "code": "schema.api.unavailable"})
    with stream.open(TOPIC, start) as subscription, pytest.raises(Transient):
        result(subscription)
    with stream.open(TOPIC, start) as subscription:
        assert [each.event_uuid for each in events(subscription, 1)] == [sent["event_id"]]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("service.unavailable", Transient),
        ("service.auth.error", AuthRefused),
        ("concurrent.client.limit.exceeded", Throttled),
        ("subscription.limit.exceeded", QuotaUsedUp),
        ("subscription.fetch.replayid.corrupted", ReplayIdLost),
        ("subscription.fetch.overflow", Transient),
        ("topic.meta.permission", Fatal),
    ],
)
def test_each_error_code_has_its_kind_and_its_rpc_id(
    stream: EventStream, bus: Sandbox, code: str, kind: type[StreamTrouble]
) -> None:
    bus.control("/control/pubsub/refuse", {"operation": "Subscribe", "code": code})
    with stream.open(TOPIC, Start.LATEST) as subscription, pytest.raises(StreamTrouble) as caught:
        result(subscription)
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert len(caught.value.rpc_id) == 36


def test_a_position_that_is_gone_is_said_to_be_lost(stream: EventStream) -> None:
    with stream.open(TOPIC, b"\x7f" * 10) as subscription, pytest.raises(ReplayIdLost):
        result(subscription)


@pytest.mark.parametrize(("status", "kind"), [("OK", StreamEnded), ("UNAVAILABLE", Transient)])
def test_the_end_of_a_stream_is_told_after_what_came_before_it(
    stream: EventStream, publish: Publish, bus: Sandbox, status: str, kind: type[StreamTrouble]
) -> None:
    with stream.open(TOPIC, Start.LATEST) as subscription:
        result(subscription)
        bus.control("/control/pubsub/cut", {"status": status})
        with pytest.raises(StreamTrouble) as caught:
            read_on(subscription)
    assert type(caught.value) is kind


def test_silence_is_noticed_although_the_connection_looks_alive(bus: Sandbox) -> None:
    stream = event_stream(bus, silence_s=1)
    with stream.open(TOPIC, Start.LATEST) as subscription:
        result(subscription)
        bus.control("/control/pubsub/mute")
        with pytest.raises(StreamSilent):
            read_on(subscription)
    stream.close()


def test_nothing_within_the_time_is_none_and_waking_returns_at_once(stream: EventStream, bus: Sandbox) -> None:
    bus.control("/control/pubsub/mute")
    with stream.open(TOPIC, Start.LATEST) as subscription:
        assert subscription.receive(0.01) is None
        threading.Timer(0.05, subscription.wake).start()
        assert subscription.receive(60) is None


def test_a_refused_token_is_replaced_once(bus: Sandbox, calls: Calls) -> None:
    tokens = token_source(bus, calls)
    stream = event_stream(bus, calls, tokens=tokens)
    tokens.token()
    bus.control("/control/pubsub/refuse", {"operation": "GetTopic", "code": "service.auth.error"})
    with stream.open(TOPIC, Start.LATEST) as subscription:
        result(subscription)
    assert [name for name, _ in calls.made].count("token") == 2
    bus.control("/control/pubsub/refuse", {"operation": "GetTopic", "code": "service.auth.error", "times": 2})
    with pytest.raises(AuthRefused):
        stream.open(TOPIC, Start.LATEST)
    assert [name for name, _ in calls.made].count("token") == 3
    stream.close()


@pytest.mark.parametrize("instead", [{"client_id": "unknown"}, {"audience": "https://wrong.example"}])
def test_wrong_credentials_are_said_in_one_sentence(bus: Sandbox, calls: Calls, instead: dict[str, str]) -> None:
    stream = event_stream(bus, calls, tokens=token_source(bus, calls, **instead))
    with pytest.raises(Misconfigured) as caught:
        stream.sign_in()
    assert caught.value.text
    assert "\n" not in caught.value.text


def test_a_topic_that_is_not_there_needs_a_person(stream: EventStream) -> None:
    with pytest.raises(Fatal) as caught:
        stream.open("/event/Nothing__e", Start.LATEST)
    assert caught.value.code == "topic.not.found"


def test_a_ca_bundle_that_cannot_be_read_is_named(bus: Sandbox) -> None:
    stream = event_stream(bus, ca_bundle="/nonexistent/ca.pem", tokens=token_source(bus, Calls()))
    with pytest.raises(Misconfigured, match="SF_CA_BUNDLE"):
        stream.open(TOPIC, Start.LATEST)


def test_a_server_that_nobody_vouches_for_is_not_talked_to(bus: Sandbox) -> None:
    stream = event_stream(bus, ca_bundle="", tokens=token_source(bus, Calls()))
    with pytest.raises(Transient):
        stream.open(TOPIC, Start.LATEST)
    stream.close()


def test_every_call_asks_the_guard(bus: Sandbox) -> None:
    def refuse() -> None:
        raise RuntimeError("remote call inside a transaction")

    stream = event_stream(bus, guard=refuse)
    with pytest.raises(RuntimeError, match="transaction"):
        stream.open(TOPIC, Start.LATEST)
