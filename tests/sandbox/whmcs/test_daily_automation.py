"""The daily automation: renewals, cards, reminders, cancellations, suspensions, billable items."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.types import ASGIApp

from sandbox import people
from sandbox.books import Book
from sandbox.whmcs.api import Call, answer
from sandbox.whmcs.control import change_settings
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import parse_urlencoded
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Reply, send, send_json
from tests.sandbox.whmcs.conftest import CREDENTIALS
from tests.sandbox.whmcs.shop import NOON, Shop


def bills(shop: Shop) -> list[tuple[str, str, str]]:
    return [(row["duedate"], row["total"], row["status"]) for row in shop.invoices(orderby="id")]


def holdings(whmcs: Whmcs) -> dict[str, list[Any]]:
    """Everything a run could change."""
    books: dict[str, Book[Any]] = {
        "invoices": whmcs.invoices,
        "services": whmcs.services,
        "addons": whmcs.addons,
        "transactions": whmcs.transactions,
        "credits": whmcs.credits,
        "requests": whmcs.cancel_requests,
        "items": whmcs.billable_items,
        "mails": whmcs.sent_mails,
    }
    return {name: book.all() for name, book in books.items()}


def test_the_next_period_is_invoiced_fourteen_days_before_it_begins_and_charged_when_it_does(shop: Shop) -> None:
    service = shop.working()
    shop.card()
    shop.days_pass(15)
    assert bills(shop) == [("2026-11-21", "4730.00", "Paid")]
    shop.days_pass(1)
    assert bills(shop)[1:] == [("2026-12-21", "4730.00", "Unpaid")]
    assert "2026-12-21 - 2027-01-20" in shop.invoice(2)["items"]["item"][0]["description"]
    shop.days_pass(13)
    assert shop.service(service)["nextduedate"] == "2026-12-21"
    shop.days_pass(1)
    assert bills(shop)[1:] == [("2026-12-21", "4730.00", "Paid")]
    assert shop.service(service)["nextduedate"] == "2027-01-21"
    assert shop.mails()[-2:] == ["Customer Invoice", "Credit Card Payment Confirmation"]


def test_a_second_run_on_one_day_finds_nothing_left_to_do(shop: Shop) -> None:
    shop.working()
    shop.card("4000000000000002")
    unpaid = shop.working(201)
    shop.call("AddBillableItem", clientid=1, description="x", amount=10, unit="quantity", invoiceaction="nextcron")
    shop.call("AddCancelRequest", serviceid=unpaid, type="Immediate")
    shop.days_pass(45)
    shop.whmcs.clock.advance(timedelta(hours=1))
    before = holdings(shop.whmcs)
    shop.cron()
    assert holdings(shop.whmcs) == before


def test_no_further_period_is_invoiced_while_one_is_unpaid_unless_installed_so(shop: Shop) -> None:
    shop.whmcs.configure(suspend_days=0)
    shop.working()
    shop.days_pass(80)
    assert len(shop.invoices()) == 2
    shop.whmcs.configure(continuous_invoices=True)
    shop.days_pass(1)
    assert [due for due, _, _ in bills(shop)] == ["2026-11-21", "2026-12-21", "2027-01-21"]


def test_lines_of_one_day_and_gateway_share_an_invoice_unless_installed_otherwise(shop: Shop) -> None:
    shop.working()
    shop.working(201)
    shop.days_pass(16)
    assert bills(shop)[2:] == [("2026-12-21", "5940.00", "Unpaid")]
    shop.whmcs.configure(group_invoices=False)
    shop.pay(3)
    shop.days_pass(31)
    assert bills(shop)[3:] == [("2027-01-21", "4730.00", "Unpaid"), ("2027-01-21", "1210.00", "Unpaid")]


def test_the_last_day_of_a_month_comes_back_after_a_shorter_one(shop: Shop) -> None:
    shop.whmcs.clock.set(NOON.replace(year=2027, month=1, day=31))
    service = shop.working()
    due = []
    for number in range(2, 6):
        shop.days_pass(27)
        shop.pay(number)
        due.append(shop.service(service)["nextduedate"])
    assert due == ["2027-03-31", "2027-04-30", "2027-05-31", "2027-06-30"]


@pytest.mark.parametrize(("zone", "today"), [("Asia/Tokyo", "2026-11-22"), ("America/New_York", "2026-11-21")])
def test_dates_are_those_of_the_servers_time_zone(shop: Shop, zone: str, today: str) -> None:
    shop.whmcs.clock.set(NOON.replace(hour=16))
    shop.whmcs.configure(time_zone=zone)
    shop.order(101)
    assert (shop.service(1)["regdate"], shop.invoice(1)["date"]) == (today, today)


def test_a_time_zone_that_does_not_exist_is_refused(shop: Shop) -> None:
    with pytest.raises(ValueError, match="no such time zone"):
        shop.whmcs.configure(time_zone="Asia/Edo")


def test_a_service_that_costs_nothing_goes_on_without_a_payment(shop: Shop) -> None:
    shop.order(101, **{"priceoverride[0]": 0})
    shop.call("AcceptOrder", orderid=1)
    shop.days_pass(1)
    assert bills(shop) == [("2026-11-21", "0.00", "Paid")]
    assert shop.service(1)["nextduedate"] == "2026-12-21"


def test_an_order_without_invoice_is_invoiced_by_the_automation_at_its_first_price(shop: Shop) -> None:
    shop.order(101, noinvoice=1)
    shop.call("UpdateClientProduct", serviceid=1, firstpaymentamount="100")
    shop.call("AcceptOrder", orderid=1)
    shop.cron()
    assert bills(shop) == [("2026-11-21", "100.00", "Unpaid")]


def test_pending_services_are_not_invoiced(shop: Shop) -> None:
    shop.order(101, noinvoice=1)
    shop.cron()
    assert bills(shop) == []


def test_add_ons_are_renewed_with_their_price_alone(shop: Shop) -> None:
    shop.whmcs.configure(addons=[{"id": 8, "name": "Care", "price": 220, "setup_fee": 500}])
    shop.order(101, **{"addons[0]": "8"})
    shop.pay(1)
    shop.call("AcceptOrder", orderid=1)
    shop.days_pass(16)
    assert [(line["type"], line["amount"]) for line in shop.invoice(2)["items"]["item"]] == [
        ("Hosting", "4730.00"),
        ("Addon", "220.00"),
    ]
    shop.pay(2)
    assert shop.call("GetClientsAddons")["addons"]["addon"][0]["nextduedate"] == "2027-01-21"


def test_credit_is_used_for_a_renewal_before_the_card(shop: Shop) -> None:
    shop.working()
    shop.card()
    shop.call("AddCredit", clientid=1, description="Sorry", amount="4000")
    shop.days_pass(30)
    invoice = shop.invoice(2)
    assert (invoice["status"], invoice["credit"], invoice["total"]) == ("Paid", "4000.00", "730.00")
    assert invoice["transactions"]["transaction"][0]["amountin"] == "730.00"


def test_a_declined_card_is_tried_again_after_a_week(shop: Shop) -> None:
    shop.whmcs.configure(suspend_days=0, declined_captures=1)
    shop.working()
    shop.card()
    shop.days_pass(36)
    assert shop.invoice(2)["status"] == "Unpaid"
    assert [each.detail["failure"] for each in shop.whmcs.ledger.read("whmcs", "invoice.capture")] == [
        "declined by switch"
    ]
    shop.days_pass(1)
    assert shop.invoice(2)["status"] == "Paid"


def test_a_service_is_reminded_of_suspended_and_works_again_when_paid(shop: Shop) -> None:
    service = shop.working()
    shop.days_pass(31)
    assert shop.mails()[-1] == "First Invoice Overdue Notice"
    assert shop.call("GetInvoices", status="Overdue")["totalresults"] == 1
    shop.days_pass(3)
    assert shop.service(service)["status"] == "Active"
    shop.days_pass(1)
    row = shop.service(service)
    assert (row["status"], row["suspensionreason"]) == ("Suspended", "Overdue on Payment")
    assert shop.mails()[-1] == "Service Suspension Notification"
    shop.pay(2)
    assert shop.service(service)["status"] == "Active"
    assert shop.mails()[-1] == "Service Unsuspension Notification"


def test_a_service_that_stays_unpaid_is_terminated_where_installed_so(shop: Shop) -> None:
    shop.whmcs.configure(terminate_days=20)
    service = shop.working()
    shop.days_pass(49)
    assert shop.service(service)["status"] == "Suspended"
    shop.days_pass(1)
    assert shop.service(service)["status"] == "Terminated"


def test_days_that_nobody_ran_the_automation_are_made_up_for(shop: Shop) -> None:
    shop.whmcs.configure(terminate_days=20)
    service = shop.working()
    shop.days_pass(60, cron=False)
    run = shop.cron()
    assert (run.counts["AutoSuspensions"], run.counts["AutoTerminations"]) == ({"done": 1}, {"done": 1})
    assert shop.service(service)["status"] == "Terminated"


@pytest.mark.parametrize(("until", "status"), [("", "Active"), ("2027-06-01", "Active"), ("2026-12-22", "Suspended")])
def test_an_exemption_keeps_a_service_going(shop: Shop, until: str, status: str) -> None:
    service = shop.working()
    shop.call("UpdateClientProduct", serviceid=service, overideautosuspend=1, overidesuspenduntil=until)
    shop.days_pass(40)
    assert shop.service(service)["status"] == status


def test_a_suspension_by_a_person_is_not_ended_by_a_payment(shop: Shop) -> None:
    service = shop.working()
    shop.days_pass(16)
    shop.call("ModuleSuspend", serviceid=service, suspendreason="abuse")
    shop.pay(2)
    assert shop.service(service)["status"] == "Suspended"


def test_a_module_that_fails_leaves_the_service_and_the_next_day_tries_again(shop: Shop) -> None:
    service = shop.working()
    change_settings(shop.whmcs, {"module_failure": {"pid": 101, "command": "suspend"}})
    shop.days_pass(35)
    assert shop.service(service)["status"] == "Active"
    assert shop.call("GetModuleQueue")["queue"][0]["moduleAction"] == "SuspendAccount"
    shop.days_pass(1)
    assert shop.service(service)["status"] == "Suspended"


def test_an_immediate_request_ends_the_service_with_the_next_run(shop: Shop) -> None:
    service = shop.working()
    shop.call("AddCancelRequest", serviceid=service, type="Immediate")
    shop.cron()
    assert shop.service(service)["status"] == "Cancelled"
    shop.days_pass(40)
    assert len(shop.invoices()) == 1
    assert shop.call("AddCancelRequest", serviceid=service)["message"] == "Existing Cancellation Request Exists"


def test_a_request_for_the_end_of_the_period_waits_for_it_and_stops_renewals(shop: Shop) -> None:
    service = shop.working()
    shop.call("AddCancelRequest", serviceid=service, type="End of Billing Period")
    shop.days_pass(29)
    assert (shop.service(service)["status"], len(shop.invoices())) == ("Active", 1)
    shop.days_pass(1)
    assert shop.service(service)["status"] == "Cancelled"


def test_a_request_stays_open_while_the_module_fails(shop: Shop) -> None:
    service = shop.working()
    change_settings(shop.whmcs, {"module_failure": {"pid": 101, "command": "terminate"}})
    shop.call("AddCancelRequest", serviceid=service, type="Immediate")
    shop.cron()
    assert shop.service(service)["status"] == "Active"
    shop.cron()
    assert shop.service(service)["status"] == "Cancelled"


def add_item(shop: Shop, **fields: Any) -> dict[str, Any]:
    good = {"clientid": 1, "description": "Usage", "amount": "100", "unit": "quantity"}
    return shop.call("AddBillableItem", good | fields)


def test_a_billable_item_answers_with_status_instead_of_result(shop: Shop) -> None:
    assert add_item(shop) == {"status": "success", "billableid": 1}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"clientid": 9}, "Client ID not Found"),
        ({"description": ""}, "You must provide a description"),
        ({"invoiceaction": "never"}, "Invalid Invoice Action"),
        ({"invoiceaction": "recur", "recur": 1, "recurcycle": "Months"}, "Recurring must have a unit, cycle and limit"),
        ({"invoiceaction": "recur", "recurfor": 1, "recurcycle": "Moons", "recur": 1}, "Recurring must have a unit,"),
        ({"invoiceaction": "duedate"}, "Due date is required"),
        ({"amount": "much"}, "Amount must be in decimal format"),
        ({"unit": "litres"}, "Invalid Unit, please specify either 'hours' or 'quantity'"),
        ({"duedate": "01/02/2027"}, "Invalid Date Format - Expected: 'YYYY-mm-dd'"),
    ],
)
def test_billable_items_are_refused(shop: Shop, fields: dict[str, Any], message: str) -> None:
    assert add_item(shop, **fields)["message"].startswith(message)
    assert len(shop.whmcs.billable_items) == 0


@pytest.mark.parametrize(
    ("fields", "days", "expected"),
    [
        ({}, 60, []),
        ({"invoiceaction": "nextcron", "quantity": "2.5"}, 1, [("2026-11-22", "250.00", "Unpaid")]),
        ({"invoiceaction": "nextinvoice"}, 15, []),
        ({"invoiceaction": "duedate", "duedate": "2026-12-10"}, 4, []),
        ({"invoiceaction": "duedate", "duedate": "2026-12-10"}, 5, [("2026-12-10", "100.00", "Unpaid")]),
        (
            {"invoiceaction": "recur", "recur": 2, "recurcycle": "Weeks", "recurfor": 2, "duedate": "2026-12-10"},
            60,
            [("2026-12-10", "100.00", "Unpaid"), ("2026-12-24", "100.00", "Unpaid")],
        ),
        (
            {"invoiceaction": "recur", "recur": 1, "recurcycle": "months", "recurfor": 9, "duedate": "2026-11-30"},
            40,
            [("2026-11-30", "100.00", "Unpaid"), ("2026-12-30", "100.00", "Unpaid")],
        ),
    ],
)
def test_a_billable_item_is_invoiced_as_it_says(
    shop: Shop, fields: dict[str, Any], days: int, expected: list[tuple[str, str, str]]
) -> None:
    add_item(shop, **fields)
    shop.days_pass(days)
    assert bills(shop) == expected


def test_an_item_for_the_next_invoice_comes_with_it(shop: Shop) -> None:
    shop.working()
    add_item(shop, invoiceaction="nextinvoice", unit="hours", quantity="3")
    shop.days_pass(17)
    lines = shop.invoice(2)["items"]["item"]
    assert [(line["type"], line["amount"]) for line in lines] == [("Hosting", "4730.00"), ("Item", "300.00")]
    assert lines[1]["description"] == "Usage - 3 Hours @ ¥100 JPY/Hour"


def test_invoices_can_be_generated_on_demand_for_one_client_or_service(shop: Shop) -> None:
    first, second = shop.working(), shop.working(201)
    shop.whmcs.clock.advance(timedelta(days=20))
    made = shop.call("GenInvoices", {"serviceids[]": second}, clientid=1)
    assert (made["numcreated"], shop.invoice(made["latestinvoiceid"])["items"]["item"][0]["relid"]) == (1, second)
    assert shop.call("GenInvoices", noemails=1)["numcreated"] == 1
    assert shop.invoice(4)["items"]["item"][0]["relid"] == first
    assert shop.call("GenInvoices") == {"result": "success", "numcreated": 0}
    assert shop.call("GenInvoices", clientid=9)["message"] == "Client ID Not Found"
    assert shop.mails().count("Customer Invoice") == 3


def test_a_run_without_mail_mails_nothing(shop: Shop) -> None:
    shop.working()
    shop.card()
    shop.whmcs.clock.advance(timedelta(days=30))
    before = shop.mails()
    run = shop.cron(mail=False)
    assert run.counts == {"CreateInvoices": {"invoice.created": 1}, "ProcessCreditCardPayments": {"captured": 1}}
    assert shop.mails() == before


def test_the_log_tells_what_each_day_did(shop: Shop) -> None:
    shop.working()
    shop.card()
    shop.whmcs.clock.advance(timedelta(days=30))
    shop.cron()
    log = shop.call("GetAutomationLog", namespace="CreateInvoices")
    assert log["statistics"] == {"2026-12-21": {"CreateInvoices": {"invoice.created": "1"}}}
    assert log["lastDailyCronInvocationTime"].startswith("2026-12-21 12:00")
    assert shop.call("GetAutomationLog", startdate="2026-12-01", enddate="2026-12-20")["statistics"] == {}
    assert shop.call("GetAutomationLog", startdate="soon")["message"] == "Invalid Date Format"


@pytest.fixture
def buttons(world: World) -> ASGIApp:
    world.clock.set(NOON)
    return people.app(world)


def test_the_button_runs_once_a_day_unless_forced(buttons: ASGIApp, world: World) -> None:
    first, again, forced = (send_json(buttons, "/control/whmcs/cron", body) for body in ({}, {}, {"force": True}))
    assert [reply.json()["ran"] for reply in (first, again, forced)] == [True, False, True]
    assert [each.key for each in world.ledger.read("whmcs", "cron.daily")] == ["2026-11-21"] * 2


def tell(world: World, action: str, **fields: Any) -> dict[str, Any]:
    form = parse_urlencoded(urlencode({**CREDENTIALS, "action": action, **fields}).encode())
    return answer(world.whmcs, Call(form, "127.0.0.1", ""))[0]


def test_an_order_gets_a_status_of_the_administrators_own_by_button(buttons: ASGIApp, world: World) -> None:
    tell(world, "AddClient", firstname="A", lastname="T", email="a@example.jp", password2="x", skipvalidation=1)
    tell(world, "AddOrder", clientid=1, pid=101, paymentmethod="stripe")

    def press(order: int, status: str) -> Reply:
        return send_json(buttons, f"/control/whmcs/orders/{order}/status", {"status": status})

    assert press(1, "Waiting").status == 422
    send_json(buttons, "/control/whmcs/settings", {"order_statuses": ["Waiting"]})
    assert press(1, "Waiting").json()["status"] == "Waiting"
    assert press(2, "Waiting").status == 404
    assert tell(world, "GetOrders", status="Waiting")["totalresults"] == 1


def test_a_promotion_is_made_by_button(buttons: ASGIApp, world: World) -> None:
    url = "/control/whmcs/promotions"
    assert send_json(buttons, url, {"code": "SPRING", "value": "10", "pids": [101]}).status == 201
    assert [send_json(buttons, url, body).status for body in ({}, {"code": "X", "value": "-1"}, {"code": ""})] == [
        422,
        422,
        422,
    ]
    assert tell(world, "GetPromotions")["promotions"]["promotion"][0]["appliesto"] == "101"
    assert send(buttons, "GET", "/control/whmcs/cron").status == 405
