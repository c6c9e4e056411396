"""Everything AddOrder takes: whmcs-wire §1.3, §2, §3.3."""

from typing import Any

import pytest

from sandbox.whmcs.ordering.records import Promotion
from tests.sandbox.whmcs.php_arrays import packed
from tests.sandbox.whmcs.shop import Shop

TOP_UP = {"id": 7, "name": "Top-up 3 GB", "price": 1100, "cycle": "onetime", "pids": [201, 205]}
CARE = {"id": 8, "name": "Care", "price": 220, "setup_fee": 500}


def amounts(shop: Shop, invoice: int = 1) -> list[tuple[str, str]]:
    return [(line["type"], line["amount"]) for line in shop.invoice(invoice)["items"]["item"]]


def promote(shop: Shop, **facts: Any) -> None:
    shop.whmcs.promotions.put(Promotion(id=shop.whmcs.promotions.next_id(), code="SPRING", **facts))


def test_arrays_are_joined_by_key_through_gaps(shop: Shop) -> None:
    made = {"pid[4]": 101, "pid[9]": 201, "domain[9]": "090-0000", "priceoverride[4]": "1.50", "billingcycle[9]": "x"}
    shop.call("AddOrder", made, clientid=1, paymentmethod="stripe")
    first, second = shop.service(1), shop.service(2)
    assert (first["domain"], first["recurringamount"]) == ("", "1.50")
    assert (second["domain"], second["recurringamount"]) == ("090-0000", "1210.00")


@pytest.mark.parametrize("price", ["", "abc", "NaN", "Infinity", "1e9", "-5", "1,100", "99999999999999"])
def test_a_price_that_is_none_is_not_taken(shop: Shop, price: str) -> None:
    shop.order(101, **{"priceoverride[0]": price})
    assert shop.service(1)["firstpaymentamount"] == "4730.00"


@pytest.mark.parametrize(
    ("allowed", "quantities", "total"),
    [(0, ["1"], "4730.00"), (1, ["1", "1", "1"], "14190.00"), (2, ["3"], "14190.00")],
)
def test_a_quantity_counts_as_the_product_allows_it(
    shop: Shop, allowed: int, quantities: list[str], total: str
) -> None:
    shop.whmcs.configure(allow_qty={"101": allowed})
    shop.order(101, **{"qty[0]": 3})
    rows = shop.call("GetClientsProducts", clientid=1)["products"]["product"]
    assert [row["qty"] for row in rows] == quantities
    assert shop.invoice(1)["total"] == total
    assert shop.call("GetProducts", pid=101)["products"]["product"][0]["allowqty"] == allowed


@pytest.mark.parametrize("quantity", ["0", "-4", "many"])
def test_a_quantity_that_is_none_is_one(shop: Shop, quantity: str) -> None:
    shop.whmcs.configure(allow_qty={"101": 1})
    shop.order(101, **{"qty[0]": quantity})
    assert shop.call("GetClientsProducts", clientid=1)["totalresults"] == "1"


def test_add_ons_come_with_a_new_service_if_its_product_can_have_them(shop: Shop) -> None:
    shop.whmcs.configure(addons=[TOP_UP, CARE])
    lines = {"pid[0]": 201, "addons[0]": "7, 8,99", "addonsqty[0]": "2", "pid[1]": 101, "addons[1]": "7"}
    made = shop.call("AddOrder", lines, clientid=1, paymentmethod="stripe")
    assert (made["serviceids"], made["addonids"]) == ("1,2", "1,2")
    assert amounts(shop) == [("Hosting", "1210.00"), ("Hosting", "4730.00"), ("Addon", "2200.00"), ("Addon", "720.00")]
    rows = shop.call("GetClientsAddons", clientid=1)["addons"]["addon"]
    assert [(row["name"], row["qty"], row["serviceid"]) for row in rows] == [("Top-up 3 GB", 2, 1), ("Care", 1, 1)]
    kinds = [line["type"] for line in shop.order_row(1)["lineitems"]["lineitem"]]
    assert kinds == ["product", "product", "addon", "addon"]


