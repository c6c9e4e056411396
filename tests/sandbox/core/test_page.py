"""docs/sandbox.md against the sandbox: its examples work, and what it names is there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from starlette.routing import BaseRoute, Mount, Route

from sandbox import arguments, people, serving
from sandbox.config import Config
from sandbox.esim.api import OPERATIONS
from sandbox.faults.kinds import KINDS
from sandbox.world import World

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    """The fenced block behind a comment of this name."""
    match = re.search(rf"<!-- {name} -->\n```json\n(.*?)```", PAGE, re.DOTALL)
    assert match
    return match[1]


def paths(routes: list[BaseRoute], before: str = "") -> Iterator[str]:
    for each in routes:
        if isinstance(each, Mount):
            yield from paths(each.routes, before + each.path)
        elif isinstance(each, Route):
            yield before + each.path


def test_its_schema_file_and_its_seed_file_start_a_sandbox(state: Path, tmp_path: Path) -> None:
    for name in ("schema", "seed"):
        (tmp_path / name).write_text(block(f"a {name} file"), encoding="utf-8")
    config = Config(state=state, schemas=(tmp_path / "schema",), seeds=(tmp_path / "seed",), seed_data="none")
    world = World(config)
    (account,) = world.org.records("Account")
    assert (account["Region__c"], account["Phone"]) == ("Kanto", "+81 3-5550-0100")
    assert "/event/Sample__e" in world.topics.names()
    (order,) = world.whmcs.orders.all()
    assert order.amount == "8250.00"
    world.close()


def test_every_option_it_names_is_one() -> None:
    known = arguments._parser().format_help()
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE)) - {"--require-hashes", "--cacert", "--data-urlencode"}
    assert len(named) > 10
    assert [each for each in named if f"{each} " not in known and f"{each}\n" not in known] == []


def test_every_address_it_names_below_control_answers(world: World) -> None:
    known = {re.sub(r"\{[^}]+\}", "*", each) for each in paths(people.app(world).routes)}
    named = set(re.findall(r"/control((?:/[a-z-]+)+)", PAGE))
    for verbs, rest in re.findall(r"^\| `((?:GET|POST)[^|]*)` \|(.*)$", PAGE, re.MULTILINE):
        calls = re.sub(r"`[^`|]*`", lambda match: match[0].strip("`"), f"{verbs}|{rest}".split("|")[0])
        base = ""
        for word in re.sub(r"\b(?:GET|POST)\b|`|\?\S*", " ", calls).replace(",", " ").split():
            base = word.rsplit("/", 1)[0] if word.startswith("/") else base
            named.add(word if word.startswith("/") else f"{base}/{word}")
    plain = {re.sub(r"/(?:ID|NUMBER)\b", "/*", each) for each in named}
    order_actions = {each for each in plain if each.startswith("/desk/orders/*/")}
    assert order_actions == {f"/desk/orders/*/{name}" for name in ("approve", "cancel", "fail", "activate")}
    assert {f"/control{each}" for each in plain - order_actions} <= known


def test_it_names_every_address_of_the_esim_provider() -> None:
    part = PAGE[PAGE.index("## The eSIM provider") : PAGE.index("## Your own objects")]
    named = {each.partition("?")[0] for each in re.findall(r"`(/v1/[^`]+)`", part)}
    assert named == {path for _, path, _ in OPERATIONS.values()}


def test_every_key_of_ready_it_names_is_there(world: World) -> None:
    tables = [part.split("\n\n")[0] for part in PAGE.split("| key in `ready` |")[1:]]
    last_cells = [line.rsplit("|", 2)[1] for table in tables for line in table.splitlines() if line.count("|") > 2]
    named = {key for cell in last_cells for key in re.findall(r"`([a-z_]+)`", cell)}
    assert len(named) > 12
    assert named <= serving._facts(world).keys()


def test_it_names_every_kind_of_fault() -> None:
    part = PAGE[PAGE.index("| where | kinds |") :].split("\n\n")[0]
    assert set(re.findall(r"`([a-z_]+)`", part)) == KINDS.keys()


def test_the_shapes_it_shows_are_json() -> None:
    for body in re.findall(r"-d '(\{[^']*\})'", PAGE):
        json.loads(body)
