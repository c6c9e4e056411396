"""Anything sent to the eSIM provider, the desk or the control port is answered, and never by a mistake of ours."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from sandbox import people
from sandbox.config import Config
from sandbox.esim import api as esim
from sandbox.world import World
from tests.sandbox.whmcs.asgi import ORIGIN, send

WORDS = st.text(max_size=30) | st.sampled_from(
    ["1", "0", "-1", "9" * 30, "Order", "801000000000000AAA", "T00000001", ""]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
ESIM = ("line_ref", "order_ref", "plan", "eid", "msisdn", "mnp", "package", "reason", "new_eid", "bytes", "installed")
DESK = (
    "status",
    "value",
    "error",
    "times",
    "system",
    "kind",
    "operation",
    "when",
    "topic",
    "fields",
    "to",
    "q",
    "page",
)
NAMES = st.sampled_from((*ESIM, *DESK, "processing_s", "capabilities", "notice"))
# What ends or replaces the world of the test, and what waits for hours by design.
NOT_HERE = ("/control/state/", "/control/clock")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        opened = World(Config(state=Path(folder)))
        yield opened
        opened.close()


def addresses(routes: list[BaseRoute], below: str = "") -> Iterator[str]:
    """The patterns of all addresses, `{name}` standing for a part that varies."""
    for route in routes:
        if isinstance(route, Mount):
            yield from addresses(list(route.routes), below + route.path)
        elif isinstance(route, Route):
            yield below + route.path


def filled(pattern: str, words: list[str]) -> str:
    """The pattern with words in place of what varies."""
    parts = [
        quote(words[n % len(words)], safe="") if "{" in each else each for n, each in enumerate(pattern.split("/"))
    ]
    return "/".join(parts)


def sent(app: Starlette, method: str, url: str, body: bytes, headers: dict[str, str]) -> int:
    return send(app, method, url, headers=headers, chunks=[body]).status


@pytest.mark.parametrize("which", ["esim", "people"])
def test_anything_is_answered(world: World, which: str) -> None:
    app = esim.app(world) if which == "esim" else people.app(world)
    patterns = [each for each in addresses(list(app.routes)) if not each.startswith(NOT_HERE)]
    assert len(patterns) > 10
    key = {"authorization": f"Bearer {world.esim.settings.api_key}", "idempotency-key": "k"} if which == "esim" else {}

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(
        pattern=st.sampled_from(patterns),
        method=st.sampled_from(["GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD"]),
        words=st.lists(WORDS, min_size=1, max_size=3),
        query=st.dictionaries(NAMES, WORDS, max_size=2),
        body=st.dictionaries(NAMES | WORDS, VALUES, max_size=4).map(lambda each: json.dumps(each).encode())
        | st.binary(max_size=60),
        kind=st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain"]),
    )
    def each(pattern: str, method: str, words: list[str], query: dict[str, str], body: bytes, kind: str) -> None:
        asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        headers = {**key, "content-type": kind, "origin": ORIGIN}
        status = sent(app, method, f"{filled(pattern, words)}?{asked}", body, headers)
        assert status < 500 or (which == "esim" and status == 503), (method, pattern, words, query, body)

    each()
