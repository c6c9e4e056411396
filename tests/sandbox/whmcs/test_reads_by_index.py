"""A hundred thousand orders must not slow down a look at one customer: reads go through indexes."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.store import Table
from sandbox.whmcs.marks import marked_orders
from tests.sandbox.whmcs.php_arrays import packed
from tests.sandbox.whmcs.shop import Shop


@pytest.fixture
def no_walking(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A customer with a service; walking through a whole table is an error from now on."""
    shop.order(101, **{"customfields[0]": packed({5101: "801X"}), "domain[0]": "line-1"})
    shop.call("AcceptOrder", orderid=1, serviceusername="aiko")
    shop.pay(1)

    def all_(table: Table, **_: Any) -> Iterator[Any]:
        raise AssertionError(f"{table.kind} was walked through")

    monkeypatch.setattr(Table, "all", all_)
    return shop


@pytest.mark.parametrize(
    ("action", "filters"),
    [
        ("GetOrders", {"id": 1}),
        ("GetOrders", {"userid": 1}),
        ("GetOrders", {"requestor_id": 1}),
        ("GetOrders", {"status": "Active"}),
        ("GetOrderStatuses", {}),
        ("GetClientsProducts", {"serviceid": 1}),
        ("GetClientsProducts", {"clientid": 1}),
        ("GetClientsProducts", {"domain": "LINE-1"}),
        ("GetClientsProducts", {"username2": "aiko"}),
        ("GetClientsProducts", {"pid": 101}),
        ("GetInvoices", {"userid": 1, "orderby": "total"}),
        ("GetInvoices", {"status": "Paid"}),
        ("GetInvoice", {"invoiceid": 1}),
        ("GetTransactions", {"clientid": 1}),
        ("GetTransactions", {"invoiceid": 1}),
        ("GetTransactions", {"transid": "t1"}),
        ("GetCredits", {"clientid": 1}),
        ("GetClientsAddons", {"clientid": 1}),
        ("GetModuleQueue", {"relatedId": 1}),
        ("AddOrder", {"clientid": 1, "paymentmethod": "stripe", "pid": 101}),
        ("AddCancelRequest", {"serviceid": 1}),
        ("ModuleSuspend", {"serviceid": 1}),
        ("GenInvoices", {"clientid": 1}),
    ],
)
def test_an_action_about_one_thing_walks_through_no_table(
    no_walking: Shop, action: str, filters: dict[str, Any]
) -> None:
    answered = no_walking.call(action, filters)
    assert answered["result"] == "success"
    assert str(answered.get("totalresults", "1")) in ("1", "0", "4")


def test_an_order_is_found_by_its_mark_through_an_index(no_walking: Shop) -> None:
    assert [order.id for order in marked_orders(no_walking.whmcs, "801X")] == [1]
    assert marked_orders(no_walking.whmcs, "801x") == []


@pytest.mark.parametrize(
    ("action", "filters", "rows", "shown"),
    [
        ("GetOrders", {}, "orders.order", [3, 2]),
        ("GetOrders", {"status": "pending"}, "orders.order", [3, 2]),
        ("GetOrders", {"userid": 1, "status": "Pending"}, "orders.order", [3, 2]),
        ("GetClientsProducts", {}, "products.product", ["2", "3"]),
        ("GetClientsProducts", {"pid": 101}, "products.product", ["2", "3"]),
        ("GetClientsProducts", {"pid": 101, "clientid": 1}, "products.product", ["2", "3"]),
        ("GetInvoices", {"status": "Unpaid"}, "invoices.invoice", [2, 3]),
        ("GetInvoices", {"status": "Unpaid", "order": "desc"}, "invoices.invoice", [3, 2]),
        ("GetInvoices", {"userid": 1}, "invoices.invoice", [2, 3]),
        ("GetInvoices", {"userid": "nobody"}, "invoices.invoice", []),
    ],
)
def test_a_page_is_the_same_whichever_way_it_is_read(
    shop: Shop, action: str, filters: dict[str, Any], rows: str, shown: list[Any]
) -> None:
    for _ in range(4):
        shop.order(101)
    page = shop.call(action, filters, limitstart=1, limitnum=2)
    plural, singular = rows.split(".")
    assert [row["id"] for row in page[plural][singular]] == shown
    assert (int(page["totalresults"]), page["numreturned"]) == ((4, 2) if shown else (0, 0))
