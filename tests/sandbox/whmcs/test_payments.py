"""Payments, cards, credit and transactions: whmcs-wire §3.5."""

from typing import Any

import pytest

from tests.sandbox.whmcs.shop import Shop


def standing(shop: Shop, number: int = 1) -> tuple[str, str]:
    invoice = shop.invoice(number)
    return invoice["status"], invoice["balance"]


def credit(shop: Shop) -> str:
    rows = shop.call("GetCredits", clientid=1)["credits"]["credit"]
    return f"{sum(float(row['amount']) for row in rows):.2f}"


def test_a_payment_of_the_balance_makes_an_invoice_paid_and_moves_the_next_due_date(shop: Shop) -> None:
    shop.order(101)
    assert shop.pay(1) == {"result": "success"}
    assert standing(shop) == ("Paid", "0.00")
    assert shop.invoice(1)["datepaid"].startswith("2026-11-21 12:00")
    assert shop.service(1)["nextduedate"] == "2026-12-21"
    (row,) = shop.invoice(1)["transactions"]["transaction"]
    assert (row["transid"], row["gateway"], row["amountin"], row["invoiceid"]) == ("t1", "stripe", "4730.00", "1")


def test_parts_add_up_and_nothing_moves_before_the_last(shop: Shop) -> None:
    shop.order(101)
    shop.pay(1, amount="4000")
    assert (standing(shop), shop.service(1)["nextduedate"]) == (("Unpaid", "730.00"), "2026-11-21")
    shop.pay(1, amount="730", fees="30")
    assert (standing(shop), shop.service(1)["nextduedate"]) == (("Paid", "0.00"), "2026-12-21")


def test_what_is_too_much_becomes_credit_and_the_same_payment_twice_is_entered_twice(shop: Shop) -> None:
    shop.order(101)
    shop.pay(1, amount="5000")
    assert credit(shop) == "270.00"
    shop.pay(1, amount="5000")
    assert credit(shop) == "5270.00"
    assert shop.call("GetTransactions", transid="t1")["totalresults"] == 2
    assert shop.service(1)["nextduedate"] == "2026-12-21"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"invoiceid": 9}, "Invoice ID Not Found"),
        ({"amount": "much"}, "Amount must be in decimal format: ### or ###.##"),
        ({"date": "soon"}, "Invalid Date Format"),
    ],
)
def test_a_payment_that_cannot_be_is_not_entered(shop: Shop, fields: dict[str, Any], message: str) -> None:
    shop.order(101)
    assert shop.pay(1, **fields)["message"] == message
    assert standing(shop) == ("Unpaid", "4730.00")


def test_a_cancelled_invoice_takes_no_payment(shop: Shop) -> None:
    shop.order(101)
    shop.call("UpdateInvoice", invoiceid=1, status="Cancelled")
    message = "It is not possible to add a payment to an invoice that is Cancelled"
    assert shop.pay(1)["message"] == message


@pytest.mark.parametrize(("flag", "mails"), [({}, ["Invoice Payment Confirmation"]), ({"noemail": 1}, [])])
def test_a_payment_is_confirmed_by_mail_unless_suppressed(shop: Shop, flag: dict[str, Any], mails: list[str]) -> None:
    shop.order(101, noemail=1, noinvoiceemail=1)
    shop.pay(1, **flag)
    assert shop.mails() == mails


def test_a_stored_card_is_charged_and_told(shop: Shop) -> None:
    shop.order(101, noemail=1, noinvoiceemail=1)
    shop.card()
    assert shop.call("CapturePayment", invoiceid=1) == {"result": "success"}
    assert standing(shop) == ("Paid", "0.00")
    assert shop.mails() == ["Credit Card Payment Confirmation"]
    again = shop.call("CapturePayment", invoiceid=1)
    assert again["message"] == "Invoice Not Found or Not Unpaid"


