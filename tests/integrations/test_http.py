"""One call over the wire: what each fault of the other side becomes, and what is never done."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from urllib3.connection import HTTPSConnection

from integrations import correlation
from integrations.errors import Misconfigured, OutsideError, Unavailable, UnknownOutcome
from integrations.failpoints import arm
from integrations.http import Caller, session
from sandbox.authority import open_authority
from tests.integrations.conftest import Recorded
from tests.integrations.far_side import Behaviour, FarSide, answer, cut_short, hang_up, reset

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"


def post(caller: Caller, url: str, *, repeatable: bool, deadline_s: float = 5) -> requests.Response:
    return caller.call(
        "AddOrder",
        lambda: caller.session(repeatable=repeatable).post(url, data={"secret": "s3cret"}),
        deadline_s=deadline_s,
        repeatable=repeatable,
    )


def fault_of(caller: Caller, url: str, *, repeatable: bool, deadline_s: float = 5) -> OutsideError:
    with pytest.raises(OutsideError) as caught:
        post(caller, url, repeatable=repeatable, deadline_s=deadline_s)
    return caught.value


def test_an_answer_is_given_and_recorded_once(caller: Caller, far: FarSide, recorded: Recorded) -> None:
    far.will(answer(b'{"a": 1}', "201 Created"))
    assert post(caller, far.url, repeatable=False).json() == {"a": 1}
    assert recorded.calls == [("AddOrder", "ok", 201)]


def test_the_correlation_id_goes_along(caller: Caller, far: FarSide) -> None:
    far.will(answer())
    with correlation.bound("0198-correlated"):
        post(caller, far.url, repeatable=True)
    assert b"X-Correlation-ID: 0198-correlated" in far.requests[0]


@pytest.mark.parametrize("behaviour", [reset, hang_up, cut_short])
@pytest.mark.parametrize(("repeatable", "kind"), [(True, Unavailable), (False, UnknownOutcome)])
def test_an_answer_lost_after_sending_is_unknown_unless_it_may_be_repeated(
    caller: Caller, far: FarSide, recorded: Recorded, behaviour: Behaviour, repeatable: bool, kind: type[OutsideError]
) -> None:
    far.will(behaviour)
    error = fault_of(caller, far.url, repeatable=repeatable)
    assert (type(error), error.code) == (kind, "reset")
    assert recorded.calls[-1][:2] == ("AddOrder", "http_error")
    assert len(far.requests) == 1  # nothing is sent again


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", HEAD])
@pytest.mark.parametrize(("repeatable", "kind"), [(True, Unavailable), (False, UnknownOutcome)])
def test_dripping_bytes_do_not_outlast_the_deadline(
    caller: Caller, far: FarSide, recorded: Recorded, first: bytes, repeatable: bool, kind: type[OutsideError]
) -> None:
    far.will(far.drip(first))
    error = fault_of(caller, far.url, repeatable=repeatable, deadline_s=0.3)
    assert (type(error), error.code) == (kind, "timeout")
    assert recorded.calls[-1][1] == "timeout"


def test_without_time_left_nothing_is_sent(caller: Caller, far: FarSide) -> None:
    error = fault_of(caller, far.url, repeatable=False, deadline_s=-1)
    assert (type(error), error.code) == (Unavailable, "timeout")
    assert far.requests == []


@pytest.fixture
def stand_still(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The process does not run for ten minutes (SIGSTOP, a laptop's lid); the system's clock does."""
    slept = 0.0

    def sleep() -> None:
        nonlocal slept
        slept = 600.0

    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + slept)
    monkeypatch.setattr("integrations.deadline.time", clock)
    monkeypatch.setattr("integrations.http.time", clock)
    return sleep


def test_who_stood_still_before_sending_sends_nothing_any_more(
    caller: Caller, far: FarSide, stand_still: Callable[[], None]
) -> None:
    with arm(f"{caller.system}.AddOrder:before=call", stand_still):
        error = fault_of(caller, far.url, repeatable=False)
    assert (type(error), error.code) == (Unavailable, "timeout")
    assert far.requests == []


