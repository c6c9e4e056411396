"""From AddOrder to a working service: whmcs-wire §3.3, §4; acceptance check 3 of §7."""

from typing import Any

import pytest

from sandbox.whmcs.control import change_settings
from sandbox.whmcs.install import Whmcs
from tests.sandbox.whmcs.conftest import WhmcsCall
from tests.sandbox.whmcs.php_arrays import packed

SF_ORDER = "801000000000001AAA"
NOT_PENDING = {"result": "error", "message": "Order ID not found or Status not Pending"}


def internet(client: int, **more: Any) -> dict[str, Any]:
    """A line with its activation, as the portal orders it."""
    return {
        "clientid": client,
        "paymentmethod": "stripe",
        "pid[0]": 101,
        "billingcycle[0]": "monthly",
        "customfields[0]": packed({5101: SF_ORDER}),
        "configoptions[0]": packed({11: 113}),
        "pid[1]": 191,
        "billingcycle[1]": "onetime",
        "customfields[1]": packed({5191: SF_ORDER}),
        "noemail": 1,
        "noinvoiceemail": 1,
        **more,
    }


def services(call: WhmcsCall, client: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call("GetClientsProducts", clientid=client)["products"]["product"]
    return found


def test_an_order_makes_services_and_an_invoice_and_sets_nothing_up(call: WhmcsCall, aiko: int) -> None:
    made = call("AddOrder", internet(aiko))
    assert made == {
        "result": "success",
        "orderid": "1",
        "serviceids": "1,2",
        "productids": "1,2",
        "addonids": "",
        "domainids": "",
        "invoiceid": "1",
    }
    assert [row["status"] for row in services(call, aiko)] == ["Pending", "Pending"]
    assert call("GetInvoice", invoiceid=1)["total"] == "8580.00"


def test_two_equal_calls_make_two_orders(call: WhmcsCall, aiko: int) -> None:
    first, second = call("AddOrder", internet(aiko)), call("AddOrder", internet(aiko))
    assert (first["orderid"], second["orderid"]) == ("1", "2")
    assert call("GetOrders", userid=aiko)["totalresults"] == 2


def test_the_mark_comes_back_with_its_service(call: WhmcsCall, aiko: int) -> None:
    call("AddOrder", internet(aiko))
    field = services(call, aiko)[0]["customfields"]["customfield"][0]
    assert (field["id"], field["name"], field["value"]) == ("5101", "Salesforce Order Id", SF_ORDER)


def test_configured_options_come_back_in_words(call: WhmcsCall, aiko: int) -> None:
    call("AddOrder", internet(aiko))
    (option,) = services(call, aiko)[0]["configoptions"]["configoption"]
    assert option == {"id": "11", "option": "Wi-Fi router", "type": "dropdown", "value": "Wi-Fi 6 router rental"}


def test_quantities_and_yes_no_options_are_priced(call: WhmcsCall, aiko: int) -> None:
    lines = {"pid[0]": 301, "configoptions[0]": packed({31: 9}), "pid[1]": 201, "configoptions[1]": packed({23: 1})}
    call("AddOrder", lines, clientid=aiko, paymentmethod="stripe")
    assert [row["recurringamount"] for row in services(call, aiko)] == ["1100.00", "1540.00"]


def test_an_overriding_price_is_the_whole_price_even_zero(call: WhmcsCall, aiko: int) -> None:
    made = call("AddOrder", internet(aiko), **{"priceoverride[0]": "0", "priceoverride[1]": "1100.00"})
    assert [row["firstpaymentamount"] for row in services(call, aiko)] == ["0.00", "1100.00"]
    lines = call("GetInvoice", invoiceid=made["invoiceid"])["items"]["item"]
    assert [(line["relid"], line["amount"]) for line in lines] == [(2, "1100.00")]


@pytest.mark.parametrize(
    "more", [{"noinvoice": 1}, {"noinvoice": "false"}, {"priceoverride[0]": 0, "priceoverride[1]": 0}]
)
def test_without_an_invoice_there_is_no_invoice_id(call: WhmcsCall, aiko: int, more: dict[str, Any]) -> None:
    assert "invoiceid" not in call("AddOrder", internet(aiko), **more)
    assert call("GetOrders", id=1)["orders"]["order"][0]["invoiceid"] == 0


def test_parallel_arrays_are_joined_by_key_not_by_position(call: WhmcsCall, aiko: int) -> None:
    lines = {"pid[3]": 205, "pid[7]": 301, "domain[7]": "second", "domain[3]": "first"}
    call("AddOrder", lines, clientid=aiko, paymentmethod="stripe")
    assert [(row["pid"], row["domain"]) for row in services(call, aiko)] == [("205", "first"), ("301", "second")]


def test_scalars_do_for_one_product(call: WhmcsCall, aiko: int) -> None:
    call("AddOrder", pid=101, billingcycle="monthly", clientid=aiko, paymentmethod="stripe")
    assert [row["pid"] for row in services(call, aiko)] == ["101"]


@pytest.mark.parametrize("pid", ["999", "101,191", "", "x"])
def test_what_is_no_product_leaves_an_empty_cart(call: WhmcsCall, aiko: int, pid: str) -> None:
    refused = call("AddOrder", pid=pid, clientid=aiko, paymentmethod="stripe")
    assert refused["message"] == "No items added to cart so order cannot proceed"
    assert call("GetOrders")["totalresults"] == 0


def test_the_refusals_of_add_order(call: WhmcsCall, aiko: int) -> None:
    assert call("AddOrder", internet(77))["message"] == "Client ID Not Found"
    wrong = call("AddOrder", internet(aiko, paymentmethod="paypal"))
    assert wrong["message"] == "Invalid Payment Method. Valid options include stripe"
    call("UpdateClient", clientid=aiko, status="Closed")
    closed = call("AddOrder", internet(aiko))
    assert closed["message"] == "Unable to add order when client status is Closed"


def test_a_cycle_not_offered_falls_back_or_is_refused_as_installed(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    call("AddOrder", internet(aiko, **{"billingcycle[0]": "annually"}))
    assert services(call, aiko)[0]["billingcycle"] == "Monthly"
    whmcs.configure(unknown_cycle_is_error=True)
    assert call("AddOrder", internet(aiko, **{"billingcycle[0]": ""}))["result"] == "error"


@pytest.mark.parametrize(("stored", "expected"), [(False, ""), (True, "sfOrderId=801")])
def test_notes_are_ignored_unless_the_installation_stores_them(
    call: WhmcsCall, whmcs: Whmcs, aiko: int, stored: bool, expected: str
) -> None:
    whmcs.configure(stores_notes=stored)
    call("AddOrder", internet(aiko, notes="sfOrderId=801"))
    assert call("GetOrders", id=1)["orders"]["order"][0]["notes"] == expected


def test_accepting_makes_everything_active_once(call: WhmcsCall, aiko: int) -> None:
    call("AddOrder", internet(aiko))
    assert call("AcceptOrder", orderid=1, autosetup=1) == {"result": "success"}
    assert [row["status"] for row in services(call, aiko)] == ["Active", "Completed"]
    assert call("AcceptOrder", orderid=1, autosetup=1) == NOT_PENDING
    assert call("AcceptOrder", orderid=42) == NOT_PENDING


def test_without_autosetup_the_module_does_not_run(call: WhmcsCall, aiko: int) -> None:
    call("AddOrder", internet(aiko))
    assert call("AcceptOrder", orderid=1, autosetup=0)["result"] == "success"
    assert [row["status"] for row in services(call, aiko)] == ["Pending", "Completed"]
    assert call("ModuleCreate", serviceid=1) == {"result": "success"}
    assert services(call, aiko)[0]["status"] == "Active"


@pytest.mark.parametrize(
    ("switches", "status"),
    [({"moduleless_stays_pending": True}, "Pending"), ({"one_time_status": "Active"}, "Active")],
)
def test_a_product_without_module_ends_as_installed(
    call: WhmcsCall, whmcs: Whmcs, aiko: int, switches: dict[str, Any], status: str
) -> None:
    whmcs.configure(**switches)
    call("AddOrder", internet(aiko))
    call("AcceptOrder", orderid=1, autosetup=1)
    assert services(call, aiko)[1]["status"] == status


def test_a_failing_module_leaves_the_order_pending_and_siblings_active(
    call: WhmcsCall, whmcs: Whmcs, aiko: int
) -> None:
    change_settings(whmcs, {"module_failure": {"pid": 401, "times": "once", "text": "Line not ready"}})
    call("AddOrder", {"pid[0]": 101, "pid[1]": 401}, clientid=aiko, paymentmethod="stripe")
    assert call("AcceptOrder", orderid=1) == {"result": "error", "message": "Line not ready"}
    assert call("GetOrders", id=1)["orders"]["order"][0]["status"] == "Pending"
    assert [row["status"] for row in services(call, aiko)] == ["Active", "Pending"]
    assert call("AcceptOrder", orderid=1)["result"] == "success"


def test_an_account_made_behind_a_failure_is_already_provisioned_ever_after(
    call: WhmcsCall, whmcs: Whmcs, aiko: int
) -> None:
    change_settings(whmcs, {"module_failure": {"pid": 101, "times": 1, "text": "Timed out", "after_commit": True}})
    call("AddOrder", internet(aiko))
    assert call("AcceptOrder", orderid=1)["message"] == "Timed out"
    assert call("AcceptOrder", orderid=1)["message"] == "Already provisioned"
    assert call("ModuleCreate", serviceid=1)["message"] == "Already provisioned"
    call("UpdateClientProduct", serviceid=1, status="Active")
    assert call("AcceptOrder", orderid=1, autosetup=0)["result"] == "success"


def test_a_module_may_fail_always_until_told_otherwise(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    change_settings(whmcs, {"module_failure": {"pid": 101, "times": "always"}})
    call("AddOrder", internet(aiko))
    assert [call("AcceptOrder", orderid=1)["result"] for _ in range(3)] == ["error"] * 3
    change_settings(whmcs, {"module_failure": {"pid": 101, "times": "never"}})
    assert call("AcceptOrder", orderid=1)["result"] == "success"


def test_an_order_error_can_be_armed_once(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    change_settings(whmcs, {"add_order_error_once": "Something in a hook went wrong"})
    assert call("AddOrder", internet(aiko))["message"] == "Something in a hook went wrong"
    assert call("AddOrder", internet(aiko))["result"] == "success"


@pytest.mark.parametrize(("cascades", "expected"), [(True, "Cancelled"), (False, "Pending")])
def test_cancelling_a_pending_order(call: WhmcsCall, whmcs: Whmcs, aiko: int, cascades: bool, expected: str) -> None:
    whmcs.configure(cancel_order_cascades=cascades)
    call("AddOrder", internet(aiko))
    assert call("CancelOrder", orderid=1, noemail=1) == {"result": "success"}
    assert {row["status"] for row in services(call, aiko)} == {expected}
    assert call("GetInvoice", invoiceid=1)["status"] == ("Cancelled" if cascades else "Unpaid")
    assert call("CancelOrder", orderid=1) == NOT_PENDING


def test_cancelling_with_a_subscription_flag_fails_even_for_the_word_false(call: WhmcsCall, aiko: int) -> None:
    call("AddOrder", internet(aiko))
    refused = call("CancelOrder", orderid=1, cancelsub="false")
    assert refused["message"].startswith("Subscription Cancellation Failed")
    assert call("GetOrders", id=1)["orders"]["order"][0]["status"] == "Pending"


def test_orders_are_listed_newest_first_and_paged_with_integers(call: WhmcsCall, aiko: int) -> None:
    for _ in range(3):
        call("AddOrder", internet(aiko))
    page = call("GetOrders", userid=aiko, limitnum=2)
    assert [row["id"] for row in page["orders"]["order"]] == [3, 2]
    assert (page["totalresults"], page["startnumber"], page["numreturned"]) == (3, 0, 2)
    beyond = call("GetOrders", userid=aiko, limitstart=9)
    assert (beyond["numreturned"], beyond["orders"]) == (0, {"order": []})
    assert call("GetOrders", orderid=1)["totalresults"] == 3, "orderid is no filter of GetOrders"


def test_an_order_row_names_its_lines(call: WhmcsCall, aiko: int) -> None:
    call("AddOrder", internet(aiko))
    (row,) = call("GetOrders", id=1)["orders"]["order"]
    assert (row["userid"], row["amount"], row["paymentstatus"]) == (aiko, "8580.00", "Unpaid")
    assert isinstance(row["ordernum"], int)
    assert len(str(row["ordernum"])) == 10
    line = row["lineitems"]["lineitem"][0]
    assert (line["relid"], line["product"], line["billingcycle"]) == (1, "Home Internet - Home Apartment 1G", "Monthly")


def test_order_statuses_are_counted(call: WhmcsCall, aiko: int) -> None:
    call("AddOrder", internet(aiko))
    statuses = call("GetOrderStatuses")["statuses"]["status"]
    assert {row["title"]: row["count"] for row in statuses} == {"Pending": 1, "Active": 0, "Fraud": 0, "Cancelled": 0}


def test_the_ledger_tells_what_was_accepted(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    call("AddOrder", internet(aiko))
    call("AcceptOrder", orderid=1, autosetup=1)
    call("AcceptOrder", orderid=1, autosetup=1)
    (added,) = whmcs.ledger.read("whmcs", "AddOrder")
    (accepted,) = whmcs.ledger.read("whmcs", "AcceptOrder")
    (created,) = whmcs.ledger.read("whmcs", "module.create")
    assert (added.key, added.correlation_id, added.detail["pids"]) == ("1", "corr-1", [101, 191])
    assert added.detail["mark"] == accepted.detail["mark"] == created.detail["mark"] == SF_ORDER
    assert (accepted.detail["before"], accepted.detail["after"]) == ("Pending", "Active")
    assert added.detail["mails"] == []
