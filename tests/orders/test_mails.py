"""What a customer is written about an order: received, cancelled, delayed; in both languages, as text and as HTML."""

from typing import Any

import pytest

from accounts.models import CustomerLink, User
from notifications.models import Email
from notifications.rendering import render
from orders import telling
from orders.models import Order
from tests.orders.doubles import Salesforce, Whmcs
from tests.orders.steps import order_now
from tests.people import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer(salesforce: Salesforce, whmcs: Whmcs) -> User:
    return make_customer("aiko@example.jp", internet_eligibility="Apartment 1G")


def mail(template: str, language: str = "en") -> Any:
    email = Email.objects.get(template=template)
    email.language = language
    return render(email)


def test_the_first_mail_lists_what_was_ordered_and_what_it_costs(customer: User) -> None:
    (order,) = order_now(customer, "INT-APT-1G", router="wifi6")
    told = mail("order_received")
    assert told.subject == f"We have your order {order.number}"
    for words in (order.number, "Home Apartment 1G", "¥5,280 per month", "¥3,300 once"):
        assert words in told.text
        assert words in told.html
    assert "Every month: ¥5,280\nOnce, on the first bill: ¥3,300" in told.text
    assert "http://portal.test/orders/placed/" in told.text


def test_it_is_written_in_the_customers_language(salesforce: Salesforce, whmcs: Whmcs) -> None:
    (order,) = order_now(
        make_customer(language="ja", internet_eligibility="Apartment 1G"), "INT-APT-1G", router="wifi6"
    )
    told = mail("order_received", "ja")
    for words in (order.number, "ホーム マンション 1ギガ", "月額 5,280円", "5,280円"):
        assert words in told.text
        assert words in told.html
    assert "Home Apartment" not in told.text


def test_orders_of_one_submit_share_one_mail(customer: User) -> None:
    orders = order_now(customer, "VPN-US", "SIM-D-3", sim_type="esim")
    told = mail("order_received")
    assert told.subject == "We have your 2 orders"
    assert all(order.number in told.html for order in orders)
    assert "Each service has its own order and its own number." in told.text


def test_a_provisional_customer_hears_what_comes_first(customer: User) -> None:
    CustomerLink.objects.update(state="provisional", whmcs_client_id=None)
    customer = User.objects.get()
    order_of(customer)
    told = mail("order_received")
    assert "as soon as customer support has confirmed your customer number" in told.text
    assert "A person checks it" not in told.html


def order_of(customer: User) -> Order:
    """As the checkout stores it."""
    order = Order.objects.create(user=customer, portal_ref="SX-0000-001:x", cart_hash="x", category="VPN")
    telling.received(customer, [order], order.submission)
    return order


@pytest.mark.parametrize(
    ("asked", "words"),
    [(True, "We cancelled this order, as you asked."), (False, "If you did not expect this, answer this e-mail")],
)
def test_a_cancelled_order_is_told_by_whose_wish(customer: User, asked: bool, words: str) -> None:
    (order,) = order_now(customer, "VPN-US")
    telling.cancelled(order)
    email = Email.objects.get(template="order_cancelled")
    email.context["asked"] = asked
    told = render(email)
    assert told.subject == f"Your order {order.number} is cancelled"
    for shown in (told.text, told.html):
        assert words in shown
        assert "VPN United States" in shown
        assert f"http://portal.test/orders/{order.number}/" in shown


def test_two_causes_of_one_cancellation_are_one_mail(customer: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    telling.cancelled(order)
    telling.cancelled(order)
    assert Email.objects.filter(template="order_cancelled").count() == 1


def test_nobody_is_written_about_an_order_that_is_not_theirs_any_more(customer: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    order.sf_account_id = "001ANOTHER00001AAA"  # support made it, for an Account the link has left
    order.save()
    telling.cancelled(order)
    assert not Email.objects.filter(template="order_cancelled").exists()


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("template", ["order_received", "order_cancelled", "order_delayed"])
def test_a_name_cannot_bring_markup_into_a_mail(customer: User, template: str, language: str) -> None:
    order_now(customer, "VPN-US")
    email = Email.objects.get(template="order_received")
    (order,) = email.context["orders"]
    order["rows"][0]["name"] = "<b>Bold & brave</b>"
    context = email.context | {"order": order, "addressee": "<i>Aiko</i>", "number": "SX-1"}
    email.template, email.context, email.language = template, context, language
    told = render(email)
    assert "<i>Aiko" not in told.html
    assert "<i>Aiko" in told.text
    assert "<b>Bold" not in told.html
