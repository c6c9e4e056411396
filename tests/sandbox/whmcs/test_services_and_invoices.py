"""Services, invoices and the catalogue as the API shows them: whmcs-wire §3.2, §3.4, §3.5."""

from typing import Any

import pytest

from sandbox.whmcs.install import Whmcs
from tests.sandbox.whmcs.conftest import WhmcsCall
from tests.sandbox.whmcs.php_arrays import packed


@pytest.fixture
def vpn(call: WhmcsCall, aiko: int) -> int:
    """A pending VPN service of Aiko's with an unpaid invoice."""
    call("AddOrder", {"pid[0]": 301, "domain[0]": "vpn-1"}, clientid=aiko, paymentmethod="stripe")
    return 1


def row(call: WhmcsCall, service: int) -> dict[str, Any]:
    (found,) = call("GetClientsProducts", serviceid=service)["products"]["product"]
    assert isinstance(found, dict)
    return found


def test_services_echo_their_filters_and_count_in_a_string(call: WhmcsCall, aiko: int, vpn: int) -> None:
    listing = call("GetClientsProducts", clientid=aiko, domain="vpn-1")
    assert (listing["clientid"], listing["domain"], listing["pid"], listing["serviceid"]) == ("1", "vpn-1", None, None)
    assert (listing["totalresults"], listing["startnumber"], listing["numreturned"]) == ("1", 0, 1)


def test_a_service_row_has_ids_as_strings_and_empty_inner_collections(call: WhmcsCall, aiko: int) -> None:
    call("AddOrder", {"pid[0]": 191}, clientid=aiko, paymentmethod="stripe")
    service = row(call, 1)
    assert (service["id"], service["clientid"], service["orderid"], service["pid"]) == ("1", "1", "1", "191")
    assert service["configoptions"] == {"configoption": []}
    assert (service["billingcycle"], service["nextduedate"]) == ("One Time", "0000-00-00")


def test_a_misspelt_filter_lists_everybodys_services(call: WhmcsCall, vpn: int) -> None:
    assert call("GetClientsProducts", userid=99)["totalresults"] == "1"
    assert call("GetClientsProducts", clientid=99)["products"] == {"product": []}


def test_a_service_is_updated_without_running_its_module(call: WhmcsCall, whmcs: Whmcs, vpn: int) -> None:
    done = call("UpdateClientProduct", serviceid=vpn, status="Active", billingcycle="One-Time", notes="by hand")
    assert done == {"result": "success", "serviceid": "1"}
    service = row(call, vpn)
    assert (service["status"], service["billingcycle"], service["notes"]) == ("Active", "One Time", "by hand")
    assert whmcs.ledger.read("whmcs", "module.create") == []
    assert whmcs.ledger.read("whmcs", "UpdateClientProduct")[0].detail["before"] == "Pending"


def test_fields_and_quantities_of_a_service_are_written_as_serialised_arrays(call: WhmcsCall, vpn: int) -> None:
    options = packed({31: {"optionid": 311, "qty": 3}})
    call("UpdateClientProduct", serviceid=vpn, customfields=packed({5301: "801X"}), configoptions=options)
    service = row(call, vpn)
    assert service["customfields"]["customfield"][0]["value"] == "801X"
    assert service["configoptions"]["configoption"][0]["value"] == 3


def test_no_such_service_is_spelt_differently_by_each_action(call: WhmcsCall) -> None:
    assert call("UpdateClientProduct", serviceid=9)["message"] == "Service ID Not Found"
    assert call("ModuleCreate", serviceid=9)["message"] == "Service ID not found"
    assert call("ModuleCreate")["message"] == "Service ID is required"


def test_module_create_needs_a_module_and_takes_the_old_parameter_name(call: WhmcsCall, aiko: int, vpn: int) -> None:
    call("AddOrder", {"pid[0]": 391, "priceoverride[0]": "1"}, clientid=aiko, paymentmethod="stripe")
    assert call("ModuleCreate", serviceid=2)["message"] == "Service not assigned to a module"
    assert call("ModuleCreate", accountid=vpn)["result"] == "success"


def test_an_invoice_has_lines_that_name_their_service_and_no_currency(call: WhmcsCall, vpn: int) -> None:
    invoice = call("GetInvoice", invoiceid=1)
    (line,) = invoice["items"]["item"]
    assert (line["type"], line["relid"], line["amount"]) == ("Hosting", vpn, "550.00")
    assert (invoice["transactions"], invoice["invoicenum"], invoice["balance"]) == ("", "", "550.00")
    assert not any(name.startswith("currency") for name in invoice)


def test_invoices_are_filtered_and_sorted(call: WhmcsCall, aiko: int, vpn: int) -> None:
    call("AddOrder", {"pid[0]": 101}, clientid=aiko, paymentmethod="stripe")
    listing = call("GetInvoices", userid=aiko, status="Unpaid", orderby="total", order="desc")
    assert [each["total"] for each in listing["invoices"]["invoice"]] == ["4730.00", "550.00"]
    assert "balance" not in listing["invoices"]["invoice"][0]
    assert call("GetInvoices", status="Overdue")["totalresults"] == 0


def test_an_invoice_is_cancelled_and_a_wrong_status_refused(call: WhmcsCall, vpn: int) -> None:
    assert call("UpdateInvoice", invoiceid=1, status="Cancelled") == {"result": "success", "invoiceid": 1}
    assert call("GetInvoice", invoiceid=1)["status"] == "Cancelled"
    assert call("UpdateInvoice", invoiceid=1, status="Gone")["message"] == "Invalid status Gone"
    assert call("GetInvoice", invoiceid=5)["message"] == "Invoice ID Not Found"


def test_products_carry_prices_fields_and_options(call: WhmcsCall) -> None:
    (product,) = call("GetProducts", pid="101")["products"]["product"]
    price = product["pricing"]["JPY"]
    assert (product["module"], product["paytype"]) == ("sonixprov", "recurring")
    assert (price["monthly"], price["annually"], price["msetupfee"]) == ("4730.00", "-1.00", "0.00")
    assert product["customfields"]["customfield"][0]["name"] == "Salesforce Order Id"
    (option,) = product["configoptions"]["configoption"]
    assert [choice["id"] for choice in option["options"]["option"]] == [111, 112, 113]


def test_a_one_time_product_keeps_its_price_under_monthly_and_has_no_module(call: WhmcsCall) -> None:
    (product,) = call("GetProducts", pid="191")["products"]["product"]
    assert (product["module"], product["paytype"]) == ("", "onetime")
    assert product["pricing"]["JPY"]["monthly"] == "3300.00"


def test_every_product_has_a_field_of_its_own_for_the_mark(call: WhmcsCall) -> None:
    listing = call("GetProducts")
    fields = [each["customfields"]["customfield"][0]["id"] for each in listing["products"]["product"]]
    assert len(set(fields)) == listing["totalresults"] == len(fields)


def test_products_are_filtered_by_a_list_of_pids_and_by_module(call: WhmcsCall) -> None:
    assert call("GetProducts", pid="101,999,191")["totalresults"] == 2
    assert call("GetProducts", pid="999")["products"] == {"product": []}
    assert {each["module"] for each in call("GetProducts", module="sonixprov")["products"]["product"]} == {"sonixprov"}


def test_currency_and_gateway(call: WhmcsCall) -> None:
    currencies = call("GetCurrencies")
    assert (currencies["totalresults"], currencies["currencies"]["currency"][0]["id"]) == ("1", 1)
    methods = call("GetPaymentMethods")["paymentmethods"]["paymentmethod"]
    assert methods == [{"module": "stripe", "displayname": "Credit Card"}]
