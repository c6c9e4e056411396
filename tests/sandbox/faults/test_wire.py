"""What each fault looks like to a client over TLS, and what the ledger says was done."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.faults import Faults
from tests.sandbox.faults.clients import Salesforce, Whmcs, is_json, wire
from tests.sandbox_process import Sandbox
from tests.waiting import until

_numbers = itertools.count(1)


@dataclass
class System:
    """A system with one operation, and the ledger's word for its being carried out."""

    name: str
    operation: str
    accepted: str
    sandbox: Sandbox
    send: Callable[[str, float], requests.Response]

    def call(self, correlation: str, timeout: float = 15) -> requests.Response:
        return self.send(correlation, timeout)

    def done(self, correlation: str) -> int:
        """How often the ledger says it was carried out."""
        return len(self.sandbox.ledger(system=self.name, operation=self.accepted, correlation_id=correlation))


@pytest.fixture(params=["whmcs", "salesforce", "esim"])
def system(request: pytest.FixtureRequest, sandbox_process: Sandbox, whmcs: Whmcs, salesforce: Salesforce) -> System:
    def products(correlation: str, timeout: float) -> requests.Response:
        return whmcs("GetProducts", correlation=correlation, timeout=timeout)

    def query(correlation: str, timeout: float) -> requests.Response:
        return salesforce("GET", "query?q=SELECT+Id+FROM+Product2", correlation=correlation, timeout=timeout)

    def activate(correlation: str, timeout: float) -> requests.Response:
        line = f"line-{next(_numbers)}"
        return whmcs.session.post(
            f"{sandbox_process.urls['esim_url']}/v1/activations",
            json={"line_ref": line, "order_ref": "SX-4F7K2M", "plan": "data-10"},
            headers={
                "Authorization": f"Bearer {sandbox_process.urls['esim_key']}",
                "Idempotency-Key": line,
                "X-Correlation-ID": correlation,
            },
            timeout=timeout,
            allow_redirects=False,
        )

    return {
        "whmcs": System("whmcs", "GetProducts", "GetProducts", sandbox_process, products),
        "salesforce": System("salesforce", "query", "query", sandbox_process, query),
        "esim": System("esim", "activate", "activate.accepted", sandbox_process, activate),
    }[request.param]


@pytest.fixture
def correlation() -> str:
    return f"wire-{next(_numbers)}"


def broken(call: Callable[[], requests.Response]) -> None:
    with pytest.raises(requests.ConnectionError):
        call()


def cut_off(call: Callable[[], requests.Response]) -> None:
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        call()


def answered(status: int, kind: str = "", body: str | None = None) -> Callable[[Callable[[], requests.Response]], None]:
    """An answer with this status, a Content-Type that begins so, and this text; anything, so long as it is no JSON."""

    def check(call: Callable[[], requests.Response]) -> None:
        answer = call()
        assert answer.status_code == status
        assert answer.headers.get("Content-Type", "").startswith(kind)
        assert not is_json(answer.text) if body is None else answer.text == body

    return check


def redirected(call: Callable[[], requests.Response]) -> None:
    answer = call()
    assert (answer.status_code, answer.headers["Location"]) == (307, "https://169.254.169.254/")


def huge(call: Callable[[], requests.Response]) -> None:
    answer = call()
    assert (answer.status_code, len(answer.content), is_json(answer.text)) == (200, 3_000_000, False)


def mislabelled(call: Callable[[], requests.Response]) -> None:
    answer = call()
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.json()


Look = Callable[[Callable[[], requests.Response]], None]
# Kind, parameters, what the client sees, whether the call is carried out.
TABLE: list[tuple[str, dict[str, Any], Look, bool]] = [
    ("drop", {"at": "before"}, broken, False),
    ("drop", {"at": "before", "how": "reset"}, broken, False),
    ("drop", {"at": "after"}, broken, True),
    ("drop", {"at": "after", "how": "reset"}, broken, True),
    ("html", {}, answered(503, "text/html"), False),
    ("html", {"status": 200, "at": "after"}, answered(200, "text/html"), True),
    ("http_error", {"status": 502}, answered(502, body=""), False),
    ("http_error", {"status": 500, "body": "boom", "at": "after"}, answered(500, "text/plain", "boom"), True),
    ("empty", {}, answered(200, body=""), False),
    ("empty", {"status": 504, "at": "after"}, answered(504, body=""), True),
    ("huge", {"size": 3_000_000}, huge, False),
    ("redirect", {"location": "https://169.254.169.254/", "status": 307}, redirected, False),
    ("truncate", {}, cut_off, True),
    ("truncate", {"keep": 0}, cut_off, True),
    ("content_type", {"content_type": "image/png"}, mislabelled, True),
]


