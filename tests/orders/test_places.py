"""Where it goes: shown before ordering, confirmed with the rest, kept with the order, told by page and e-mail."""

import pytest
from django.test import Client

from accounts.models import Address, CustomerLink, User
from notifications.models import Email
from notifications.rendering import render
from orders import placing
from orders.models import Order
from portal.personal_data.collecting import held_about
from portal.personal_data.erasing import erase
from tests.orders.doubles import Salesforce, Whmcs
from tests.orders.steps import INTERNET, SIM, VPN, a_check, lives, order_now, review_form
from tests.people import make_customer, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
HOME, CHECKED = "芝浦9-9-9", "海岸1-2-3"


@pytest.fixture
def customer(salesforce: Salesforce, whmcs: Whmcs) -> User:
    """Her bills go to one address, and the line was checked for another."""
    user = make_customer("aiko@example.jp", internet_eligibility="Apartment 1G")
    lives(user)
    a_check(user, street=CHECKED, sf_opportunity_id="")
    return user


@pytest.fixture
def browser(customer: User) -> Client:
    return signed_in(customer)


def test_each_service_says_where_it_goes_and_keeps_it(browser: Client, customer: User) -> None:
    for line in (INTERNET, SIM | {"option-sim_type": "physical"}, VPN):
        browser.post("/cart/add/", line)
    for path in ("/checkout/", "/checkout/review/"):
        page = browser.get(path).content.decode()
        assert page.count("Installed at") == page.count("Sent to") == 2, "the term, and the words of its link"
        assert page.index(CHECKED) < page.index(HOME)
        assert 'href="/internet/check/?next=%2Fcheckout%2F"' in page
        assert 'href="/account/address/?next=%2Fcheckout%2F"' in page
    browser.post("/checkout/review/", review_form(browser))
    kept = {order.category: order.place for order in Order.objects.all()}
    assert (kept["Internet"]["kind"], kept["Internet"]["street"]) == ("installed", CHECKED)
    assert (kept["SIM"]["kind"], kept["SIM"]["street"], kept["VPN"]) == ("delivered", HOME, {})
    internet = Order.objects.get(category="Internet")
    Address.objects.update(street="elsewhere")
    assert CHECKED in browser.get(f"/orders/{internet.number}/").content.decode()
    told = render(Email.objects.get(template="order_received"))
    for words in (f"Installed at: {CHECKED}", f"Sent to: {HOME}"):
        assert words in told.text
        assert words in told.html


def test_nothing_is_sent_where_nothing_has_to_be(browser: Client) -> None:
    browser.post("/cart/add/", SIM)
    assert "Where it goes" not in browser.get("/checkout/").content.decode(), "an eSIM"


def test_another_address_is_shown_again_before_anything_is_ordered(browser: Client) -> None:
    browser.post("/cart/add/", SIM | {"option-sim_type": "physical"})
    as_seen = review_form(browser)
    Address.objects.update(street="2-2-2")
    answer = browser.post("/checkout/review/", as_seen)
    assert answer.status_code == 409
    assert "2-2-2" in answer.content.decode()
    assert not Order.objects.exists()


def test_an_order_of_before_the_link_learns_its_place_when_it_is_cleared(customer: User) -> None:
    client = customer.link.whmcs_client_id
    CustomerLink.objects.update(state="provisional", whmcs_client_id=None)
    Address.objects.all().delete()
    (order,) = order_now(User.objects.get(), "SIM-D-3", sim_type="physical")
    Address.objects.update(street="2-2-2")
    CustomerLink.objects.update(state="linked", whmcs_client_id=client)
    placing.place(order.pk)
    assert Order.objects.get().place["street"] == "2-2-2"


def test_the_place_is_the_customers_to_download_and_goes_with_them(browser: Client, customer: User) -> None:
    order_now(customer, "SIM-D-3", sim_type="physical")
    assert HOME in str(held_about(customer)["orders"])
    Order.objects.update(sf_status="Cancelled")
    CustomerLink.objects.update(portal_status=CustomerLink.CLOSED)
    Email.objects.all().delete()
    erase(User.objects.get(), reason="asked")
    assert Order.objects.get().place == {}
