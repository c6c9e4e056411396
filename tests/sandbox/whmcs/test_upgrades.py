"""UpgradeProduct: quotes, orders, and when they count (whmcs-wire §3.4)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.sandbox.whmcs.shop import Shop

TO_10G = {"paymentmethod": "stripe", "type": "product", "newproductid": 103, "newproductbillingcycle": "monthly"}


@pytest.fixture
def halfway(shop: Shop) -> Shop:
    """Aiko has a paid service, and fifteen of its thirty days are over."""
    shop.working()
    shop.whmcs.clock.advance(timedelta(days=15))
    return shop


def test_a_quote_has_days_and_a_price_and_changes_nothing(halfway: Shop) -> None:
    quote = halfway.call("UpgradeProduct", TO_10G, serviceid=1, calconly=1)
    assert (quote["oldproductname"], quote["newproductname"]) == ("Home Apartment 1G", "Home House 10G")
    assert (quote["daysuntilrenewal"], quote["totaldays"], quote["price"]) == (15, 30, "¥1,100 JPY")
    assert "orderid" not in quote
    assert halfway.call("GetOrders")["totalresults"] == 1


def test_an_upgrade_counts_once_its_invoice_is_paid(halfway: Shop) -> None:
    made = halfway.call("UpgradeProduct", TO_10G, serviceid=1)
    assert halfway.service(1)["name"] == "Home Apartment 1G"
    (line,) = halfway.invoice(made["invoiceid"])["items"]["item"]
    assert (line["type"], line["relid"], line["amount"]) == ("Upgrade", made["id"], "1100.00")
    assert halfway.order_row(made["orderid"])["lineitems"]["lineitem"][0]["type"] == "upgrade"
    halfway.pay(made["invoiceid"])
    service = halfway.service(1)
    assert (service["name"], service["recurringamount"]) == ("Home House 10G", "6930.00")
    assert service["nextduedate"] == "2026-12-21"
    assert halfway.whmcs.ledger.read("whmcs", "module.change_package")


def test_no_second_upgrade_while_one_is_unpaid(halfway: Shop) -> None:
    halfway.call("UpgradeProduct", TO_10G, serviceid=1)
    refused = halfway.call("UpgradeProduct", TO_10G, serviceid=1)
    expected = "Unable to accept upgrade order. Previous upgrade invoice for service is still unpaid."
    assert refused["message"] == expected
    assert halfway.call("UpgradeProduct", TO_10G, serviceid=1, calconly=1)["upgradeinprogress"] == 1


def test_a_downgrade_costs_nothing_and_counts_at_once(halfway: Shop) -> None:
    made = halfway.call("UpgradeProduct", TO_10G | {"newproductid": 104}, serviceid=1)
    assert (made["price"], made["invoiceid"]) == ("¥-275 JPY", None)
    assert halfway.service(1)["recurringamount"] == "4180.00"


def test_options_are_quoted_one_by_one_without_days(halfway: Shop) -> None:
    wanted = {"paymentmethod": "stripe", "type": "configoptions", "configoptions[11]": 113}
    quote = halfway.call("UpgradeProduct", wanted, serviceid=1, calconly=1)
    named = (quote["configname1"], quote["originalvalue1"], quote["newvalue1"], quote["price1"])
    assert named == ("Wi-Fi router", "Use my own router", "Wi-Fi 6 router rental", "¥275 JPY")
    assert (quote["subtotal"], quote["discount"], quote["total"]) == ("¥275 JPY", "¥0 JPY", "¥275 JPY")
    assert "price" not in quote
    made = halfway.call("UpgradeProduct", wanted, serviceid=1)
    halfway.pay(made["invoiceid"])
    service = halfway.service(1)
    assert service["configoptions"]["configoption"][0]["value"] == "Wi-Fi 6 router rental"
    assert service["recurringamount"] == "5280.00"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"serviceid": 9}, "Service ID Not Found"),
        ({"paymentmethod": "x"}, "Invalid Payment Method. Valid options include stripe"),
        ({"type": "sideways"}, "Invalid Upgrade Type"),
        ({"newproductid": 999}, "Product ID Not Found"),
    ],
)
def test_upgrades_are_refused(halfway: Shop, fields: dict[str, Any], message: str) -> None:
    assert halfway.call("UpgradeProduct", {"serviceid": 1, **TO_10G, **fields})["message"] == message
    assert halfway.call("GetOrders")["totalresults"] == 1