def test_a_top_up_is_an_order_of_an_add_on_alone(shop: Shop) -> None:
    shop.whmcs.configure(addons=[TOP_UP])
    service = shop.working(201)
    made = shop.call("AddOrder", addonid=7, serviceid=service, clientid=1, paymentmethod="stripe")
    assert (made["serviceids"], made["addonids"]) == ("", "1")
    (addon,) = shop.call("GetClientsAddons", serviceid=service)["addons"]["addon"]
    assert (addon["status"], addon["orderid"], addon["nextduedate"]) == ("Pending", 2, "0000-00-00")
    shop.call("AcceptOrder", orderid=made["orderid"])
    assert shop.call("GetClientsAddons", addonid=7)["addons"]["addon"][0]["status"] == "Active"


def test_several_add_ons_are_joined_with_their_services_by_key(shop: Shop) -> None:
    shop.whmcs.configure(addons=[TOP_UP, CARE])
    first, second = shop.working(201), shop.working(205)
    pairs = {"addonids[3]": 7, "serviceids[3]": second, "addonids[5]": 8, "serviceids[5]": first, "addonidsqty[5]": 4}
    shop.call("AddOrder", pairs, clientid=1, paymentmethod="stripe")
    rows = shop.call("GetClientsAddons", serviceid=f"{first},{second}")["addons"]["addon"]
    assert [(row["addonid"], row["serviceid"], row["qty"]) for row in rows] == [(8, first, 4), (7, second, 1)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"clientid": 9, "paymentmethod": "x"}, "Client ID Not Found"),
        ({"paymentmethod": "x", "addonid": 99}, "Invalid Payment Method. Valid options include stripe"),
        ({"addonid": 99, "serviceid": 99}, "Addon ID invalid"),
        ({"addonid": 8, "serviceid": 99}, "Service ID not owned by Client ID provided"),
        ({"pid": 101, "domainrenewals[a.example]": 1}, "Domain not owned by Client ID provided"),
        ({"servicerenewals[]": 99}, "Service ID not owned by Client ID provided"),
        ({"addonrenewals[]": 99}, "Addon ID invalid"),
        ({"servicerenewals[]": 1}, "Service ID 1 can not be renewed at this time."),
        ({"promocode": "SPRING"}, "No items added to cart so order cannot proceed"),
        ({"domaintype[]": "register", "domain[]": "a.example"}, "No items added to cart so order cannot proceed"),
        (
            {"pid": 101, "domaintype[0]": "register", "domaintype[1]": "register", "regperiod": 1},
            "Expecting parameter 'regperiod' to be an array",
        ),
    ],
)
def test_refusals_come_in_the_documented_order_and_change_nothing(
    shop: Shop, fields: dict[str, Any], message: str
) -> None:
    shop.whmcs.configure(addons=[CARE])
    shop.order(101)
    assert shop.call("AddOrder", {"clientid": 1, "paymentmethod": "stripe", **fields})["message"] == message
    assert shop.call("GetOrders")["totalresults"] == 1


def test_a_period_is_bought_ahead(shop: Shop) -> None:
    service = shop.working(101)
    made = shop.call("AddOrder", {"servicerenewals[]": service}, clientid=1, paymentmethod="stripe")
    assert shop.order_row(2)["renewalsByType"] == {"domains": [], "services": [service], "addons": []}
    assert "2026-12-21 - 2027-01-20" in shop.invoice(2)["items"]["item"][0]["description"]
    shop.pay(made["invoiceid"])
    assert shop.service(service)["nextduedate"] == "2027-01-21"


def test_nothing_is_renewed_ahead_while_a_period_is_unpaid_or_the_installation_does_not_offer_it(shop: Shop) -> None:
    service = shop.working(101)
    renewal = {"servicerenewals[]": service, "clientid": 1, "paymentmethod": "stripe"}
    shop.call("AddOrder", renewal)
    refused = {"result": "error", "message": f"Service ID {service} can not be renewed at this time."}
    assert shop.call("AddOrder", renewal) == refused
    shop.pay(2)
    shop.whmcs.configure(on_demand_renewals=False)
    assert shop.call("AddOrder", renewal) == refused


