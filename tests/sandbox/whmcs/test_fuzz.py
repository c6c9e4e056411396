"""Whatever is sent to the endpoint is answered in WHMCS' shape, and what is refused has changed nothing."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus
from xml.etree import ElementTree

import phpserialize
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.config import Config
from sandbox.whmcs import actions, api
from sandbox.whmcs.actions.documented import documented
from sandbox.whmcs.cards import add_card
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Reply, send
from tests.sandbox.whmcs.conftest import CREDENTIALS
from tests.sandbox.whmcs.php_arrays import packed
from tests.sandbox.whmcs.wire import AIKO, FORM, URL, post

ORDER = {"action": "AddOrder", "clientid": 1, "paymentmethod": "stripe", "pid[0]": 101, "pid[1]": 191}
EVERYTHING: list[dict[str, Any]] = [
    AIKO,
    ORDER,
    ORDER,
    {"action": "AcceptOrder", "orderid": 1},
    {"action": "AddInvoicePayment", "invoiceid": 1, "transid": "t", "gateway": "stripe", "date": "2026-11-21"},
    {"action": "AddCredit", "clientid": 1, "description": "x", "amount": "500"},
    {"action": "AddCancelRequest", "serviceid": 1},
    {"action": "AddBillableItem", "clientid": 1, "description": "x", "amount": "5", "unit": "quantity"},
    {"action": "AddContact", "clientid": 1, "email": "c@example.jp"},
    {"action": "AddUser", "firstname": "D", "lastname": "M", "email": "d@example.jp", "password2": "x"},
    {"action": "OpenTicket", "clientid": 1, "deptid": 1, "subject": "x", "message": "y"},
    {"action": "AddTicketReply", "clientid": 1, "ticketid": 1, "message": "z"},
    {"action": "AddTicketNote", "ticketid": 1, "message": "z"},
    {"action": "OpenTicket", "name": "G", "email": "g@example.jp", "deptid": 2, "subject": "x", "message": "y"},
    {"action": "LogActivity", "clientid": 1, "description": "x"},
    {"action": "CreateOAuthCredential", "grantType": "authorization_code", "scope": "openid", "name": "x"},
]
# A module, a bank or an automation that says no may leave a trace of the attempt behind.
LEAVES_TRACES = frozenset(
    {"AcceptOrder", "CapturePayment", *(name for name in documented() if name.startswith("module"))}
)
TRACED = frozenset(name.lower() for name in LEAVES_TRACES)

IDS = st.sampled_from(["1", "1", "1", "2", "3", "0", "-1", "99", "9" * 30, "1e3", " 1", "1 OR 1=1", "0x1", "true", "٣"])
PLAIN = ["", "false", "None", "undefined", "Active", "Closed", "Pending", "Paid", "monthly", "stripe", "on", "DESC"]
HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE records; --",
    "%00",
    "\x00",
    "😀" * 40,
    "{$client_name}",
    "x" * 9000,
]
PLACES = ["aiko@example.jp", "new@example.jp", "x@", "http://evil.example/", "//evil.example", "../../etc/passwd"]
WORDS = st.sampled_from([*PLAIN, *HOSTILE, *PLACES, "株式会社"])
MOMENTS = st.sampled_from(
    [
        "2026-11-21",
        "2026-02-30",
        "0000-00-00",
        "9999-12-31",
        "0001-01-01",
        "-1 day",
        "21/11/2026",
        "2026-11-21T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-21 99:99:99",
        "1140",
    ]
)
AMOUNTS = st.sampled_from(
    [
        "0",
        "1",
        "-1",
        "1.005",
        "1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "1,000",
        "0.1e-9",
        "9" * 40,
        "99999999999.99999999",
    ]
)
TEXTS = IDS | IDS | WORDS | MOMENTS | AMOUNTS | st.text(max_size=20)
INNER = st.recursive(
    st.text(max_size=6) | st.integers(-5, 5) | st.booleans() | st.none() | st.floats(allow_nan=False),
    lambda deeper: st.dictionaries(st.integers(-1, 9000) | st.text(max_size=4), deeper, max_size=3),
    max_leaves=5,
)
ARRAYS = st.dictionaries(st.sampled_from([12, 5101, 5191, 1, 2, "optionid", "qty", "x"]), INNER, max_size=3)
NASTY = st.sampled_from(
    [b'O:8:"stdClass":0:{}', b"a:9999999:{", b'a:1:{i:0;s:9:"x";}', b"a:1:{i:0;" * 50, b"N;", b"i:1;"]
)
FILES = st.lists(
    st.dictionaries(st.sampled_from(["name", "data"]), st.sampled_from(["a", "eA==", "", 1, None]), max_size=2)
)
NO_FILES = st.sampled_from([b"7", b"null", b"{", b'"x"', b"[[]]", b'[{"name": {}, "data": []}]'])
ENCODED = (
    ARRAYS.map(lambda value: _packed(value))
    | (NASTY | NO_FILES).map(lambda raw: base64.b64encode(raw).decode())
    | FILES.map(lambda value: base64.b64encode(json.dumps(value).encode()).decode())
)
PACKED = frozenset({"customfields", "configoptions", "customvars", "attachments"})
SUFFIXES = st.sampled_from(
    [""] * 8 + ["[]", "[0]", "[1]", "[x]", "[-1]", "[0][qty]", "[" * 70, "[]" * 70, "[9223372036854775807]", ".", " "]
)


def _packed(value: dict[Any, Any]) -> str:
    with suppress(UnicodeEncodeError):
        return packed(value)
    return base64.b64encode(phpserialize.dumps({})).decode()


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]]]:
    """One action with parameters that it has, most of them, and values that it does not expect."""
    name = draw(st.sampled_from(sorted(actions.BY_NAME)))
    known = documented()[name]
    required, optional = list(known.required), [*known.optional, *known.deprecated, "limitstart", "limitnum", "notes"]
    names = [each for each in required if draw(st.integers(0, 9))] + draw(
        st.lists(st.sampled_from(optional), max_size=5)
    )
    packed_ones = (
        draw(st.lists(st.sampled_from([each for each in optional if each in PACKED]))) if PACKED & {*optional} else []
    )
    fields = [(each + draw(SUFFIXES), draw(TEXTS | TEXTS | ENCODED)) for each in names]
    return name, [*fields, *((each, draw(ENCODED)) for each in packed_ones)]


def urlencoded(fields: list[tuple[str, str]]) -> tuple[str, bytes]:
    pairs = (f"{quote_plus(name, errors='replace')}={quote_plus(value, errors='replace')}" for name, value in fields)
    return FORM, "&".join(pairs).encode()


def multipart(fields: list[tuple[str, str]]) -> tuple[str, bytes]:
    head = '--b0undary\r\nContent-Disposition: form-data; name="{}"\r\n\r\n'
    parts = [head.format(name.replace('"', "%22").replace("\x00", "")) + value + "\r\n" for name, value in fields]
    body = "".join([*parts, "--b0undary--\r\n"])
    return "multipart/form-data; boundary=b0undary", body.encode("utf-8", "replace")


class Undone(Exception):
    """Ends an example; the store goes back to where it was."""


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An installation that holds one of everything."""
    world = World(Config(state=tmp_path_factory.mktemp("fuzz")))
    endpoint = api.app(world)
    for call in EVERYTHING:
        assert b"success" in post(endpoint, call).body, call
    add_card(world.whmcs, 1, "4242424242424242", "12/40")
    yield world
    world.close()


