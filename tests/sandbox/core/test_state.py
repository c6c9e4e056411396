"""The whole state as a file: there and back again, into another folder, and never by half."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.config import Config
from sandbox.salesforce.events import PROVISION_TOPIC
from sandbox.salesforce.logins import WrongPassword
from sandbox.salesforce.seed import AGENT_USERNAME, INTEGRATION_USERNAME
from sandbox.whmcs.api import Call, answer
from sandbox.whmcs.php import nest
from sandbox.world import World
from tests.sandbox.core.conftest import Control
from tests.sandbox.whmcs.asgi import send

AIKO = "愛子 \ud83d🍎"
ADD_CLIENT = {
    "identifier": "sandbox-identifier",
    "secret": "sandbox-secret",
    "action": "AddClient",
    "firstname": "Aiko",
    "lastname": "Tanaka",
    "email": "aiko@example.jp",
    "country": "JP",
    "password2": "a-random-one",
    "skipvalidation": "1",
    "noemail": "1",
}


@pytest.fixture
def busy(world: World) -> World:
    """A world in which something happened in every system."""
    account = world.org.create("Account", {"Name": AIKO}, world.org.user_named(AGENT_USERNAME))
    event = {"OrderId__c": account, "CreatedDate": 1, "CreatedById": "005"}
    world.bus.publish(PROVISION_TOPIC, event)
    client, _ = answer(world.whmcs, Call(nest(ADD_CLIENT.items()), "127.0.0.1", "c-1"))
    assert client["result"] == "success"
    world.mailbox.receive("shop@example.jp", ["aiko@example.jp"], b"Subject: Hello\r\n\r\n\xff")
    with pytest.raises(WrongPassword):
        world.logins.by_password(INTEGRATION_USERNAME, "not the password")
    world.clock.advance(timedelta(days=5))
    return world


@pytest.fixture
def other(tmp_path: Path) -> Iterator[World]:
    """A second sandbox in a folder of its own."""
    with closing(World(Config(state=tmp_path / "other"))) as opened:
        yield opened


def exported(world: World, query: str = "") -> list[dict[str, Any]]:
    text = Control(world).get(f"/control/state/export{query}").body
    return [json.loads(line) for line in text.splitlines()]


def load(world: World, lines: list[dict[str, Any]] | bytes) -> tuple[int, dict[str, Any]]:
    body = lines if isinstance(lines, bytes) else b"\n".join(json.dumps(line).encode() for line in lines)
    reply = send(Control(world).app, "POST", "/control/state/import", chunks=[body[:1000], body[1000:]])
    return reply.status, reply.json()


def contents(world: World, query: str = "") -> list[dict[str, Any]]:
    """What an export says, without when it was made."""
    header, *lines = exported(world, query)
    return [{**header, "exported_at": ""}, *lines]


def test_a_state_read_into_another_folder_is_the_same_state(busy: World, other: World) -> None:
    before = exported(busy)
    assert load(other, before)[0] == 200
    after = contents(other)
    noted = [line for line in after if line.get("row", {}).get("operation") == "state.import"]
    assert len(noted) == 1
    assert [line for line in after[1:-1] if line not in noted] == before[1:-1]
    assert abs(after[0]["offset_s"] - 5 * 86400) < 1
    (account,) = [each for each in other.org.records("Account") if each["Name"] == AIKO]
    (event,) = other.bus.after(PROVISION_TOPIC, 0, 10)
    assert other.schemas.decode(event.schema_id, event.payload)["OrderId__c"] == account["Id"]
    assert other.whmcs.clients.find("email", "AIKO@example.jp")[0].firstname == "Aiko"
    assert other.mailbox.newest_first()[0].raw.endswith(b"\xff")


def test_life_goes_on_in_a_state_that_was_read(busy: World, other: World) -> None:
    load(other, exported(busy))
    agent = busy.org.user_named(AGENT_USERNAME)
    made = [world.org.create("Account", {"Name": "New"}, agent) for world in (busy, other)]
    assert made[0] == made[1]
    other.close()
    with closing(World(other.config)) as again:
        assert again.org.existing("Account", made[1])["Name"] == "New"
        assert again.clock.offset > timedelta(days=4)


def test_without_its_ledger_a_state_leaves_the_ledger_of_the_other(busy: World, other: World) -> None:
    other.ledger.write("whmcs", "AddOrder", key="9")
    assert load(other, exported(busy, "?ledger=no"))[0] == 200
    assert [each.operation for each in other.ledger.read() if each.system in ("whmcs", "sandbox")] == [
        "AddOrder",
        "state.import",
    ]
    assert load(other, exported(busy))[0] == 200
    assert other.ledger.read("whmcs", "AddOrder") == []
    assert len(other.ledger.read("whmcs", "AddClient")) == 1
    with pytest.raises(Exception, match="append-only"):
        other.ledger._db.execute("DELETE FROM entries")


WRONG: list[tuple[str, Any]] = [
    ("line 1: this is not the first line", lambda lines: lines[1:]),
    ("version 2", lambda lines: [{**lines[0], "version": 2}, *lines[1:]]),
    ("line 1: no clock", lambda lines: [{**lines[0], "offset_s": 1e18}, *lines[1:]]),
    ("without saying that this is its end", lambda lines: lines[:-1]),
    ("lines before this one", lambda lines: [*lines[:-2], lines[-1]]),
    ("there is more behind the end", lambda lines: [*lines, lines[1]]),
    ("there is no store sap", lambda lines: _with(lines, {"store": "sap", "counter": "x", "value": 1})),
    ("no records of kind Ghost__c", lambda lines: _with(lines, _record("Ghost__c", {}))),
    ("is taken by 001", lambda lines: _with(lines, _record("Account", {"SF_Account_No__c": "104882"}))),
    ("there is no database tape", lambda lines: _with(lines, {"database": "tape", "table": "x", "row": {}})),
    ("differ by replay", lambda lines: _with(lines, _without(lines, "replay"))),
    ("UNIQUE constraint failed", lambda lines: _with(lines, next(each for each in lines if "database" in each))),
    ("neither a record", lambda lines: _with(lines, {"file": "../ca.pem", "text": "{}"})),
    ("neither a record", lambda lines: _with(lines, {"hello": 1})),
    ("line 1: Expecting value", lambda _: b"PK\x03\x04 not this"),
    ("line 1", lambda _: b"\xff\xfe\x00"),
    ("this is no JSON object", lambda _: b"[]"),
    ("the file ends after line 0", lambda _: b""),
]


def _with(lines: list[dict[str, Any]], line: dict[str, Any]) -> list[dict[str, Any]]:
    return [*lines[:-1], line, {"end": len(lines)}]


def _record(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    return {"store": "salesforce", "kind": kind, "key": "x", "record": record}


def _without(lines: list[dict[str, Any]], column: str) -> dict[str, Any]:
    line = next(each for each in lines if each.get("database") == "bus")
    return {**line, "row": {name: cell for name, cell in line["row"].items() if name != column}}


def live_on(world: World) -> str:
    """Something more happens in every file of a world; the new account's id."""
    world.bus.publish(PROVISION_TOPIC, {"OrderId__c": "later", "CreatedDate": 2, "CreatedById": "005"})
    world.mailbox.receive("shop@example.jp", ["ben@example.jp"], b"Subject: Later")
    return world.org.create("Account", {"Name": "Later"}, world.org.user_named(AGENT_USERNAME))


