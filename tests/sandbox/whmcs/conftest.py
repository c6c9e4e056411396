"""One fresh WHMCS and a way to call it as a client would."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlencode

import pytest
from starlette.types import ASGIApp

from sandbox.clock import Clock
from sandbox.config import Config
from sandbox.faults.book import Faults
from sandbox.ledger import Ledger
from sandbox.mail.mailbox import Mailbox
from sandbox.store import Store
from sandbox.whmcs import api
from sandbox.whmcs.api import Call, answer
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import parse_urlencoded
from sandbox.world import World
from tests.sandbox.whmcs.shop import NOON, Shop

CREDENTIALS = {"identifier": "sandbox-identifier", "secret": "sandbox-secret", "responsetype": "json"}

WhmcsCall: TypeAlias = Callable[..., dict[str, Any]]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def whmcs(state: Path) -> Iterator[Whmcs]:
    """An installation that answers in the documented shapes."""
    clock = Clock()
    store, ledger = Store(state / "whmcs.db"), Ledger(state / "ledger.db", clock)
    post, rules = Store(state / "mail.db"), Store(state / "faults.db")
    mailbox, faults = Mailbox(post, clock, ledger), Faults(rules, clock, ledger)
    installed = Whmcs(store, clock, ledger, Config(state=state), mailbox, faults)
    installed.configure(quirks="strict-docs")
    yield installed
    store.close()
    post.close()
    rules.close()
    ledger.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(Config(state=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def app(world: World) -> ASGIApp:
    return api.app(world)


@pytest.fixture
def call(whmcs: Whmcs) -> WhmcsCall:
    """call("AddOrder", {"pid[0]": 101}, clientid=1) goes through PHP's form decoding, as on the wire."""

    def post(action: str, fields: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        form = urlencode({**CREDENTIALS, "action": action, **(fields or {}), **more})
        payload, _ = answer(whmcs, Call(parse_urlencoded(form.encode()), "127.0.0.1", "corr-1"))
        return payload

    return post


@pytest.fixture
def aiko(call: WhmcsCall) -> int:
    """A client in good standing."""
    made = call(
        "AddClient",
        firstname="Aiko",
        lastname="Tanaka",
        email="aiko@example.jp",
        country="JP",
        password2="a-random-one",
        skipvalidation=1,
        noemail=1,
    )
    return int(made["clientid"])


@pytest.fixture
def shop(whmcs: Whmcs, call: WhmcsCall, aiko: int) -> Shop:
    """The installation at noon in Tokyo, with Aiko as its customer."""
    whmcs.clock.set(NOON)
    return Shop(whmcs, call, aiko)
