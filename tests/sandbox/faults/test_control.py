"""The API of faults, in process: what it takes, what it refuses, what it knows of itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp

from sandbox import people
from sandbox.faults.control import explanation
from sandbox.faults.kinds import KINDS
from sandbox.faults.operations import operations
from sandbox.faults.placing import reachable
from sandbox.faults.presets import PRESETS
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Reply, send, send_json

URL = "/control/faults"
DROP = {"system": "whmcs", "kind": "drop", "operation": "AddOrder"}


@pytest.fixture
def app(world: World) -> ASGIApp:
    return people.app(world)


def get(app: ASGIApp, path: str = "") -> Any:
    return send(app, "GET", URL + path).json()


def delete(app: ASGIApp, path: str = "") -> Reply:
    return send(app, "DELETE", URL + path)


def test_a_rule_is_made_listed_and_removed(app: ASGIApp, world: World) -> None:
    made = send_json(app, URL, {**DROP, "match": {"key": "clientid=7"}, "skip": 1})
    assert made.status == 201
    (listed,) = get(app)["rules"]
    assert listed == made.json() == get(app, f"/{listed['id']}")
    assert {name: listed[name] for name in ("system", "kind", "operation", "skip", "when", "state", "holding")} == {
        **DROP,
        "skip": 1,
        "when": "once",
        "state": "waiting",
        "holding": [],
    }
    assert listed["parameters"] == {"at": "after", "how": "close"}
    assert listed["match"] == {"key": "clientid=7"}
    assert delete(app, f"/{listed['id']}").json() == {"removed": 1}
    assert delete(app, f"/{listed['id']}").status == 404
    assert get(app)["rules"] == []


def test_one_call_removes_everything(app: ASGIApp) -> None:
    for operation in ("AddOrder", "AcceptOrder", "Get*"):
        send_json(app, URL, {**DROP, "operation": operation})
    assert delete(app).json() == {"removed": 3}
    assert get(app) == {"rules": []}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "system: Field required"),
        ({**DROP, "kind": "gremlins"}, "There is no kind gremlins; the kinds are latency, hold"),
        ({**DROP, "system": "sap"}, "There is no system sap"),
        (
            {**DROP, "operation": "AddOder"},
            "AddOder is no operation of whmcs that drop can strike; there are AddClient",
        ),
        ({**DROP, "operation": "module.create"}, "module.create is no operation of whmcs that drop can strike"),
        ({"system": "whmcs", "kind": "module_failure", "operation": "AcceptOrder"}, "there are module.create"),
        ({"system": "salesforce", "kind": "row_lock", "operation": "sobjects.update Order"}, "record.create"),
        ({"system": "salesforce", "kind": "session_expired", "operation": "token"}, "no operation of salesforce"),
        ({**DROP, "when": "never"}, "when: Input should be"),
        ({**DROP, "often": 3}, "often: Extra inputs are not permitted"),
        ({**DROP, "match": {"customer": "7"}}, "match.customer: Extra inputs are not permitted"),
        ({**DROP, "parameters": {"at": "never"}}, "at: Input should be 'before' or 'after'"),
        ({**DROP, "parameters": [1]}, "parameters: Input should be"),
        ({"system": "salesforce", "kind": "session_expired", "when": "now", "parameters": {"scope": "call"}}, "scope"),
        ({"system": "pubsub", "kind": "refused", "parameters": {"code": "service.tired"}}, "code is none of"),
        ({"system": "pubsub", "kind": "refused", "parameters": {"status": "TIRED"}}, "status is none of"),
        ({"system": "pubsub", "kind": "stream_cut", "parameters": {"status": "TIRED"}}, "status is none of"),
        ({"system": "pubsub", "kind": "new_schema", "parameters": {"topic": "/event/No__e"}}, "/event/No__e"),
        ({"system": "pubsub", "kind": "new_schema", "parameters": {"add": {"OrderId__c": "string"}}}, "OrderId__c"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_and_changes_nothing(
    app: ASGIApp, world: World, body: dict[str, Any], words: str
) -> None:
    before = len(world.ledger.read())
    refused = send_json(app, URL, body)
    assert refused.status == 422
    assert words in refused.json()["error"]
    assert get(app) == {"rules": []}
    assert len(world.ledger.read()) == before


def test_a_body_that_is_no_object_is_refused(app: ASGIApp) -> None:
    bodies: list[bytes] = [b"[]", b"{", b"\xff"]
    headers = {"content-type": "application/json"}
    assert [send(app, "POST", URL, headers=headers, chunks=[body]).status for body in bodies] == [400] * 3


def test_a_page_from_elsewhere_can_make_nothing_fail(app: ASGIApp) -> None:
    headers = {"content-type": "application/json", "origin": "https://evil.example"}
    for path in ("", "/presets/whmcs-down", "/clear"):
        assert send(app, "POST", URL + path, headers=headers, chunks=[json.dumps(DROP).encode()]).status in (403, 405)
    assert get(app) == {"rules": []}


@pytest.mark.parametrize("count", ["all", 0, -1, True, 1.5])
def test_what_is_released_is_counted_in_calls(app: ASGIApp, count: object) -> None:
    rule = send_json(app, URL, {"system": "whmcs", "kind": "hold"}).json()["id"]
    assert send_json(app, f"{URL}/{rule}/release", {"count": count}).status == 422
    assert send_json(app, f"{URL}/{rule}/release").json() == {"released": 0}
    assert send_json(app, f"{URL}/f999/release").status == 404


def test_the_operations_are_those_of_the_code(app: ASGIApp) -> None:
    found = get(app, "/operations")
    assert {"token", "query", "composite", "sobjects.create Order", "versions"} <= set(found["salesforce"]["calls"])
    assert {"AddOrder", "AcceptOrder", "sso.redeem"} <= set(found["whmcs"]["calls"])
    assert {"module.create", "connect"} <= set(found["whmcs"]["inside"])
    assert {"Subscribe", "GetSchema", "Publish"} <= set(found["pubsub"]["calls"])
    assert {"activate", "usage"} <= set(found["esim"]["calls"])
    assert found["mail"]["calls"] == ["HELO", "MAIL", "RCPT", "message.accept"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_can_strike_something_in_each_of_its_systems(world: World, kind: Any) -> None:
    names = operations(world)
    for system in kind.systems:
        assert reachable(names[system], kind), f"{kind.kind} strikes nothing in {system}"


def test_every_kind_is_explained_with_its_parameters(app: ASGIApp) -> None:
    kinds = {each["kind"]: each for each in get(app, "/kinds")["kinds"]}
    assert kinds.keys() == KINDS.keys()
    assert kinds["drop"]["parameters"]["at"]["enum"] == ["before", "after"]
    assert "\n" not in kinds["hold"]["explanation"]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_stands(app: ASGIApp, name: str) -> None:
    made = send_json(app, f"{URL}/presets/{name}")
    assert made.status == 201
    assert len(made.json()["rules"]) == len(PRESETS[name].specs)
    assert len(get(app)["rules"]) == len(PRESETS[name].specs)


def test_presets_say_what_they_do(app: ASGIApp) -> None:
    shown = {each["name"]: each for each in get(app, "/presets")["presets"]}
    assert shown.keys() == PRESETS.keys()
    assert shown["whmcs-loses-add-order"]["rules"] == [{**DROP, "parameters": {"at": "after"}}]
    refused = send_json(app, f"{URL}/presets/everything")
    assert refused.status == 404
    assert "whmcs-loses-add-order" in refused.json()["error"]


def test_the_documentation_says_of_kinds_and_presets_what_the_code_says() -> None:
    page = (Path(__file__).parents[3] / "docs" / "faults.md").read_text(encoding="utf-8")
    for kind in KINDS.values():
        parameters = ", ".join(f"`{name}`" for name in kind.model_fields) or "–"
        assert f"| `{kind.kind}` | {', '.join(kind.systems)} | {parameters} | {explanation(kind)} |" in page
    for preset in PRESETS.values():
        assert f"| `{preset.name}` | {preset.title}. {preset.explanation} |" in page


def silent(world: World) -> bool:
    return world.switchboard.muted


def test_rules_are_part_of_the_state_and_go_with_it(app: ASGIApp, world: World) -> None:
    send_json(app, URL, {**DROP, "when": "always"})
    send_json(app, URL, {"system": "pubsub", "kind": "stream_silent"})
    assert silent(world)
    state = send(app, "GET", "/control/state/export").body
    assert send_json(app, "/control/state/reset").status == 200
    assert get(app) == {"rules": []}
    assert not silent(world)
    assert send(app, "POST", "/control/state/import", chunks=[state]).status == 200
    assert [each["kind"] for each in get(app)["rules"]] == ["drop", "stream_silent"]
    assert world.faults.concern("whmcs")
    assert silent(world)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
nonsense = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
fields = ("operation", "parameters", "match", "when", "times", "probability", "seed", "skip", "nth", "expires_s", "x")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    system=st.sampled_from(["whmcs", "salesforce", "pubsub", "mail", "esim", "sap"]),
    kind=st.sampled_from([*KINDS, "gremlins"]),
    more=st.dictionaries(st.sampled_from(fields), nonsense, max_size=4),
)
def test_whatever_is_sent_makes_a_rule_or_gets_a_sentence(
    app: ASGIApp, system: str, kind: str, more: dict[str, Any]
) -> None:
    reply = send_json(app, URL, {"system": system, "kind": kind, **more})
    assert reply.status in (201, 422)
    if reply.status == 422:
        assert reply.json()["error"]