@pytest.mark.parametrize("cards", [[], ["4000000000000002"]])
def test_without_a_card_that_pays_the_attempt_fails_without_a_reason(shop: Shop, cards: list[str]) -> None:
    shop.order(101, noemail=1, noinvoiceemail=1)
    for number in cards:
        shop.card(number)
    assert shop.call("CapturePayment", invoiceid=1) == {"result": "error", "message": "Payment Attempt Failed"}
    assert standing(shop) == ("Unpaid", "4730.00")
    assert shop.invoice(1)["lastcaptureattempt"].startswith("2026-11-21")
    assert shop.mails() == ["Credit Card Payment Failed"] * len(cards)


def test_a_card_that_expired_meanwhile_does_not_pay(shop: Shop) -> None:
    shop.order(101)
    shop.card(expiry="12/26")
    shop.days_pass(45, cron=False)
    assert shop.call("CapturePayment", invoiceid=1)["message"] == "Payment Attempt Failed"


@pytest.mark.parametrize(("declined", "results"), [(2, ["error", "error", "success"]), (-1, ["error"] * 3)])
def test_the_next_payments_can_be_declined(shop: Shop, declined: int, results: list[str]) -> None:
    shop.order(101)
    shop.card()
    shop.whmcs.configure(declined_captures=declined)
    assert [shop.call("CapturePayment", invoiceid=1)["result"] for _ in range(3)] == results


def test_an_offline_gateway_captures_nothing(shop: Shop) -> None:
    gateways = [
        {"module": "stripe", "displayname": "Card"},
        {"module": "bank", "displayname": "Bank", "captures": False},
    ]
    shop.whmcs.configure(gateways=gateways)
    shop.card()
    shop.order(101)
    shop.call("UpdateInvoice", invoiceid=1, paymentmethod="bank")
    assert shop.call("CapturePayment", invoiceid=1)["message"] == "Payment Attempt Failed"
    methods = shop.call("GetPaymentMethods")["paymentmethods"]["paymentmethod"]
    assert [each["module"] for each in methods] == ["stripe", "bank"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": "lend"}, "Type can only be add or remove"),
        ({"clientid": 9}, "Client ID Not Found"),
        ({"adminid": 5}, "Admin ID Not Found"),
        ({"amount": ""}, "No Amount Provided"),
        ({"amount": "-5"}, "Amount must be in decimal format: ### or ###.##"),
        ({"amount": "5.123"}, "Amount must be in decimal format: ### or ###.##"),
        ({"date": "today"}, "Date Format is not Valid"),
    ],
)
def test_credit_is_refused(shop: Shop, fields: dict[str, Any], message: str) -> None:
    good = {"clientid": 1, "description": "Sorry", "amount": "10"}
    assert shop.call("AddCredit", good | fields)["message"] == message
    assert credit(shop) == "0.00"


def test_credit_is_given_and_taken_and_shown_with_the_client(shop: Shop) -> None:
    assert shop.call("AddCredit", clientid=1, description="Sorry", amount="100.5")["newbalance"] == "100.50"
    assert shop.call("AddCredit", clientid=1, description="x", amount="50", type="remove")["newbalance"] == "50.50"
    rows = shop.call("GetCredits", clientid=1)["credits"]["credit"]
    assert [(row["description"], row["amount"], row["relid"]) for row in rows] == [
        ("Sorry", "100.50", 0),
        ("x", "-50.00", 0),
    ]
    assert shop.call("GetClientsDetails", clientid=1)["client"]["credit"] == "50.50"
    assert shop.call("GetCredits", clientid=9)["message"] == "Client ID Not Found"


