"""The page of faults, as a person without JavaScript uses it."""

import asyncio
import html
import re

import pytest

from sandbox import people
from sandbox.faults.kinds import KINDS
from sandbox.faults.kinds.base import Fault
from sandbox.faults.operations import operations
from sandbox.faults.presets import PRESETS
from sandbox.faults.rules import Offer, Spec
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Browser, Reply, words

HOME = "/faults/"


@pytest.fixture
def carol(world: World) -> Browser:
    return Browser(people.app(world))


def fields(page: Reply) -> dict[str, str]:
    """What a form sends when nobody touches it."""
    inputs = re.findall(r'<input [^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text)
    selects = re.findall(r'<select [^>]*name="([^"]+)">(.*?)</select>', page.text, re.DOTALL)
    chosen = {name: re.search(r'value="([^"]*)"( selected|>)', body) for name, body in selects}
    picked = {name: re.search(r'value="([^"]*)" selected', body) or chosen[name] for name, body in selects}
    filled = dict(inputs) | {name: match[1] for name, match in picked.items() if match}
    return {name: html.unescape(text) for name, text in filled.items()}


def send_form(carol: Browser, filled: dict[str, str]) -> Reply:
    made: Reply = carol.post(HOME, **filled)  # type: ignore[arg-type]
    return made


def test_it_says_that_nothing_stands_and_that_all_is_simulated(carol: Browser) -> None:
    page = carol.get(HOME)
    assert "No rule stands" in words(page)
    assert "Everything here is simulated" in words(page)
    assert 'href="/faults/" aria-current="page"' in page.text
    assert "<script" not in page.text


def test_a_preset_happens_and_is_shown_with_its_counters(carol: Browser, world: World) -> None:
    page = carol.post("/faults/presets/whmcs-loses-add-order")
    assert "WHMCS loses the answer of AddOrder: done." in words(page)
    assert "WHMCS · AddOrder · once" in words(page)
    assert "Offered / struck 0 / 0" in words(page)
    assert len(world.faults.all()) == 1
    assert "done." not in words(carol.get(HOME)).split("Rules", 1)[0]


def test_every_preset_and_every_kind_is_there_with_its_explanation(carol: Browser, world: World) -> None:
    page = carol.get(HOME)
    for preset in PRESETS.values():
        assert f'action="/faults/presets/{preset.name}"' in page.text
    for system in operations(world):
        for kind in KINDS.values():
            assert (f'value="{system}/{kind.kind}"' in page.text) == (system in kind.systems)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_form_of_each_kind_makes_a_rule_as_it_is(carol: Browser, world: World, kind: type[Fault]) -> None:
    system, name = kind.systems[0], kind.kind
    page = carol.get(f"/faults/new?fault={system}/{name}")
    assert page.status == 200
    filled = fields(page)
    if name == "redirect":
        filled["parameter-location"] = "http://127.0.0.1/"
    made = send_form(carol, filled)
    assert made.status == 200, words(made)
    (rule,) = world.faults.all()
    assert (rule.spec.system, rule.spec.kind) == (system, name)
    assert rule.fault == type(rule.fault)(**rule.fault.model_dump())


def test_everything_that_was_filled_in_is_in_the_rule(carol: Browser, world: World) -> None:
    made = send_form(
        carol,
        {
            "fault": "whmcs/latency",
            "operation": "Get*",
            "parameter-ms": "250",
            "parameter-at": "after",
            "match-key": "clientid=7",
            "when": "probability",
            "probability": "0.25",
            "seed": "11",
            "skip": "2",
            "times": "",
            "expires_s": "90",
        },
    )
    (rule,) = world.faults.all()
    assert f"rule {rule.id} stands" in words(made)
    assert rule.spec == Spec.model_validate(
        {
            "system": "whmcs",
            "kind": "latency",
            "operation": "Get*",
            "parameters": {"ms": "250", "at": "after"},
            "match": {"key": "clientid=7"},
            "when": "probability",
            "probability": 0.25,
            "seed": 11,
            "skip": 2,
            "expires_s": 90,
        }
    )
    assert rule.fault.model_dump() == {"ms": 250, "at": "after"}
    assert "with probability 0.25, seed 11 · after 2 calls" in words(made)


def test_what_cannot_be_is_said_beside_what_was_filled_in(carol: Browser, world: World) -> None:
    page = send_form(carol, {"fault": "whmcs/drop", "operation": "AddOder", "match-key": "<7>"})
    assert page.status == 422
    assert "AddOder is no operation of whmcs" in words(page)
    assert 'role="alert"' in page.text
    assert 'value="AddOder"' in page.text
    assert 'value="&lt;7&gt;"' in page.text
    assert world.faults.all() == []


def test_fields_that_are_no_json_are_said_to_be_none(carol: Browser) -> None:
    page = send_form(carol, {"fault": "pubsub/new_schema", "parameter-add": "{"})
    assert (page.status, "add is not JSON" in words(page)) == (422, True)


def test_rules_are_removed_one_by_one_or_all_at_once(carol: Browser, world: World) -> None:
    for _ in range(3):
        carol.post(HOME, fault="whmcs/drop")
    first, second, third = [rule.id for rule in world.faults.all()]
    assert "1 rule removed." in words(carol.post(f"/faults/{second}/remove"))
    assert [rule.id for rule in world.faults.all()] == [first, third]
    assert "2 rules removed." in words(carol.post("/faults/clear"))
    assert world.faults.all() == []


def test_held_calls_are_seen_and_released(carol: Browser, world: World) -> None:
    carol.post(HOME, fault="whmcs/hold")
    rule = world.faults.all()[0].id

    async def scene() -> None:
        held = asyncio.create_task(world.faults.holds.hold(rule, Offer("whmcs", "AddOrder")))
        await asyncio.sleep(0)
        page = await asyncio.to_thread(carol.get, HOME)
        assert f"Release 1 call held by rule {rule}" in words(page)
        world.faults.holds.release(rule)
        await held

    asyncio.run(scene())
    assert "0 calls released." in words(carol.post(f"/faults/{rule}/release"))


@pytest.mark.parametrize(
    "path", ["/faults/new?fault=whmcs/gremlins", "/faults/new?fault=mail/html", "/faults/new", "/faults/new?fault=x"]
)
def test_what_there_is_not_is_said_on_a_page_of_the_desk(carol: Browser, path: str) -> None:
    page = carol.get(path)
    assert (page.status, "There is no such fault." in words(page)) == (404, True)


@pytest.mark.parametrize("path", ["", "clear", "presets/whmcs-down", "{rule}/remove", "{rule}/release"])
def test_forms_of_other_pages_are_refused(carol: Browser, world: World, path: str) -> None:
    carol.post(HOME, fault="whmcs/drop")
    there = path.format(rule=world.faults.all()[0].id)
    assert carol.post(HOME + there, origin="https://evil.example", fault="whmcs/drop").status == 403
    assert len(world.faults.all()) == 1


def test_a_rule_that_is_gone_is_said_to_be_gone(carol: Browser) -> None:
    for path in ("f0/remove", "f0/release", "presets/everything"):
        assert carol.post(HOME + path).status == 404