@pytest.mark.parametrize(("sentence", "spoil"), WRONG, ids=[sentence for sentence, _ in WRONG])
def test_a_file_that_is_wrong_anywhere_changes_nothing(busy: World, sentence: str, spoil: Any) -> None:
    lines = spoil(exported(busy))
    live_on(busy)
    before = contents(busy)
    status, said = load(busy, lines)
    assert status == 400
    assert sentence in said["error"]
    assert contents(busy)[1:] == before[1:]
    assert busy.org.create("Account", {"Name": "New"}, busy.org.user_named(AGENT_USERNAME))


def test_no_id_is_given_twice_after_a_file_that_was_refused(busy: World) -> None:
    cut = exported(busy)[:-1]
    newest = live_on(busy)
    assert load(busy, cut)[0] == 400
    busy.close()
    with closing(World(busy.config)) as again:
        assert live_on(again) > newest


def test_beginning_anew_brings_back_the_first_day(busy: World, other: World) -> None:
    control = Control(busy)
    seen = len(busy.ledger.read())
    assert control.post("/control/state/reset").status == 200
    assert [each["Name"] for each in busy.org.records("Account")] == [
        each["Name"] for each in other.org.records("Account")
    ]
    assert len(busy.whmcs.clients) == len(busy.mailbox.newest_first()) == busy.bus.latest() == 0
    assert busy.clock.offset == timedelta()
    assert len(busy.ledger.read()) == seen + 1
    assert control.post("/control/state/reset", {"ledger": True}).status == 200
    assert [each.operation for each in busy.ledger.read()] == ["state.reset"]
    assert control.post("/control/state/reset", {"everything": True}).status == 400


def test_keys_stay_with_their_folder(busy: World) -> None:
    folder = busy.config.state
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".pem", ".key")}
    Control(busy).post("/control/state/reset")
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".pem", ".key")} == before


def test_a_foreign_page_cannot_replace_the_state(world: World) -> None:
    before = contents(world)
    headers = {"origin": "https://evil.example"}
    body = b"\n".join(json.dumps(line).encode() for line in exported(world))
    for action, sent in (("import", body), ("reset", b"{}")):
        reply = send(Control(world).app, "POST", f"/control/state/{action}", headers=headers, chunks=[sent])
        assert reply.status == 403
    assert contents(world)[1:] == before[1:]