@pytest.mark.parametrize(("kind", "parameters", "look", "done"), TABLE)
def test_a_fault_strikes_once_and_is_in_the_ledger(
    system: System, faults: Faults, correlation: str, kind: str, parameters: dict[str, Any], look: Look, done: bool
) -> None:
    rule = faults.add(system.name, kind, system.operation, parameters)
    look(lambda: system.call(correlation))
    assert system.done(correlation) == int(done)
    (act,) = system.sandbox.ledger(system="faults", operation=kind, key=rule.id)
    assert act["correlation_id"] == correlation
    assert act["detail"].items() >= {"rule": rule.id, "system": system.name, "operation": system.operation}.items()
    assert act["detail"].items() >= parameters.items()
    assert system.call(correlation).json()
    assert (rule.offered, rule.acted, rule.facts()["state"]) == (1, 1, "spent")
    assert system.done(correlation) == 1 + int(done)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_connection_is_refused_before_anything_is_said(
    system: System, faults: Faults, correlation: str, how: str
) -> None:
    assert system.call(correlation).ok  # a connection that could be used again
    rule = faults.add(system.name, "refuse", parameters={"how": how})
    broken(lambda: system.call(correlation))
    assert system.call(correlation).ok
    assert (rule.acted, system.done(correlation)) == (1, 2)


def test_a_closed_port_refuses_until_the_rule_is_gone(system: System, faults: Faults, correlation: str) -> None:
    assert system.call(correlation).ok
    rule = faults.close_port(system.name)
    for _ in range(2):
        with pytest.raises(requests.ConnectionError, match="refused"):
            system.call(correlation)
    rule.remove()
    assert system.call(correlation).ok
    assert system.done(correlation) == 2


@pytest.mark.parametrize(("at", "done"), [("before", 0), ("after", 1)])
def test_a_slow_call_is_given_up_by_its_caller(
    system: System, faults: Faults, correlation: str, at: Any, done: int
) -> None:
    rule = faults.slow(system.name, system.operation, ms=600_000, at=at)
    with pytest.raises(requests.ReadTimeout):
        system.call(correlation, timeout=0.5)
    rule.struck()
    until(lambda: system.done(correlation) == done, what="the work to be done, or not")


@pytest.mark.parametrize("at", ["before", "after"])
def test_a_slow_call_comes_to_its_end(system: System, faults: Faults, correlation: str, at: Any) -> None:
    rule = faults.slow(system.name, system.operation, ms=1, at=at)
    assert system.call(correlation).ok
    assert (rule.acted, system.done(correlation)) == (1, 1)


@pytest.mark.parametrize(("at", "done"), [("before", 0), ("after", 1)])
def test_a_held_call_stands_still_until_it_is_released(
    system: System, faults: Faults, correlation: str, at: Any, done: int
) -> None:
    answers: list[requests.Response] = []
    caller = threading.Thread(target=lambda: answers.append(system.call(correlation)))
    with faults.hold(system.name, system.operation, at=at) as held:
        caller.start()
        held.arrived()
        assert held.facts()["holding"] == [{"operation": system.operation, "correlation_id": correlation}]
        assert (system.done(correlation), answers) == (done, [])
        held.release()
        caller.join(15)
        assert answers[0].ok
        assert held.facts()["holding"] == []
    assert system.done(correlation) == 1


def test_a_call_its_caller_gave_up_is_carried_out_all_the_same(
    system: System, faults: Faults, correlation: str
) -> None:
    with faults.hold(system.name, system.operation) as held:
        with pytest.raises(requests.ReadTimeout):
            system.call(correlation, timeout=0.5)
        held.arrived()
        assert system.done(correlation) == 0
        held.release()
        until(lambda: system.done(correlation), what="the call that nobody waits for")


