"""A sandbox of its own for the event path, whose keep-alives come quickly and whose streams may be disturbed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.pubsub.raw import TOPIC, WITHIN_S, Raw
from tests.sandbox_process import Sandbox


@pytest.fixture(scope="session")
def quick_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    process = Sandbox(tmp_path_factory.mktemp("pubsub"), "--keepalive-s", "0.3")
    yield process
    process.stop()


@pytest.fixture
def bus(quick_process: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, on its best behaviour again afterwards."""
    yield quick_process
    quick_process.control("/control/pubsub/mute", {"muted": False})
    quick_process.control("/control/pubsub/freeze", {"frozen": False})
    times = {"keepalive_s": 0.3, "idle_s": 60, "publish_idle_s": 70, "commit_idle_s": 1800}
    quick_process.control("/control/pubsub/pace", times)


@pytest.fixture
def raw(bus: Sandbox) -> Iterator[Raw]:
    client = Raw(bus)
    yield client
    client.channel.close()


@pytest.fixture
def publish(bus: Sandbox) -> Callable[..., dict[str, Any]]:
    """publish(order="801…") puts one event on the bus and returns its ids."""

    def put(order: str = "801000000000001AAA", **more: Any) -> dict[str, Any]:
        body = {"topic": TOPIC, **({} if "payload" in more else {"fields": {"OrderId__c": order}}), **more}
        answer: dict[str, Any] = bus.control("/control/pubsub/publish", body)
        return answer

    return put


@pytest.fixture
def rest(raw: Raw) -> Callable[..., Any]:
    """rest("POST", "Account", Name="…") calls the org's REST API as the integration user."""

    def call(method: str, path: str, **fields: Any) -> Any:
        url = f"{raw.urls['salesforce_url']}/services/data/v66.0/sobjects/{path}"
        headers = {"Authorization": f"Bearer {raw.headers['accesstoken']}", "Sforce-Call-Options": "client=portal"}
        answer = requests.request(method, url, json=fields, headers=headers, verify=raw.urls["ca"], timeout=WITHIN_S)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    return call
