"""salesforce-pubsub-api-client 5.5.2 from npm, unmodified, against the real process: what its manual shows.

The scripts in `pubsub/` use the client and say what they saw as lines of JSON; here it is judged, with the ledger.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.clients.node import Node, require_clients
from tests.sandbox.pubsub.raw import TOPIC, Raw
from tests.sandbox_process import Sandbox
from tests.waiting import until

PREFIX = "sfdc.platform.eventbus.grpc."
ORDERS = ["one", "two", "three", "four"]


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    require_clients()


Start = Callable[..., Node]


@pytest.fixture(scope="module")
def quick_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of these tests alone: whoever reads from the earliest event meets no nonsense of others."""
    process = Sandbox(tmp_path_factory.mktemp("node"), "--keepalive-s", "0.3")
    yield process
    process.stop()


@pytest.fixture
def start(bus: Sandbox) -> Iterator[Start]:
    """start("auth") runs pubsub/auth.mjs against the sandbox whose keep-alives come quickly."""
    running: list[Node] = []

    def begin(script: str, **more: Any) -> Node:
        running.append(Node(bus, f"pubsub/{script}", **more))
        return running[-1]

    yield begin
    for each in running:
        each.kill()


def test_every_way_to_sign_in(start: Start, raw: Raw, bus: Sandbox) -> None:
    before = bus.last_ledger_id()
    said = start("auth", access_token=raw.headers["accesstoken"]).finish()
    ways = ["oauth-jwt-bearer", "user-supplied", "username-password"]
    assert [each["way"] for each in said] == [each["correlationKey"] for each in said] == ways
    events = bus.ledger(system="pubsub", operation="event", after=before)
    assert [each["key"] for each in events] == ways
    assert [each["detail"]["replay"] for each in events] == [each["replayId"] for each in said]


def test_subscribing_from_every_place(start: Start, bus: Sandbox) -> None:
    before = bus.last_ledger_id()
    latest, additional, from_replay_id, from_earliest = start("deliveries").finish()
    assert latest["latest"] == ORDERS[:2]
    assert latest["version"] == 3
    assert latest["info"]["receivedEventCount"] == latest["info"]["requestedEventCount"] == 2
    assert additional["additional"] == ORDERS[2:]
    assert from_replay_id["fromReplayId"] == ORDERS[2:]
    assert from_earliest["fromEarliest"][-4:] == ORDERS
    opened = bus.ledger(system="pubsub", operation="Subscribe", after=before)
    assert [each["detail"]["preset"] for each in opened] == ["LATEST", "CUSTOM", "EARLIEST"]
    assert opened[1]["detail"]["after"] == additional["replayIds"][1]
    published = bus.ledger(system="pubsub", operation="event", after=before)
    assert [each["detail"]["replay"] for each in published] == additional["replayIds"]


def test_publishing_in_batches(start: Start, bus: Sandbox, raw: Raw) -> None:
    before = bus.last_ledger_id()
    first, second = start("publishing").finish()
    assert first["keys"] == ["batch-one", "batch-two", "batch-three"]
    assert second["keys"] == ["batch-one"]
    assert second["schemaId"] == raw.topic(TOPIC).schema_id
    requests = bus.ledger(system="pubsub", operation="PublishStream", after=before)
    assert [(each["detail"]["events"], each["detail"]["refused"]) for each in requests] == [(3, 0), (1, 0)]


def test_a_managed_subscription(start: Start, bus: Sandbox) -> None:
    names = {"managed_name": "Node_Orders", "stopped_name": "Node_Stopped"}
    records = [_configured(bus, name) for name in names.values()]
    _configured(bus, names["stopped_name"], state="STOP")
    before = bus.last_ledger_id()
    delivered, additional = start("managed", **names).finish()
    until(lambda: bus.get("/control/pubsub/streams")["streams"] == 0, what="the first process to be missed")
    resumed, *refused = start("resume", managed_id=records[0]["Id"], **names).finish()
    assert delivered["delivered"] == ORDERS[:3]
    assert delivered["info"]["subscriptionId"] == records[0]["Id"]
    assert delivered["info"]["topicName"] == TOPIC
    assert additional["additional"] == ["four"]
    assert resumed["resumed"] == ["two", "three", "four"]
    assert [each["name"] for each in refused] == ["Node_Stopped", "Nobody"]
    assert "STOP state" in refused[0]["refused"]
    assert "Failed to retrieve managed event subscription" in refused[1]["refused"]
    entries = bus.ledger(system="pubsub", operation="ManagedSubscribe", after=before)
    committed = [each["detail"]["committed"] for each in entries if "committed" in each["detail"]]
    assert committed == [delivered["committed"]]
    assert {each["key"] for each in entries} == {records[0]["Id"]}


def _configured(bus: Sandbox, name: str, **metadata: str) -> dict[str, Any]:
    body = {"developer_name": name, "metadata": {"topicName": TOPIC, **metadata}}
    record: dict[str, Any] = bus.control("/control/pubsub/managed", body)
    return record


def test_changes_are_decoded_to_field_names(start: Start, rest: Callable[..., Any]) -> None:
    script = start("changes")
    assert script.read() == {"ready": True}
    account = rest("POST", "Account", Name="Hikari Works", BillingCity="Minato", BillingStreet="1-1")["id"]
    rest("PATCH", f"Account/{account}", Phone="03-9", BillingCity="Osaka", BillingStreet=None)
    rest("PATCH", f"Account/{account}", Phone=None)
    rest("DELETE", f"Account/{account}")
    created, changed, emptied, deleted = (each["payload"] for each in script.finish())
    headers = [each["ChangeEventHeader"] for each in (created, changed, emptied, deleted)]
    assert [each["changeType"] for each in headers] == ["CREATE", "UPDATE", "UPDATE", "DELETE"]
    assert {each["recordIds"][0] for each in headers} == {account}
    assert created["Name"] == "Hikari Works"
    assert created["BillingAddress"]["City"] == "Minato"
    assert set(headers[1]["changedFields"]) == {
        *("Phone", "LastModifiedDate", "BillingAddress.City", "BillingAddress.Street"),
    }
    assert (changed["Phone"], changed["BillingAddress"]["City"], changed["Name"]) == ("03-9", "Osaka", None)
    assert headers[2]["nulledFields"] == ["Phone"]
    assert headers[3]["changedFields"] == []
    assert headers[1]["changeOrigin"] == "com/salesforce/api/rest/66.0;client=portal"
    assert int(headers[1]["commitNumber"]) > 2**53
    assert headers[0]["transactionKey"] != headers[1]["transactionKey"]


def test_refusals_reach_the_user(start: Start, raw: Raw) -> None:
    organization_id = raw.headers["tenantid"]
    bad_topic, bad_replay_id, publish, invalid, bad_token, login = start(
        "refusals", organization_id=organization_id
    ).finish()
    assert bad_topic["badTopic"]["code"] == 5
    trailers = bad_topic["badTopic"]["trailers"]
    assert trailers["error-code"] == [PREFIX + "topic.not.found"]
    assert trailers["type"] == ["Subscribe"]
    assert bad_topic["badTopic"]["details"].endswith(f"rpcId: {trailers['rpc-id'][0]}")
    assert bad_replay_id["badReplayId"] == 3
    assert publish["publish"] == 5
    assert invalid["invalid"]
    assert bad_token["badToken"]["code"] == 16
    assert bad_token["badToken"]["trailers"]["error-code"] == [PREFIX + "service.auth.error"]
    assert "invalid_grant" in login["login"]