def test_held_calls_are_released_in_their_order(system: System, faults: Faults, correlation: str) -> None:
    callers = [threading.Thread(target=lambda n=n: system.call(f"{correlation}-{n}")) for n in range(3)]
    with faults.hold(system.name, system.operation, always=True) as held:
        for number, caller in enumerate(callers, 1):
            caller.start()
            held.arrived(number)
        held.release(2)
        until(lambda: system.done(f"{correlation}-1"), what="the second call")
        assert [system.done(f"{correlation}-{n}") for n in range(3)] == [1, 1, 0]
    for caller in callers:
        caller.join(15)
    assert system.done(f"{correlation}-2") == 1


def test_without_an_answer_the_client_sees_a_polite_end(whmcs: Whmcs, faults: Faults) -> None:
    faults.lose_answer("whmcs", "GetProducts")
    with wire(whmcs) as connection:
        connection.shake_hands()
        connection.ask("GetProducts")
        assert b"".join(connection.pieces()) == b""


def test_a_reset_is_one_of_tcp(whmcs: Whmcs, faults: Faults) -> None:
    faults.lose_answer("whmcs", "GetProducts", reset=True)
    with wire(whmcs) as connection:
        connection.shake_hands()
        connection.ask("GetProducts")
        with pytest.raises(ConnectionResetError):
            list(connection.pieces())


def test_a_refused_connection_is_reset_before_a_request(whmcs: Whmcs, faults: Faults) -> None:
    rule = faults.refuse("whmcs")
    with wire(whmcs) as connection:
        connection.shake_hands()
        with pytest.raises(ConnectionResetError):
            list(connection.pieces())
    assert rule.acted == 1


def test_a_dripping_answer_comes_in_many_pieces_and_is_whole(whmcs: Whmcs, faults: Faults) -> None:
    faults.add("whmcs", "drip", "GetCurrencies", {"bytes_per_s": 400})
    with wire(whmcs) as connection:
        connection.shake_hands()
        connection.ask("GetCurrencies")
        received, pieces = b"", 0
        for piece in connection.pieces():
            received, pieces = received + piece, pieces + 1
            if is_json(received.partition(b"\r\n\r\n")[2].decode()):
                break
    assert pieces > 100
    assert b'"result":"success"' in received


def test_php_speaks_before_whmcs(whmcs: Whmcs, faults: Faults) -> None:
    faults.add("whmcs", "php_notice", parameters={"text": "Undefined index: a"})
    answer = whmcs("GetCurrencies")
    assert answer.status_code == 200
    notice, brace, rest = answer.text.partition("{")
    assert "<b>Warning</b>:  Undefined index: a in <b>/" in notice
    assert is_json(brace + rest)


def test_the_pages_of_single_sign_on_misbehave_too(whmcs: Whmcs, faults: Faults) -> None:
    client = whmcs.client("sso-faults@example.jp")
    link = whmcs.ok("CreateSsoToken", client_id=client)["redirect_url"]
    rule = faults.html("whmcs", "sso.redeem")
    page = requests.get(link, timeout=15, allow_redirects=False)
    assert (page.status_code, rule.acted) == (503, 1)
    assert "Maintenance" in page.text
    assert requests.get(link, timeout=15, allow_redirects=False).status_code == 302


@pytest.mark.parametrize(("kind", "parameters"), [("drip", {"bytes_per_s": 5}), ("huge", {"size": 200_000_000})])
def test_a_client_that_leaves_in_the_middle_harms_nobody(
    whmcs: Whmcs, faults: Faults, kind: str, parameters: dict[str, Any]
) -> None:
    faults.add("whmcs", kind, "GetProducts", parameters)
    with wire(whmcs) as connection:
        connection.shake_hands()
        connection.ask("GetProducts")
        assert next(connection.pieces()).startswith(b"HTTP/1.1 200")
    assert whmcs("GetProducts").ok
    assert "Traceback" not in whmcs.sandbox.log.read_text()
