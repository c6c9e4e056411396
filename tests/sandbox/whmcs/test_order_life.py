"""What becomes of orders after they were placed: whmcs-wire §3.3."""

from typing import Any

import pytest

from sandbox.whmcs.control import change_settings
from tests.sandbox.whmcs.php_arrays import packed
from tests.sandbox.whmcs.shop import Shop

NOT_PENDING = "Order ID not found or Status not Pending"
UNKNOWN = "Order ID Not Found"


def statuses(shop: Shop, order: int) -> tuple[str, list[str], str]:
    """Of the order, its services and its invoice."""
    row = shop.order_row(order)
    return row["status"], [line["status"] for line in row["lineitems"]["lineitem"]], row["paymentstatus"]


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("AcceptOrder", NOT_PENDING),
        ("CancelOrder", NOT_PENDING),
        ("PendingOrder", UNKNOWN),
        ("FraudOrder", UNKNOWN),
        ("OrderFraudCheck", UNKNOWN),
        ("DeleteOrder", "Order ID not found"),
    ],
)
@pytest.mark.parametrize("number", ["", "77", "abc", "0"])
def test_an_order_that_is_not_there(shop: Shop, action: str, message: str, number: str) -> None:
    shop.order(101)
    assert shop.call(action, orderid=number)["message"] == message


def test_accepting_sets_server_login_and_password_and_mails_a_welcome(shop: Shop) -> None:
    order = shop.order(101, noemail=1, noinvoiceemail=1)
    login = {"serverid": 3, "serviceusername": "aiko", "servicepassword": "s3cret"}
    shop.call("AcceptOrder", login, orderid=order, sendemail=1, registrar="none", sendregistrar=1)
    service = shop.service(1)
    assert (service["serverid"], service["username"], service["password"]) == ("3", "aiko", "s3cret")
    assert shop.mails() == ["New Product Information"]


def test_accepting_without_sendemail_mails_nothing(shop: Shop) -> None:
    order = shop.order(101, noemail=1, noinvoiceemail=1)
    shop.call("AcceptOrder", orderid=order)
    assert shop.mails() == []


def test_an_order_made_pending_can_be_accepted_again_but_its_account_exists(shop: Shop) -> None:
    order = shop.order(101, 191)
    shop.call("AcceptOrder", orderid=order)
    assert shop.call("PendingOrder", orderid=order) == {"result": "success"}
    assert statuses(shop, order)[:2] == ("Pending", ["Pending", "Pending"])
    assert shop.call("AcceptOrder", orderid=order)["message"] == "Already provisioned"
    assert shop.call("AcceptOrder", orderid=order, autosetup=0)["result"] == "success"


def test_an_installation_may_leave_the_services_of_a_pending_order_alone(shop: Shop) -> None:
    shop.whmcs.configure(pending_order_cascades=False)
    order = shop.order(101)
    shop.call("AcceptOrder", orderid=order)
    shop.call("PendingOrder", orderid=order)
    assert statuses(shop, order)[:2] == ("Pending", ["Active"])


def test_fraud_ends_what_works_and_cancels_what_is_unpaid(shop: Shop) -> None:
    order = shop.order(101, 191)
    shop.call("AcceptOrder", orderid=order)
    assert shop.call("FraudOrder", orderid=order) == {"result": "success"}
    assert statuses(shop, order) == ("Fraud", ["Fraud", "Completed"], "Cancelled")


def test_fraud_with_the_end_of_a_subscription_fails(shop: Shop) -> None:
    order = shop.order(101)
    assert shop.call("FraudOrder", orderid=order, cancelsub=1)["message"].startswith("Subscription Cancellation Failed")
    assert statuses(shop, order)[0] == "Pending"


def test_cancelling_spares_a_paid_invoice_and_a_service_that_works(shop: Shop) -> None:
    order = shop.order(101, 191)
    shop.pay(1)
    shop.call("ModuleCreate", serviceid=1)
    shop.call("CancelOrder", orderid=order)
    assert statuses(shop, order) == ("Cancelled", ["Active", "Cancelled"], "Paid")


def test_cancelling_mails_unless_told_not_to(shop: Shop) -> None:
    for more in ({}, {"noemail": 1}):
        shop.call("CancelOrder", more, orderid=shop.order(101, noemail=1, noinvoiceemail=1))
    assert shop.mails() == ["Order Cancelled"]


