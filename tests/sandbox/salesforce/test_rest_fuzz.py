"""Whatever is sent to the REST API, the answer is one of Salesforce's, and a refusal changes nothing."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sandbox.config import Config
from sandbox.world import World
from tests.sandbox.salesforce.conftest import Api, place
from tests.sandbox.salesforce.rest_requests import Request, Requests
from tests.sandbox.whmcs.asgi import Reply, send

# A read may leave these behind.
NO_RECORDS = ("session", "query locator", "recently used")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, key_material: Path) -> Iterator[Api]:
    state = tmp_path_factory.mktemp("fuzz")
    for each in key_material.iterdir():
        (state / each.name).write_bytes(each.read_bytes())
        (state / each.name).chmod(0o600)
    world = World(Config(state=state))
    api = Api(world)
    place(api, str(api.one("SELECT Id FROM Account WHERE SF_Account_No__c = '104882'")["Id"]))
    yield api
    world.close()


class _Forget(Exception):
    """Ends an example without a trace."""


@given(st.randoms(use_true_random=True))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
def test_any_request_is_answered_as_salesforce_would(api: Api, chance: Random) -> None:
    requests = Requests(chance)
    with pytest.raises(_Forget):
        ask_in_turn(api, [requests.one() for _ in range(12)])


def ask_in_turn(api: Api, sent: list[Request]) -> None:
    with api.world.org.store.transaction():
        before = digest(api.world)
        for request in sent:
            reply = ask(api, request)
            check(request, reply)
            after = digest(api.world)
            assert after == before or reply.status < 300, f"{request} was refused and changed something"
            before = after
        raise _Forget


def ask(api: Api, request: Request) -> Reply:
    sent = {"authorization": f"Bearer {api.token}", "content-type": "application/json", **dict(request.headers)}
    return send(api.app, request.method, request.url, headers=sent, chunks=[request.body] if request.body else [])


def check(request: Request, reply: Reply) -> None:
    assert reply.status < 500, f"{request} → {reply.status} {reply.text}"
    if request.method == "HEAD" or reply.status in (204, 304, 412):
        assert reply.body == b""
    elif reply.headers["content-type"] == "application/json;charset=UTF-8":
        body = reply.json()
        if reply.status >= 400 and not (isinstance(body, dict) and body.get("hasErrors")):
            check_errors(body)
    else:
        assert (reply.status, request.method) == (200, "GET"), "only the bytes of a file are no JSON"


def check_errors(body: Any) -> None:
    assert isinstance(body, list)
    assert body
    for each in body:
        assert {"message", "errorCode"} <= each.keys() <= {"message", "errorCode", "fields"}
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+", each["errorCode"])
        assert isinstance(each["message"], str)
        assert all(isinstance(name, str) for name in each.get("fields", []))


def digest(world: World) -> str:
    """Everything the org keeps."""
    marks = hashlib.sha256()
    for kind, key, record in world.org.store.records():
        if kind not in NO_RECORDS:
            marks.update(repr((kind, key, record)).encode("utf-8", "surrogatepass"))
    return marks.hexdigest()
