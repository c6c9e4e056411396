"""Invoices made and changed by hand, and what they add up to: whmcs-wire §3.5, §3.7."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.whmcs.billing.records import Invoice, InvoiceLine
from sandbox.whmcs.billing.switches import BillingSwitches
from sandbox.whmcs.billing.totals import add_up
from tests.sandbox.whmcs.shop import Shop

ITEMS = {
    "itemdescription1": "Setup",
    "itemamount1": "1000",
    "itemtaxed1": 1,
    "itemdescription3": "Tea",
    "itemamount3": "50",
}


def made(shop: Shop, **more: Any) -> int:
    created = shop.call("CreateInvoice", {**ITEMS, **more}, userid=1)
    assert created["result"] == "success", created
    return int(created["invoiceid"])


def sums(shop: Shop, number: int) -> tuple[str, str, str, str]:
    invoice = shop.invoice(number)
    return invoice["subtotal"], invoice["tax"], invoice["tax2"], invoice["total"]


def test_numbered_items_become_lines_by_their_numbers(shop: Shop) -> None:
    lines = shop.invoice(made(shop))["items"]["item"]
    assert [(line["description"], line["amount"], line["taxed"]) for line in lines] == [
        ("Setup", "1000.00", 1),
        ("Tea", "50.00", 0),
    ]


@pytest.mark.parametrize(
    ("switches", "fields", "expected"),
    [
        ({}, {}, ("959.09", "90.91", "0.00", "1050.00")),
        ({"tax_type": "Exclusive"}, {}, ("1050.00", "100.00", "0.00", "1150.00")),
        ({"tax_type": "Exclusive", "tax_rate2": 2.5}, {}, ("1050.00", "100.00", "25.00", "1175.00")),
        ({}, {"taxrate": "8"}, ("975.93", "74.07", "0.00", "1050.00")),
        ({}, {"taxrate": "0"}, ("1050.00", "0.00", "0.00", "1050.00")),
        ({"tax_rate": 0}, {}, ("1050.00", "0.00", "0.00", "1050.00")),
    ],
)
def test_tax_is_inside_of_the_prices_or_on_top(
    shop: Shop, switches: dict[str, Any], fields: dict[str, Any], expected: tuple[str, ...]
) -> None:
    shop.whmcs.configure(**switches)
    assert sums(shop, made(shop, **fields)) == expected


@pytest.mark.parametrize(("per_line", "tax"), [(True, "0.96"), (False, "0.95")])
def test_tax_rounded_on_each_line_may_differ_from_tax_rounded_once(shop: Shop, per_line: bool, tax: str) -> None:
    shop.whmcs.configure(tax_type="Exclusive", tax_per_line=per_line)
    items = {f"item{kind}{n}": value for n in (1, 2) for kind, value in (("amount", "4.75"), ("taxed", 1))}
    created = shop.call("CreateInvoice", items | {"itemdescription1": "a", "itemdescription2": "b"}, userid=1)
    assert shop.invoice(created["invoiceid"])["tax"] == tax


@given(
    amounts=st.lists(st.tuples(st.integers(-(10**9), 10**9), st.booleans()), max_size=8),
    rates=st.tuples(st.integers(0, 100), st.integers(0, 100)),
    inclusive=st.booleans(),
    per_line=st.booleans(),
)
def test_subtotal_and_taxes_always_make_the_total(
    amounts: list[tuple[int, bool]], rates: tuple[int, int], inclusive: bool, per_line: bool
) -> None:
    lines = [
        InvoiceLine(n, "", 0, "", f"{Decimal(cents) / 100:.2f}", taxed) for n, (cents, taxed) in enumerate(amounts)
    ]
    invoice = Invoice(1, 1, 0, "2026-11-21", "2026-11-21", "stripe", lines)
    invoice.tax_rate, invoice.tax_rate2 = (f"{rate}.000" for rate in rates)
    add_up(invoice, BillingSwitches(tax_type="Inclusive" if inclusive else "Exclusive", tax_per_line=per_line))
    charged = sum((Decimal(line.amount) for line in lines), Decimal(0))
    taxes = Decimal(invoice.tax) + Decimal(invoice.tax2)
    assert Decimal(invoice.subtotal) + taxes == Decimal(invoice.total)
    assert Decimal(invoice.total if inclusive else invoice.subtotal) == charged


def test_dates_gateway_and_notes_are_taken(shop: Shop) -> None:
    fields = {"date": "2026-11-01", "duedate": "2026-12-01", "notes": "n", "paymentmethod": "bank"}
    invoice = shop.invoice(made(shop, **fields))
    assert {name: invoice[name] for name in fields} == fields
    assert invoice["ccgateway"] is False


@pytest.mark.parametrize(
    ("fields", "status", "mails"),
    [
        ({}, "Unpaid", []),
        ({"sendinvoice": 1}, "Unpaid", ["Customer Invoice"]),
        ({"draft": 1}, "Draft", []),
        ({"status": "Paid"}, "Paid", []),
        ({"autoapplycredit": 1}, "Paid", ["Invoice Payment Confirmation"]),
    ],
)
def test_the_status_of_a_new_invoice(shop: Shop, fields: dict[str, Any], status: str, mails: list[str]) -> None:
    shop.call("AddCredit", clientid=1, description="Sorry", amount="5000")
    created = shop.call("CreateInvoice", {**ITEMS, **fields}, userid=1)
    assert created["status"] == shop.invoice(created["invoiceid"])["status"] == status
    assert shop.mails() == mails


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"userid": 9}, "Client ID Not Found"),
        (
            {"draft": 1, "sendinvoice": 1},
            "Cannot create and send a draft invoice in a single API request. Please create and send separately.",
        ),
        ({"status": "Gone"}, "Invalid status Gone"),
        ({"duedate": "soon"}, "Invalid Date Format"),
        ({"itemdescription1": "x", "itemamount1": "much"}, "Amount must be in decimal format: ### or ###.##"),
    ],
)
def test_an_invoice_that_cannot_be_is_not_made(shop: Shop, fields: dict[str, Any], message: str) -> None:
    assert shop.call("CreateInvoice", {"userid": 1, **fields})["message"] == message
    assert shop.call("GetInvoices")["totalresults"] == 0


def test_lines_are_changed_taken_away_and_added(shop: Shop) -> None:
    number = made(shop)
    first, second = (line["id"] for line in shop.invoice(number)["items"]["item"])
    changed = {
        f"itemdescription[{first}]": "Setup at home",
        f"itemamount[{first}]": "2000",
        f"itemtaxed[{first}]": 0,
        "deletelineids[]": second,
        "newitemdescription[0]": "Cable",
        "newitemamount[0]": "300",
        "newitemtaxed[0]": 1,
    }
    shop.call("UpdateInvoice", changed, invoiceid=number)
    lines = shop.invoice(number)["items"]["item"]
    assert [(line["description"], line["amount"], line["taxed"]) for line in lines] == [
        ("Setup at home", "2000.00", 0),
        ("Cable", "300.00", 1),
    ]
    assert sums(shop, number) == ("2272.73", "27.27", "0.00", "2300.00")


def test_a_line_is_changed_with_all_three_of_its_values_or_not_at_all(shop: Shop) -> None:
    number = made(shop)
    line = shop.invoice(number)["items"]["item"][0]["id"]
    refused = shop.call("UpdateInvoice", {f"itemdescription[{line}]": "x", f"itemamount[{line}]": 1}, invoiceid=number)
    assert refused["message"].startswith("Missing Variables: itemdescription, itemamount and itemtaxed")


@pytest.mark.parametrize(("flag", "mails"), [("publish", []), ("publishandsendemail", ["Customer Invoice"])])
def test_a_draft_is_published_once(shop: Shop, flag: str, mails: list[str]) -> None:
    number = made(shop, draft=1)
    assert shop.call("UpdateInvoice", {flag: 1}, invoiceid=number)["result"] == "success"
    assert (shop.invoice(number)["status"], shop.mails()) == ("Unpaid", mails)
    again = shop.call("UpdateInvoice", {flag: 1}, invoiceid=number)
    assert again["message"] == "Invoice must be in Draft status to be published"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"taxrate": "0"}, {"taxrate": "0.000", "tax": "0.00"}),
        ({"credit": "50"}, {"credit": "50.00", "total": "1000.00", "balance": "1000.00"}),
        ({"duedate": "2027-01-01", "date": "2026-12-01"}, {"duedate": "2027-01-01", "date": "2026-12-01"}),
        ({"paymentmethod": "bank", "notes": "x"}, {"paymentmethod": "bank", "notes": "x"}),
        ({"status": "Paid", "datepaid": "2026-11-20 10:00:00"}, {"status": "Paid", "datepaid": "2026-11-20 10:00:00"}),
        ({"status": "Collections"}, {"status": "Collections"}),
    ],
)
def test_each_field_of_an_invoice_is_written(shop: Shop, sent: dict[str, Any], shown: dict[str, str]) -> None:
    number = made(shop)
    shop.call("UpdateInvoice", sent, invoiceid=number)
    invoice = shop.invoice(number)
    assert {name: invoice[name] for name in shown} == shown


def test_a_status_set_by_hand_delivers_nothing(shop: Shop) -> None:
    shop.order(101)
    shop.call("UpdateInvoice", invoiceid=1, status="Paid")
    assert shop.service(1)["nextduedate"] == "2026-11-21"


@pytest.mark.parametrize(
    ("order_by", "numbers"),
    [("id", [1, 2, 3]), ("total", [3, 2, 1]), ("duedate", [2, 1, 3]), ("status", [3, 1, 2]), ("", [1, 2, 3])],
)
def test_invoices_are_sorted(shop: Shop, order_by: str, numbers: list[int]) -> None:
    for amount, due in (("300", "2026-12-02"), ("200", "2026-12-01"), ("100", "2026-12-03")):
        made(shop, itemamount1=amount, duedate=due)
    shop.call("UpdateInvoice", invoiceid=3, status="Cancelled")
    assert [row["id"] for row in shop.invoices(orderby=order_by)] == numbers
    assert [row["id"] for row in shop.invoices(orderby=order_by, order="desc")] == numbers[::-1]


def test_invoices_are_found_by_status_and_when_overdue(shop: Shop) -> None:
    for due in ("2026-11-20", "2026-11-21"):
        made(shop, duedate=due)
    shop.call("UpdateInvoice", invoiceid=made(shop, duedate="2026-11-01"), status="Cancelled")

    def found(**filters: Any) -> list[int]:
        return [row["id"] for row in shop.call("GetInvoices", filters)["invoices"]["invoice"]]

    assert found(status="Overdue") == found(status="Overdue", userid=1) == [1]
    assert found(status="Unpaid") == [1, 2]
    assert found(status="cancelled") == [3]
    assert found(userid=2) == []
