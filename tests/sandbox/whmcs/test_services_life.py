"""Services after they were set up: UpdateClientProduct, the module commands, requests for cancellation, add-ons."""

from typing import Any

import pytest

from sandbox.whmcs.control import change_settings
from tests.sandbox.whmcs.php_arrays import packed
from tests.sandbox.whmcs.shop import Shop


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"domain": "aiko.example"}, {"domain": "aiko.example"}),
        ({"serverid": "4"}, {"serverid": "4", "servername": "provisioning 4"}),
        ({"regdate": "2026-01-31"}, {"regdate": "2026-01-31"}),
        ({"nextduedate": "2027-03-01"}, {"nextduedate": "2027-03-01"}),
        ({"firstpaymentamount": "12.5"}, {"firstpaymentamount": "12.50"}),
        ({"recurringamount": "0"}, {"recurringamount": "0.00"}),
        ({"paymentmethod": "bank"}, {"paymentmethod": "bank", "paymentmethodname": "bank"}),
        ({"billingcycle": "semi annually"}, {"billingcycle": "Semi-Annually"}),
        ({"billingcycle": "Fortnightly"}, {"billingcycle": "Monthly"}),
        ({"subscriptionid": "sub_1"}, {"subscriptionid": "sub_1"}),
        ({"status": "Terminated"}, {"status": "Terminated"}),
        ({"status": "Asleep"}, {"status": "Active"}),
        ({"notes": "by hand"}, {"notes": "by hand"}),
        ({"serviceusername": "a", "servicepassword": "b"}, {"username": "a", "password": "b"}),
        (
            {"overideautosuspend": "1", "overidesuspenduntil": "2027-01-01"},
            {"overideautosuspend": "1", "overidesuspenduntil": "2027-01-01"},
        ),
        ({"ns1": "a", "ns2": "b"}, {"ns1": "a", "ns2": "b"}),
        ({"dedicatedip": "192.0.2.1", "assignedips": "192.0.2.2"}, {"dedicatedip": "192.0.2.1"}),
        (
            {"diskusage": 1, "disklimit": 2, "bwusage": 3, "bwlimit": 4},
            {"diskusage": "1", "disklimit": "2", "bwusage": "3", "bwlimit": "4"},
        ),
        ({"suspendreason": "asked"}, {"suspensionreason": "asked"}),
        ({"promoid": 3}, {"promoid": "3"}),
        ({"recurringamount": "1", "autorecalc": 1}, {"recurringamount": "4730.00"}),
        ({"domain": ""}, {"domain": "line-1"}),
        ({"unset[]": "domain"}, {"domain": ""}),
        ({"unset[0]": "serverid", "unset[1]": "nextduedate"}, {"serverid": "0", "nextduedate": "0000-00-00"}),
    ],
)
def test_each_field_of_a_service_is_written(shop: Shop, sent: dict[str, Any], shown: dict[str, str]) -> None:
    service = shop.working()
    shop.call("UpdateClientProduct", serviceid=service, domain="line-1", serverid=9)
    assert shop.call("UpdateClientProduct", sent, serviceid=service)["result"] == "success"
    row = shop.service(service)
    assert {name: row[name] for name in shown} == shown


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"nextduedate": "31/12/2026"}, "Invalid Date Format"),
        ({"regdate": "2026-02-30"}, "Invalid Date Format"),
        ({"recurringamount": "much"}, "Amount must be in decimal format: ### or ###.##"),
        ({"pid": 999}, "Product ID Not Found"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_nothing_of_the_call_is_kept(
    shop: Shop, sent: dict[str, Any], message: str
) -> None:
    service = shop.working()
    before = shop.service(service)
    assert shop.call("UpdateClientProduct", {"notes": "new", **sent}, serviceid=service)["message"] == message
    assert shop.service(service) == before


def test_another_product_keeps_the_mark_and_the_options_both_have(shop: Shop) -> None:
    options = {"configoptions[0]": packed({11: 113}), "customfields[0]": packed({5101: "801X"})}
    shop.order(101, **options)
    shop.call("UpdateClientProduct", serviceid=1, pid=103, autorecalc=1)
    row = shop.service(1)
    assert (row["name"], row["recurringamount"]) == ("Home House 10G", "7480.00")
    assert row["customfields"]["customfield"][0]["value"] == "801X"
    assert row["configoptions"]["configoption"][0]["value"] == "Wi-Fi 6 router rental"


def test_options_are_recalculated_with_the_service(shop: Shop) -> None:
    shop.order(301)
    shop.call("UpdateClientProduct", serviceid=1, configoptions=packed({31: {"optionid": 311, "qty": 4}}), autorecalc=1)
    assert shop.service(1)["recurringamount"] == "990.00"


@pytest.mark.parametrize(
    ("action", "fields", "status"),
    [
        ("ModuleSuspend", {"suspendreason": "asked for it"}, "Suspended"),
        ("ModuleTerminate", {}, "Terminated"),
        ("ModuleChangePackage", {}, "Active"),
        ("ModuleChangePw", {"servicepassword": "n3w"}, "Active"),
        ("ModuleCustom", {"func_name": "resync"}, "Active"),
    ],
)
def test_a_module_command_that_works_has_its_effect(
    shop: Shop, action: str, fields: dict[str, Any], status: str
) -> None:
    service = shop.working()
    assert shop.call(action, fields, serviceid=service) == {"result": "success"}
    row = shop.service(service)
    assert row["status"] == status
    assert row["suspensionreason"] == fields.get("suspendreason", "")
    assert row["password"] == fields.get("servicepassword", "pw-000001")


COMMANDS = {
    "ModuleCreate": "create",
    "ModuleSuspend": "suspend",
    "ModuleUnsuspend": "unsuspend",
    "ModuleTerminate": "terminate",
    "ModuleChangePackage": "change_package",
    "ModuleChangePw": "change_password",
    "ModuleCustom": "custom",
}


@pytest.mark.parametrize(("action", "command"), COMMANDS.items())
def test_each_module_command_can_be_made_to_fail_once_and_then_changes_nothing(
    shop: Shop, action: str, command: str
) -> None:
    service = shop.working()
    if command == "create":
        shop.call("ModuleTerminate", serviceid=service)
    before = shop.service(service)["status"]
    change_settings(shop.whmcs, {"module_failure": {"pid": 101, "command": command, "text": "No route"}})
    fields = {"serviceid": service, "func_name": "resync"}
    assert shop.call(action, fields) == {"result": "error", "message": "No route"}
    assert shop.service(service)["status"] == before
    assert shop.call(action, fields) == {"result": "success"}


@pytest.mark.parametrize("action", COMMANDS)
def test_module_commands_refuse_alike(shop: Shop, action: str) -> None:
    shop.order(191)
    assert shop.call(action)["message"] == "Service ID is required"
    assert shop.call(action, serviceid=99)["message"] == "Service ID not found"
    assert shop.call(action, accountid=1)["message"] == "Service not assigned to a module"


def test_what_was_never_made_cannot_be_suspended(shop: Shop) -> None:
    shop.order(101)
    assert shop.call("ModuleSuspend", serviceid=1)["message"] == "Account not found"
    assert shop.service(1)["status"] == "Pending"


def test_a_termination_that_worked_behind_a_failure_can_only_be_created_again(shop: Shop) -> None:
    service = shop.working()
    failure = {"pid": 101, "command": "terminate", "after_commit": True, "text": "Timed out"}
    change_settings(shop.whmcs, {"module_failure": failure})
    assert shop.call("ModuleTerminate", serviceid=service)["message"] == "Timed out"
    assert shop.service(service)["status"] == "Active"
    assert shop.call("ModuleTerminate", serviceid=service)["message"] == "Account not found"
    assert shop.call("ModuleCreate", serviceid=service)["result"] == "success"


def test_a_suspended_service_comes_back(shop: Shop) -> None:
    service = shop.working()
    shop.call("ModuleSuspend", serviceid=service, suspendreason="asked")
    shop.call("ModuleUnsuspend", serviceid=service)
    assert (shop.service(service)["status"], shop.service(service)["suspensionreason"]) == ("Active", "")


def test_an_unknown_function_of_the_module_is_refused_by_it(shop: Shop) -> None:
    service = shop.working()
    assert shop.call("ModuleCustom", serviceid=service, func_name="explode")["result"] == "error"


def test_a_request_for_cancellation_is_noted_once_and_changes_nothing_yet(shop: Shop) -> None:
    service = shop.working()
    asked = {"serviceid": service, "type": "Immediate", "reason": "moving"}
    assert shop.call("AddCancelRequest", asked) == {"result": "success", "serviceid": service, "userid": 1}
    assert shop.call("AddCancelRequest", asked)["message"] == "Existing Cancellation Request Exists"
    assert shop.call("AddCancelRequest", serviceid=99)["message"] == "Service ID Not Found"
    assert shop.service(service)["status"] == "Active"
    (row,) = shop.call("GetCancelledPackages")["packages"]["package"]
    assert (row["relid"], row["type"], row["reason"], row["date"]) == (
        service,
        "Immediate",
        "moving",
        row["created_at"],
    )
    assert shop.mails()[-1] == "Cancellation Request Confirmation"


@pytest.mark.parametrize(("sent", "default"), [("", "Immediate"), ("soon", "End of Billing Period")])
def test_which_type_is_meant_when_none_is_sent_is_a_switch(shop: Shop, sent: str, default: str) -> None:
    shop.whmcs.configure(cancel_type_default=default)
    shop.call("AddCancelRequest", serviceid=shop.working(), type=sent)
    assert shop.call("GetCancelledPackages")["packages"]["package"][0]["type"] == default


@pytest.mark.parametrize(("cancels", "status"), [(True, "Cancelled"), (False, "Unpaid")])
def test_a_request_may_cancel_the_services_unpaid_invoices(shop: Shop, cancels: bool, status: str) -> None:
    shop.whmcs.configure(cancel_request_cancels_invoices=cancels)
    shop.order(101)
    shop.order(101, 191)
    for service in (1, 2):
        shop.call("AddCancelRequest", serviceid=service)
    assert [shop.invoice(number)["status"] for number in (1, 2)] == [status, "Unpaid"]


def test_requests_are_listed_in_pages_for_everybody(shop: Shop) -> None:
    for _ in range(3):
        shop.call("AddCancelRequest", serviceid=shop.working())
    page = shop.call("GetCancelledPackages", limitstart=1, limitnum=1)
    assert (page["totalresults"], page["numreturned"], page["packages"]["package"][0]["relid"]) == (3, 1, 2)


CARE = {"id": 8, "name": "Care", "price": 220, "setup_fee": 500}


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"status": "Suspended"}, {"status": "Suspended"}),
        ({"name": "Better care", "notes": "n"}, {"name": "Better care", "notes": "n"}),
        ({"setupfee": "1", "recurring": "2.5"}, {"setupfee": "1.00", "recurring": "2.50"}),
        ({"billingcycle": "Annually"}, {"billingcycle": "Annually"}),
        ({"nextduedate": "2027-05-05"}, {"nextduedate": "2027-05-05", "nextinvoicedate": "2027-05-05"}),
        ({"recurring": "1", "autorecalc": 1}, {"recurring": "220.00"}),
    ],
)
def test_each_field_of_an_add_on_is_written(shop: Shop, sent: dict[str, Any], shown: dict[str, str]) -> None:
    shop.whmcs.configure(addons=[CARE])
    shop.order(101, **{"addons[0]": "8"})
    assert shop.call("UpdateClientAddon", sent, id=1) == {"result": "success", "id": 1}
    (row,) = shop.call("GetClientsAddons", clientid=1)["addons"]["addon"]
    assert {name: row[name] for name in shown} == shown


def test_an_add_on_needs_something_to_write(shop: Shop) -> None:
    shop.whmcs.configure(addons=[CARE])
    shop.order(101, **{"addons[0]": "8"})
    assert shop.call("UpdateClientAddon", id=1, status="Asleep")["message"] == "Nothing to Update"
    assert shop.call("UpdateClientAddon", id=2, status="Active")["message"] == "Addon ID Not Found"
    assert shop.call("UpdateClientAddon", id=1, nextduedate="soon")["message"] == "Invalid Date Format"


def test_no_domain_is_ever_listed(shop: Shop) -> None:
    shop.order(101, **{"domain[0]": "aiko.example"})
    listing = shop.call("GetClientsDomains", clientid=1)
    assert (listing["totalresults"], listing["domains"], listing["clientid"]) == (0, {"domain": []}, "1")


def test_no_quote_exists(shop: Shop) -> None:
    assert shop.call("GetQuotes")["quotes"] == {"quote": []}
    assert shop.call("AcceptQuote", quoteid=1)["message"] == "Quote ID Not Found"
