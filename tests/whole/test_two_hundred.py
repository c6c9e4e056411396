"""Two hundred submits of one cart at the same moment, through the real web server: Salesforce says what came of it."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import pytest
import requests

from sandbox.demo.customer import Customer, Person
from sandbox.demo.pages import Form
from sandbox.demo.stack import Stack
from sandbox.demo.verdict import salesforce
from tests.waiting import until

pytestmark = [pytest.mark.whole, pytest.mark.xdist_group("whole")]
MIKA = Person("mika.abe@example.jp", "Mika", "Abe")
SUBMITS = 200


def press_all(customer: Customer, form: Form) -> list[requests.Response]:
    """Everybody stands ready with the same form and the same session, then all press."""
    gate, address = threading.Barrier(SUBMITS), urljoin(customer.visitor.site_url, form.action)
    cookies, origin = dict(customer.visitor.cookies), customer.visitor.site_url

    def press(_number: int) -> requests.Response:
        gate.wait(timeout=60)
        headers = {"Origin": origin, "Referer": address}
        return requests.post(
            address, data=form.values, cookies=cookies, headers=headers, allow_redirects=False, timeout=60
        )

    with ThreadPoolExecutor(SUBMITS) as everybody:
        return list(everybody.map(press, range(SUBMITS)))


def test_two_hundred_submits_of_one_cart_make_one_order(stack: Stack) -> None:
    customer = Customer(stack.site_url, stack.ready, MIKA)
    customer.sign_up()
    customer.add_to_cart("/plans/vpn/VPN-US/")
    customer.add_card()
    page = customer.visitor.open("/checkout/review/")
    form = page.form("cart", "seen")
    form.values.update(customer.confirmed(page))

    answers = press_all(customer, form)

    assert Counter(answer.status_code for answer in answers) == {302: SUBMITS}
    (result,) = {answer.headers["Location"] for answer in answers}
    shown = customer.visitor.open(result)
    assert "/orders/" in shown.url
    assert "/orders/placed/" not in shown.url, "one order is shown at once"
    number = shown.url.rstrip("/").rpartition("/")[2]
    org = salesforce(stack.ready)
    mine = org.query(f"SELECT AccountId FROM Order WHERE Portal_Ref__c LIKE '{number}:%'")["records"]
    (account,) = {row["AccountId"] for row in mine}
    for kind in ("Order", "Opportunity"):
        found = org.query(f"SELECT Id FROM {kind} WHERE AccountId = '{account}'")["records"]
        assert len(found) == 1, kind
    assert len(until(lambda: mails_about(customer, number), what="the mail that the order is there")) == 1


def mails_about(customer: Customer, number: str) -> list[dict[str, str]]:
    return [mail for mail in customer.mails() if number in mail["text"]]
