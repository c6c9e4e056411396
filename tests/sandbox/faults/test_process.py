"""Rules and the process: they outlive it, and what they hold does not keep it from ending."""

import threading
from pathlib import Path

import pytest
import requests

from tests.faults import Faults, Held
from tests.sandbox.faults.clients import Whmcs, send_mail, session
from tests.sandbox_process import Sandbox


def test_a_sandbox_that_holds_calls_ends_at_once_and_goes_on_with_its_rules(tmp_path: Path) -> None:
    first = Sandbox(tmp_path)
    faults = Faults(first)
    faults.close_port("mail")
    faults.html("whmcs", "GetCurrencies", times=2)
    hold = faults.add("whmcs", "hold", "GetProducts")
    with session(first) as made:
        whmcs = Whmcs(first, made)
        assert whmcs("GetCurrencies").status_code == 503
        outcomes: list[Exception] = []
        caller = threading.Thread(target=lambda: outcomes.append(failure(whmcs)))
        caller.start()
        Held(first, hold.id).arrived()
        first.stop()
        caller.join(15)
    assert isinstance(outcomes[0], requests.ConnectionError)
    assert first.log.read_text() == ""
    second = Sandbox(tmp_path)
    try:
        with pytest.raises(ConnectionRefusedError):
            send_mail(second, "closed")
        with session(second) as made:
            assert [Whmcs(second, made)("GetCurrencies").status_code for _ in range(2)] == [503, 200]
        assert second.ledger(system="whmcs", operation="GetProducts") == []
        Faults(second).clear()
        send_mail(second, "open")
    finally:
        second.stop()


def failure(whmcs: Whmcs) -> Exception:
    try:
        whmcs("GetProducts")
    except requests.RequestException as error:
        return error
    raise AssertionError("the call was answered")