def test_only_a_cancelled_or_fraudulent_order_is_deleted_with_all_it_brought(shop: Shop) -> None:
    order = shop.order(101, 191)
    refused = shop.call("DeleteOrder", orderid=order)
    assert refused["message"] == "The order status must be in Cancelled or Fraud to be deleted"
    shop.call("CancelOrder", orderid=order)
    assert shop.call("DeleteOrder", orderid=order) == {"result": "success"}
    assert shop.call("GetOrders", id=order)["totalresults"] == 0
    assert shop.call("GetClientsProducts", clientid=shop.client)["totalresults"] == "0"
    assert shop.call("GetInvoice", invoiceid=1)["message"] == "Invoice ID Not Found"


def test_without_a_fraud_module_nothing_is_checked(shop: Shop) -> None:
    order = shop.order(101)
    assert shop.call("OrderFraudCheck", orderid=order)["message"] == "No Active Fraud Module"


@pytest.mark.parametrize(("finding", "status"), [("Pass", "Pending"), ("Fail", "Fraud")])
def test_a_fraud_module_decides(shop: Shop, finding: str, status: str) -> None:
    shop.whmcs.configure(fraud_module="maxmind", fraud_check=finding)
    order = shop.order(101, clientip="203.0.113.9")
    checked = shop.call("OrderFraudCheck", orderid=order)
    assert (checked["status"], checked["module"]) == (finding, "maxmind")
    assert "203.0.113.9" in checked["results"]
    row = shop.order_row(order)
    assert (row["status"], row["fraudmodule"], row["fraudoutput"]) == (status, "maxmind", checked["results"])


def test_orders_are_found_by_each_filter_and_by_all_of_them(shop: Shop) -> None:
    pending, accepted = shop.order(101), shop.order(102)
    shop.call("AcceptOrder", orderid=accepted)

    def found(**filters: Any) -> list[int]:
        return [row["id"] for row in shop.call("GetOrders", filters)["orders"]["order"]]

    assert found() == found(userid=1) == found(requestor_id=1) == [accepted, pending]
    assert found(status="pending") == found(userid=1, status="Pending") == [pending]
    assert found(id=accepted, status="Pending") == found(userid=9) == found(id=accepted, userid=9) == []


def test_a_status_of_the_administrators_own_is_counted_and_filtered(shop: Shop) -> None:
    shop.whmcs.configure(order_statuses=["Waiting for line"])
    order = shop.whmcs.orders.get(shop.order(101))
    assert order
    order.status = "Waiting for line"
    shop.whmcs.orders.put(order)
    titles = {row["title"]: row["count"] for row in shop.call("GetOrderStatuses")["statuses"]["status"]}
    assert titles == {"Pending": 0, "Active": 0, "Fraud": 0, "Cancelled": 0, "Waiting for line": 1}
    assert shop.call("GetOrders", status="Waiting for line")["totalresults"] == 1
    assert shop.call("AcceptOrder", orderid=1)["message"] == NOT_PENDING


def test_a_module_that_fails_in_the_middle_is_in_the_module_queue_until_it_works(shop: Shop) -> None:
    change_settings(shop.whmcs, {"module_failure": {"pid": 401, "times": 2, "text": "Line not ready"}})
    order = shop.order(101, 401, 102)
    assert shop.call("AcceptOrder", orderid=order)["message"] == "Line not ready"
    assert statuses(shop, order)[1] == ["Active", "Pending", "Pending"]
    shop.call("AcceptOrder", orderid=order)
    (job,) = shop.call("GetModuleQueue")["queue"]
    assert (job["serviceId"], job["moduleAction"], job["lastAttemptError"]) == (2, "CreateAccount", "Line not ready")
    assert (job["numRetries"], job["completed"]) == (1, 0)
    assert shop.call("AcceptOrder", orderid=order)["result"] == "success"
    assert shop.call("GetModuleQueue", relatedId=2)["queue"][0]["completed"] == 1
    assert shop.call("GetModuleQueue", relatedId=1)["count"] == 0


def test_set_up_on_payment_makes_a_service_active_while_its_order_is_pending(shop: Shop) -> None:
    shop.whmcs.configure(set_up_on_payment=True)
    order = shop.order(101, customfields=packed({5101: "801X"}))
    shop.pay(1)
    assert statuses(shop, order) == ("Pending", ["Active"], "Paid")
    assert shop.call("AcceptOrder", orderid=order)["result"] == "success"