def digest(world: World) -> str:
    """All records of the installation, in one number."""
    rows = world.whmcs.store.db.execute("SELECT kind, key, body FROM records ORDER BY made")
    sums = hashlib.sha256()
    for kind, key, body in rows:
        sums.update(b"%s\0%s\0%s\0" % (kind.encode(), str(key).encode(), body))
    return sums.hexdigest()


def check_shape(reply: Reply, kind: str) -> bool:
    """Whether the answer tells of success; fails for a body of no shape that WHMCS has."""
    assert reply.status in (200, 403)
    if kind == "json":
        answer = reply.json()
        verdict = answer.get("result") or answer["status"]
    elif kind == "xml":
        root = ElementTree.fromstring(reply.body)
        assert root.tag == "whmcsapi"
        verdict = root.findtext("result") or root.findtext("status")
    else:
        verdict = reply.text.partition(";")[0].partition("=")[2]
    assert verdict in ("success", "error")
    if verdict == "error" and kind == "json":
        assert set(reply.json()) == {"result", "message"}
        assert reply.json()["message"]
    return bool(verdict == "success")


FUZZ = settings(
    deadline=timedelta(seconds=5),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(FUZZ, max_examples=60)
@given(
    st.lists(calls(), min_size=8, max_size=16),
    st.sampled_from(["json", "json", "xml", ""]),
    st.sampled_from([urlencoded, urlencoded, multipart]),
)
def test_any_call_is_answered_and_a_refusal_changes_nothing(
    furnished: World, sent: list[tuple[str, list[tuple[str, str]]]], kind: str, encoding: Any
) -> None:
    endpoint = api.app(furnished)
    with suppress(Undone), furnished.whmcs.store.trial():
        for name, fields in sent:
            before = digest(furnished)
            access = {**CREDENTIALS, "responsetype": kind, "action": name}
            content_type, body = encoding([*fields, *access.items()])
            reply = send(endpoint, "POST", URL, headers={"content-type": content_type}, chunks=[body])
            if not check_shape(reply, kind) and name not in TRACED:
                assert digest(furnished) == before, f"{name} was refused and changed something"
        raise Undone


@settings(FUZZ, max_examples=150)
@given(
    st.binary(max_size=200) | calls().map(lambda call: urlencoded([("action", call[0]), *call[1]])[1]),
    st.sampled_from(
        [FORM, "multipart/form-data; boundary=b", "multipart/form-data", "application/json", "", "text/xml; charset=x"]
    ),
    st.sampled_from(["GET", "POST"]),
)
def test_bytes_that_are_no_call_are_refused_as_a_stranger(
    furnished: World, body: bytes, content_type: str, method: str
) -> None:
    before = digest(furnished)
    reply = send(api.app(furnished), method, URL, headers={"content-type": content_type}, chunks=[body, body])
    assert not check_shape(reply, "")
    assert (reply.status, digest(furnished)) == (403, before)