@pytest.mark.parametrize(
    ("facts", "first", "recurring"),
    [
        ({"value": "10.00"}, "4257.00", "4730.00"),
        ({"value": "10.00", "recurring": True}, "4257.00", "4257.00"),
        ({"type": "Fixed Amount", "value": "1000"}, "3730.00", "4730.00"),
        ({"type": "Fixed Amount", "value": "9000"}, "0.00", "4730.00"),
        ({"type": "Price Override", "value": "3000", "recurring": True}, "3000.00", "3000.00"),
        ({"value": "10", "pids": [102]}, "4730.00", "4730.00"),
        ({"value": "10", "cycles": ["Annually"]}, "4730.00", "4730.00"),
        ({"value": "10", "expires": "2026-11-20"}, "4730.00", "4730.00"),
        ({"value": "10", "starts": "2026-11-22"}, "4730.00", "4730.00"),
        ({"value": "10", "max_uses": 2, "uses": 2}, "4730.00", "4730.00"),
    ],
)
def test_a_promotion_takes_off_what_it_says_where_it_applies(
    shop: Shop, facts: dict[str, Any], first: str, recurring: str
) -> None:
    promote(shop, **facts)
    shop.order(101, promocode="spring")
    service = shop.service(1)
    assert (service["firstpaymentamount"], service["recurringamount"]) == (first, recurring)


def test_a_promotion_is_a_line_of_its_own_and_is_counted(shop: Shop) -> None:
    promote(shop, value="10")
    shop.order(101, promocode="SPRING")
    assert amounts(shop) == [("Hosting", "4730.00"), ("PromoHosting", "-473.00")]
    assert (shop.invoice(1)["total"], shop.order_row(1)["amount"]) == ("4257.00", "4257.00")
    row = shop.order_row(1)
    assert (row["promocode"], row["promotype"], row["promovalue"]) == ("SPRING", "Percentage", "10")
    (promotion,) = shop.call("GetPromotions", code="spring")["promotions"]["promotion"]
    assert (promotion["uses"], promotion["value"]) == (1, "10")


def test_an_unknown_code_changes_nothing_and_one_that_does_not_fit_can_be_forced(shop: Shop) -> None:
    promote(shop, value="10", pids=[102])
    shop.order(101, promocode="WINTER")
    shop.order(101, promocode="SPRING", promooverride=1)
    prices = [row["firstpaymentamount"] for row in shop.call("GetClientsProducts")["products"]["product"]]
    assert prices == ["4730.00", "4257.00"]


def test_contact_and_address_of_the_order_come_back(shop: Shop) -> None:
    order = shop.order(101, contactid=4, clientip="203.0.113.9", affid=2)
    assert (shop.order_row(order)["contactid"], shop.order_row(order)["ipaddress"]) == (4, "203.0.113.9")
    assert shop.whmcs.ledger.read("whmcs", "AddOrder")[0].detail["affiliate"] == 2


@pytest.mark.parametrize(
    ("flags", "mails"),
    [
        ({}, ["Order Confirmation", "Customer Invoice"]),
        ({"noemail": 1}, ["Customer Invoice"]),
        ({"noinvoiceemail": "false"}, ["Order Confirmation"]),
        ({"noinvoice": 1}, ["Order Confirmation"]),
        ({"noemail": 1, "noinvoiceemail": 1}, []),
        ({"noemail": 0, "noinvoiceemail": ""}, ["Order Confirmation", "Customer Invoice"]),
    ],
)
def test_mail_about_an_order_goes_out_unless_suppressed(shop: Shop, flags: dict[str, Any], mails: list[str]) -> None:
    shop.order(101, **flags)
    assert shop.mails() == mails


def test_credit_pays_an_order_at_once(shop: Shop) -> None:
    shop.call("AddCredit", clientid=1, description="Sorry", amount="5000")
    order = shop.order(101)
    assert shop.order_row(order)["paymentstatus"] == "Paid"
    assert (shop.invoice(1)["credit"], shop.invoice(1)["total"]) == ("4730.00", "0.00")
    assert shop.service(1)["nextduedate"] == "2026-12-21"


def test_a_mark_field_for_admins_only_is_kept_and_not_shown_among_products(shop: Shop) -> None:
    shop.whmcs.configure(mark_field_on_order_form=False)
    shop.order(101, customfields=packed({5101: "801X"}))
    assert shop.call("GetProducts", pid=101)["products"]["product"][0]["customfields"] == {"customfield": []}
    assert shop.service(1)["customfields"]["customfield"][0]["value"] == "801X"
