"""What goes wrong inside of WHMCS, on the wire."""

import itertools

import pytest

from tests.faults import Faults
from tests.sandbox.faults.clients import Whmcs

_people = itertools.count(1)


@pytest.fixture
def aiko(whmcs: Whmcs) -> int:
    return whmcs.client(f"aiko-faults-{next(_people)}@example.jp")


def order(whmcs: Whmcs, client: int, **more: object) -> int:
    fields = {"clientid": client, "paymentmethod": "stripe", "pid[0]": 101, "billingcycle[0]": "monthly", **more}
    return int(whmcs.ok("AddOrder", **fields)["orderid"])


def orders(whmcs: Whmcs, client: int) -> list[str]:
    held = whmcs.sandbox.get("/control/whmcs/state", client=client)
    return [each["status"] for each in held["orders"]]


def test_an_action_fails_and_does_nothing(whmcs: Whmcs, faults: Faults, aiko: int) -> None:
    faults.action_fails("AddOrder", "Unable to add order")
    answer = whmcs("AddOrder", clientid=aiko, paymentmethod="stripe", pid=101)
    assert (answer.status_code, answer.json()) == (200, {"result": "error", "message": "Unable to add order"})
    assert orders(whmcs, aiko) == []
    order(whmcs, aiko)


def test_an_action_says_it_failed_and_did_everything(whmcs: Whmcs, faults: Faults, aiko: int) -> None:
    faults.action_fails("AddOrder", "Gateway time-out", at="after", status=500)
    answer = whmcs("AddOrder", clientid=aiko, paymentmethod="stripe", pid=101)
    assert (answer.status_code, answer.json()["message"]) == (500, "Gateway time-out")
    assert orders(whmcs, aiko) == ["Pending"]


def test_an_error_comes_in_the_response_type_that_was_asked_for(whmcs: Whmcs, faults: Faults) -> None:
    faults.action_fails("GetCurrencies", "Nope")
    answer = whmcs("GetCurrencies", responsetype="xml")
    assert "<result>error</result>" in answer.text
    assert "<message>Nope</message>" in answer.text


def test_a_caller_without_the_right_secret_is_refused_before_any_fault(whmcs: Whmcs, faults: Faults) -> None:
    rule = faults.action_fails("GetCurrencies", "Nope")
    assert whmcs("GetCurrencies", secret="wrong").json()["message"] == "Authentication Failed"
    assert rule.offered == 0


def test_the_callers_address_is_refused(whmcs: Whmcs, faults: Faults) -> None:
    faults.add("whmcs", "ip_refused")
    answer = whmcs("GetCurrencies")
    assert (answer.status_code, answer.json()["message"]) == (403, "Invalid IP 127.0.0.1")
    whmcs.ok("GetCurrencies")


def test_notes_are_taken_and_forgotten(whmcs: Whmcs, faults: Faults, aiko: int) -> None:
    whmcs.sandbox.control("/control/whmcs/settings", {"stores_notes": True})
    try:
        faults.add("whmcs", "field_ignored", "AddOrder", {"field": "notes"})
        forgotten, kept = order(whmcs, aiko, notes="mark"), order(whmcs, aiko, notes="mark")
    finally:
        whmcs.sandbox.control("/control/whmcs/settings", {"stores_notes": False})
    rows = whmcs.ok("GetOrders", userid=aiko)["orders"]["order"]
    assert {row["id"]: row["notes"] for row in rows} == {forgotten: "", kept: "mark"}


def test_the_module_fails_and_accepting_says_why(whmcs: Whmcs, faults: Faults, aiko: int) -> None:
    number = order(whmcs, aiko)
    rule = faults.module_fails("No port left", key="pid=101")
    answer = whmcs("AcceptOrder", orderid=number, correlation="accept-1").json()
    assert (answer["result"], "No port left" in answer["message"]) == ("error", True)
    (act,) = whmcs.sandbox.ledger(system="faults", operation="module_failure", key=rule.id)
    assert (act["correlation_id"], act["detail"]["operation"]) == ("accept-1", "module.create")
    whmcs.ok("AcceptOrder", orderid=number)


def test_the_module_fails_although_the_account_exists(whmcs: Whmcs, faults: Faults, aiko: int) -> None:
    number = order(whmcs, aiko)
    faults.module_fails("Timed out", at="after", key=f"orderid={number}")
    assert "Timed out" in whmcs("AcceptOrder", orderid=number).json()["message"]
    assert "Already provisioned" in whmcs("AcceptOrder", orderid=number).json()["message"]


def test_the_module_of_another_product_works(whmcs: Whmcs, faults: Faults, aiko: int) -> None:
    rule = faults.module_fails(key="pid=401", always=True)
    whmcs.ok("AcceptOrder", orderid=order(whmcs, aiko))
    assert rule.offered == 0


def test_one_customers_calls_are_struck_and_anothers_are_not(whmcs: Whmcs, faults: Faults, aiko: int) -> None:
    kenji = whmcs.client("kenji-faults@example.jp")
    rule = faults.lose_answer("whmcs", "AddOrder", key=f"clientid={aiko}")
    order(whmcs, kenji)
    with pytest.raises(OSError):  # noqa: PT011 - whatever the client makes of a broken connection
        order(whmcs, aiko)
    assert (rule.offered, orders(whmcs, aiko), orders(whmcs, kenji)) == (1, ["Pending"], ["Pending"])


def test_a_secret_is_nothing_that_a_rule_could_look_for(whmcs: Whmcs, faults: Faults) -> None:
    rule = faults.html("whmcs", contains=whmcs.sandbox.urls["whmcs_secret"])
    whmcs.ok("GetCurrencies")
    assert rule.offered == 0


def test_an_action_is_known_by_its_own_name_in_whatever_case_it_is_sent(whmcs: Whmcs, faults: Faults) -> None:
    faults.html("whmcs", "GetCurrencies")
    assert whmcs("getcurrencies").status_code == 503