def test_who_stood_still_while_connecting_sends_nothing_any_more(
    caller: Caller, far: FarSide, stand_still: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = HTTPSConnection.connect

    def connect_and_stand_still(connection: HTTPSConnection) -> None:
        connect(connection)
        stand_still()

    monkeypatch.setattr(HTTPSConnection, "connect", connect_and_stand_still)
    error = fault_of(caller, far.url, repeatable=False)
    assert (type(error), error.code) == (Unavailable, "timeout")
    assert not any(far.requests)


def test_a_refused_connection_means_that_nothing_happened(caller: Caller, recorded: Recorded) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = fault_of(caller, f"https://localhost:{port}", repeatable=False)
    assert (type(error), error.code) == (Unavailable, "no_connection")
    assert recorded.calls == [("AddOrder", "refused", None)]


def test_a_certificate_of_another_authority_is_refused(far: FarSide, recorded: Recorded, tmp_path: Path) -> None:
    stranger = open_authority(tmp_path)
    caller = Caller(system="whmcs", recorder=recorded, ca_bundle=str(stranger.ca))
    error = fault_of(caller, far.url, repeatable=False)
    assert (type(error), error.code) == (Misconfigured, "certificate")
    assert far.requests == []
    assert recorded.calls == [("AddOrder", "refused", None)]


def test_the_usual_authorities_do_not_vouch_for_a_private_one(recorded: Recorded, far: FarSide) -> None:
    assert fault_of(Caller(system="whmcs", recorder=recorded), far.url, repeatable=False).code == "certificate"


def test_an_oversized_body_is_not_read_to_its_end(far: FarSide, recorded: Recorded) -> None:
    caller = Caller(system="whmcs", recorder=recorded, ca_bundle=str(far.ca), max_bytes=1000)
    far.will(answer(b"x" * 1001), answer(b"x" * 1000))
    assert (fault_of(caller, far.url, repeatable=False).code, recorded.calls[-1][1]) == ("too_large", "bad_body")
    assert len(post(caller, far.url, repeatable=False).content) == 1000


def test_a_redirect_is_not_followed(caller: Caller, far: FarSide) -> None:
    far.will(answer(b"", "302 Found", headers=(f"Location: {far.url}/elsewhere",)))
    assert post(caller, far.url, repeatable=True).status_code == 302
    assert len(far.requests) == 1


def test_nothing_but_https_is_spoken(caller: Caller, far: FarSide) -> None:
    error = fault_of(caller, far.url.replace("https", "http"), repeatable=True)
    assert (type(error), error.code) == (Misconfigured, "address")


def test_the_environment_changes_neither_proxy_nor_authorities(
    caller: Caller, far: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://localhost:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    far.will(answer())
    assert post(caller, far.url, repeatable=True).ok


def test_cookies_are_not_kept(caller: Caller, far: FarSide) -> None:
    far.will(answer(headers=("Set-Cookie: who=aiko; Path=/",)))
    post(caller, far.url, repeatable=True)
    post(caller, far.url, repeatable=True)
    assert b"aiko" not in far.requests[1]


def test_what_must_not_be_repeated_goes_over_a_connection_of_its_own(caller: Caller, far: FarSide) -> None:
    far.will(answer())
    post(caller, far.url, repeatable=False)
    assert b"Connection: close" in far.requests[0]


def test_the_guard_speaks_before_anything_is_sent(far: FarSide, recorded: Recorded) -> None:
    def forbidden() -> None:
        raise RuntimeError("remote call inside a transaction")

    caller = Caller(system="whmcs", recorder=recorded, ca_bundle=str(far.ca), guard=forbidden)
    with pytest.raises(RuntimeError, match="inside a transaction"):
        post(caller, far.url, repeatable=True)
    assert far.requests == []


def test_a_session_works_within_a_call_only(far: FarSide) -> None:
    with pytest.raises(RuntimeError, match=r"Caller\.call only"):
        session(ca_bundle=str(far.ca)).get(far.url)


def test_a_bundle_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"missing\.pem does not exist"):
        Caller(system="whmcs", recorder=Recorded(), ca_bundle="/nowhere/missing.pem")


def test_an_error_shows_neither_address_nor_body(caller: Caller, far: FarSide) -> None:
    far.will(reset)
    error = fault_of(caller, far.url + "/?q=SELECT+Email", repeatable=False)
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert "SELECT" not in str(error)