@pytest.mark.parametrize(
    ("held", "amount", "paid", "applied"),
    [("9000", "full", "true", "4730.00"), ("1000", "full", "false", "1000.00"), ("9000", "30", "false", "30.00")],
)
def test_credit_is_applied(shop: Shop, held: str, amount: str, paid: str, applied: str) -> None:
    shop.order(101)
    shop.call("AddCredit", clientid=1, description="Sorry", amount=held)
    answer = shop.call("ApplyCredit", invoiceid=1, amount=amount)
    assert (answer["invoicepaid"], answer["amount"], answer["invoiceid"]) == (paid, applied, 1)
    assert shop.invoice(1)["credit"] == applied
    assert credit(shop) == f"{float(held) - float(applied):.2f}"


@pytest.mark.parametrize(
    ("held", "amount", "message"),
    [
        ("100", "0", "Credit Amount to apply must be greater than zero"),
        ("100", "some", "Credit Amount to apply must be greater than zero"),
        ("100", "101", "Amount exceeds customer credit balance"),
        ("9000", "4731", "Amount Exceeds Invoice Balance"),
    ],
)
def test_credit_that_is_not_there_or_not_needed_is_not_applied(
    shop: Shop, held: str, amount: str, message: str
) -> None:
    shop.order(101)
    shop.call("AddCredit", clientid=1, description="Sorry", amount=held)
    assert shop.call("ApplyCredit", invoiceid=1, amount=amount)["message"] == message
    assert shop.call("ApplyCredit", invoiceid=7, amount=amount)["message"] == "Invoice ID Not Found"
    shop.call("UpdateInvoice", invoiceid=1, status="Cancelled")
    assert shop.call("ApplyCredit", invoiceid=1, amount=amount)["message"] == "Invoice Not in Unpaid Status"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"userid": 9}, "Client ID Not Found"),
        ({"invoiceid": 9}, "Invoice ID Not Found"),
        ({"userid": 2, "invoiceid": 1}, "User ID does not own the given Invoice ID"),
        ({"userid": 1, "currencyid": 5}, "Currency ID Not Found"),
        ({}, "A Currency ID is required for non-customer related transactions"),
        ({"userid": 1, "paymentmethod": ""}, "Payment Method is required"),
        ({"userid": 1, "transid": "t1"}, "Transaction ID must be Unique"),
    ],
)
def test_transactions_are_refused(shop: Shop, fields: dict[str, Any], message: str) -> None:
    shop.call("AddClient", firstname="B", lastname="I", email="b@example.jp", password2="x", skipvalidation=1)
    shop.order(101)
    shop.pay(1, amount="1")
    assert shop.call("AddTransaction", {"paymentmethod": "stripe", **fields})["message"] == message
    assert shop.call("GetTransactions")["totalresults"] == 1


def test_a_transaction_pays_an_invoice_or_becomes_credit_or_is_nobodys(shop: Shop) -> None:
    shop.order(101)
    common = {"paymentmethod": "bank", "amountin": "4730", "transid": "same", "allowduplicatetransid": 1}
    shop.call("AddTransaction", common, userid=1, invoiceid=1, date="2026-11-20")
    assert standing(shop) == ("Paid", "0.00")
    shop.call("AddTransaction", common, userid=1, credit=1, description="deposit")
    assert credit(shop) == "4730.00"
    shop.call("AddTransaction", common, currencyid=1)
    assert shop.call("GetTransactions", transid="SAME")["totalresults"] == 3
    assert shop.call("GetTransactions", clientid=1)["totalresults"] == 2


def test_a_changed_transaction_changes_the_balance_and_not_the_status(shop: Shop) -> None:
    shop.order(101)
    shop.pay(1)
    assert shop.call("UpdateTransaction", transactionid=1, amountin="4000", transid="t9")["transactionid"] == 1
    assert standing(shop) == ("Paid", "730.00")
    assert shop.call("GetTransactions", transid="t9")["totalresults"] == 1
    assert shop.call("UpdateTransaction", transactionid=5)["result"] == "error"


def test_without_payments_there_are_no_transactions(shop: Shop) -> None:
    assert shop.call("GetTransactions", clientid=1)["transactions"] == {"transaction": []}
